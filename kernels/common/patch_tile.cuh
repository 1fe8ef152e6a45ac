// patch_tile.cuh: pixels of an image with those around them in shared memory, for 3x3 convolutions of stride 1 whose
// channels are multiples of 8: whole rows of an image, or several whole images.
//
// Such a patch is a run of neighbours in memory, so what belongs to its pixels is one as well. Around it lies one line
// of pixels on each side, zero where the image ends.
//
// Layout       in shared memory a pixel is its chunks of 16 bytes, and one more where they are an even number: 8 pixels
//              side by side lie in 8 bank groups, as an ldmatrix wants them
// Depth        what a pixel meets is numbered by tap, then chunk: vector v is chunk v % chunks of tap v / chunks, and
//              in w [filters,3,3,channels] the 8 values from 8 v on
#pragma once
#include "async_copy.cuh"
#include "mma.cuh"

constexpr int PATCH_TAPS = 9, PATCH_CHUNK = 8, PATCH_CHUNK_BYTES = 16; // a chunk is 8 channels

struct PatchArgs {
    const void* x;      // [images,height >> shift,width >> shift,channels], what is read: of backward data dy
    void* w;            // [filters,3,3,channels], of backward data [channels,3,3,filters]; or dw f32, which is written
    void* y;            // [images,height,width,filters], what is written: of backward data dx; or dy, which is read
    float* bias;        // [filters] or null; backward weight writes dbias here
    const void* addend; // [pixels / addend_pixels,filters], added to y, or null
    float* partial;     // backward weight: [splits][dw, then dbias], or null if there is one split
    int images;            // whose pixels are a number of 31 bits
    int height;            // of the image that is convolved
    int width;
    int channels;          // of what x is, whichever tensor that is
    int filters;           // of what y is
    int shift;             // 1 if x is to be upsampled, else 0
    int addend_pixels;     // pixels of y that share a line of the addend
    int patch_images;      // of a patch: more than one only if they are whole
    int patch_rows;        // of each
    int patches;           // of all images
    int patches_per_split; // backward weight
    int stages;            // patches in shared memory
};
LAYOUT(PatchArgs, x, w, y, bias, addend, partial, images, height, width, channels, filters, shift, addend_pixels,
       patch_images, patch_rows, patches, patches_per_split, stages)

__device__ __forceinline__ int patch_pitch(int chunks) { return (chunks | 1) * PATCH_CHUNK_BYTES; }

// The patches of a launch, and how this thread copies them.
struct Patch {
    const PatchArgs& a;
    int chunks, pitch; // of a pixel
    int line;          // bytes of a row in shared memory
    int lines;         // rows of a patch with those around it
    int per_image;     // patches

    __device__ __forceinline__ explicit Patch(const PatchArgs& a)
        : a(a), chunks(a.channels / PATCH_CHUNK), pitch(patch_pitch(chunks)), line((a.width + 2) * pitch),
          lines(a.patch_images * (a.patch_rows + 2)), per_image((a.height + a.patch_rows - 1) / a.patch_rows) {}

    __device__ __forceinline__ int bytes() const { return lines * line; }

    // The first image and row of a patch; its pixels, first and number.
    struct Place {
        int image, row;
        int first, count;
    };

    __device__ __forceinline__ Place at(int patch) const {
        int group = patch / per_image, image = group * a.patch_images, row = (patch - group * per_image) * a.patch_rows;
        int first = (image * a.height + row) * a.width;
        int count = min(a.patch_images, a.images - image) * min(a.patch_rows, a.height - row) * a.width;
        return {image, row, first, count};
    }

    // Bytes from the patch's beginning to what pixel `pixel` of the patch meets at tap (0,0), or pixel 0 if there is no
    // such pixel.
    __device__ __forceinline__ int corner(int pixel) const {
        if (pixel >= a.patch_images * a.patch_rows * a.width) return 0;
        int row = pixel / a.width, image = row / a.patch_rows;
        return (row + 2 * image) * line + (pixel - row * a.width) * pitch;
    }

    // From there to vector v.
    __device__ __forceinline__ int vector(int v) const {
        int tap = v / chunks, row = tap / 3;
        return row * line + (tap - 3 * row) * pitch + (v - tap * chunks) * PATCH_CHUNK_BYTES;
    }

    // Zeros left and right of the image, which stay.
    __device__ __forceinline__ void clear_sides(unsigned char* to) const {
        int lane = threadIdx.x % 32;
        for (int l = threadIdx.x / 32; l < lines; l += blockDim.x / 32) {
            for (int i = lane; i < 2 * chunks; i += 32) {
                int at = i < chunks ? i * PATCH_CHUNK_BYTES
                                    : (a.width + 1) * pitch + (i - chunks) * PATCH_CHUNK_BYTES;
                *(uint4*)(to + l * line + at) = make_uint4(0, 0, 0, 0);
            }
        }
    }

    // Everything but the sides, a warp to a row.
    __device__ __forceinline__ void copy(unsigned char* to, const Place& place) const {
        int lane = threadIdx.x % 32, whole = 32 / chunks, rest = 32 - whole * chunks;
        int first_pixel = lane / chunks, first_chunk = lane - first_pixel * chunks;
        int height = a.height >> a.shift, width = a.width >> a.shift;
        for (int l = threadIdx.x / 32; l < lines; l += blockDim.x / 32) {
            int n = l / (a.patch_rows + 2), row = place.row + l - n * (a.patch_rows + 2) - 1, image = place.image + n;
            bool inside = (unsigned)row < (unsigned)a.height && image < a.images;
            const bf16* from = (const bf16*)a.x;
            if (inside) from += ((int64_t)image * height + (row >> a.shift)) * width * a.channels;
            unsigned char* row_to = to + l * line + pitch;
            for (int pixel = first_pixel, chunk = first_chunk; pixel < a.width;) {
                int source = inside ? (pixel >> a.shift) * a.channels + chunk * PATCH_CHUNK : 0;
                copy_async<16>(row_to + pixel * pitch + chunk * PATCH_CHUNK_BYTES, from + source, inside);
                pixel += whole, chunk += rest;
                if (chunk >= chunks) pixel++, chunk -= chunks;
            }
        }
    }
};

// The same where a patch is rows of one image that is there, a run of memory: a thread copies up to MOST chunks, no fewer than a
// patch has of all threads, to places that it knows.
template <int MOST>
struct RunOfRows {
    const PatchArgs& a;
    int row, image; // chunks
    int to[MOST];   // bytes from the patch's beginning; -1: none

    __device__ __forceinline__ explicit RunOfRows(const Patch& patch)
        : a(patch.a), row(a.width * patch.chunks), image(a.height * row) {
        int count = patch.lines * row, threads = blockDim.x;
#pragma unroll
        for (int k = 0; k < MOST; k++) {
            int at = (int)threadIdx.x + k * threads, line = at / row, pixel = (at - line * row) / patch.chunks;
            int chunk = at - line * row - pixel * patch.chunks;
            to[k] = at < count ? line * patch.line + (pixel + 1) * patch.pitch + chunk * PATCH_CHUNK_BYTES : -1;
        }
    }

    // Whether patches are such.
    __device__ __forceinline__ bool takes(const Patch& patch) const {
        return a.patch_images == 1 && a.shift == 0 && patch.lines * row <= MOST * (int)blockDim.x;
    }

    __device__ __forceinline__ void copy(unsigned char* stage, const Patch::Place& place) const {
        const bf16* from = (const bf16*)a.x + (int64_t)place.image * (image * PATCH_CHUNK);
        int first = (place.row - 1) * row + (int)threadIdx.x;
#pragma unroll
        for (int k = 0; k < MOST; k++) {
            int at = first + k * (int)blockDim.x;
            bool inside = (unsigned)at < (unsigned)image; // rows above and below are zero
            if (to[k] >= 0) copy_async<16>(stage + to[k], from + (inside ? at * PATCH_CHUNK : 0), inside);
        }
    }
};
