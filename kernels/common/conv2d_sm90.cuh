// conv2d_sm90.cuh: 256 pixels of a 3x3 convolution with stride 1 and zeros around the image, by the copy engine and the
// matrix instructions of sm_90.
//
// The pixels of a tile are whole rows, of one image or of several whole ones. Three copies of them with a row above and
// below come to shared memory, moved by one column to the left, not at all, and to the right, and the copy engine puts
// the zeros around the image: so the nine operands are runs of lines of these, a row of the image apart, eight lines each
// from a multiple of eight, as the instructions want them. Every pixel is read three times from L2, not nine times.
#pragma once
#include "tensor_copy.cuh"
#include "tile_store.cuh"
#include "wgmma_bf16.cuh"

struct ConvSm90Args {
    TensorMap image;   // [images,height,width,channels]: boxes of `lines` + 2 rows of a tile's images, LINE / 2 channels
    TensorMap filters; // w: boxes of one tap, see ConvSm90::load_filters
    void* y;           // [pixels,columns]
    const float* bias; // [columns] or null
    const void* addend; // [pixels / addend_pixels,columns], added to y, or null
    int addend_pixels;
    int pixels;   // of all images
    int columns;
    int channels; // read
    int width;
    int height;
    int lines;    // rows of an image in a tile: height, or less
    int images;   // of a tile
    int stages;   // of the ring in shared memory
    int resident; // 1: all filters of a block's columns stay in shared memory, else those of a step come with it
};
LAYOUT(ConvSm90Args, image, filters, y, bias, addend, addend_pixels, pixels, columns, channels, width, height, lines, images,
       stages, resident)

constexpr int CONV_SM90_PIXELS = 256, CONV_SM90_THREADS = 256, CONV_SM90_STAGES = 8;

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

struct ConvSm90Shared {
    uint64_t loaded[CONV_SM90_STAGES]; // barriers
    uint64_t filters_loaded;
    // Of the thread that copies: registers are for sums.
    int tile, step, slot;
};
constexpr int CONV_SM90_STATE = 1024; // bytes of it, up to where lines may begin
static_assert(sizeof(ConvSm90Shared) <= CONV_SM90_STATE, "state");

// LINE: bytes of the channels of a step, 64 or 128. BACKWARD: w is [channels,3,3,columns], turned by 180 degrees; else
// [columns,3,3,channels].
template <int LINE, int COLUMNS, bool BACKWARD>
struct ConvSm90 {
    static constexpr int DEPTH = LINE / 2, SUMS = COLUMNS / 2;
    static constexpr int TAP_BYTES = COLUMNS * LINE;
    static constexpr int FILTER_LINE = BACKWARD ? (COLUMNS < 64 ? 64 : 128) : LINE;
    static constexpr int FILTER_BLOCK = DEPTH * FILTER_LINE; // backward: the bytes of FILTER_LINE / 2 columns
    using Pixels = ProductOperand<LINE, Fastest::DEPTH>;
    using Filters = ProductOperand<FILTER_LINE, BACKWARD ? Fastest::OUTER : Fastest::DEPTH>;

    const ConvSm90Args& a;
    ConvSm90Shared& shared;
    unsigned char* filters; // resident: [channels / DEPTH][s][r] taps
    unsigned char* ring;    // stages of (taps of three rows and) pixels
    int column, tiles, steps, plane, pixel_bytes, stage_bytes;

    __device__ __forceinline__ ConvSm90(const ConvSm90Args& a, unsigned char* dynamic)
        : a(a), shared(*reinterpret_cast<ConvSm90Shared*>(dynamic)), filters(dynamic + CONV_SM90_STATE) {
        column = blockIdx.y * COLUMNS;
        tiles = (a.pixels + CONV_SM90_PIXELS - 1) / CONV_SM90_PIXELS;
        steps = a.channels / DEPTH * 3;
        plane = (a.lines + 2) * a.width;
        pixel_bytes = a.images * plane * LINE;
        ring = filters + (a.resident ? steps * 3 * TAP_BYTES : 0);
        stage_bytes = pixel_bytes + (a.resident ? 0 : 3 * TAP_BYTES);
    }

    // The three taps of column s of the filter, r = 0, 1, 2, for the channels from `channel` on.
    __device__ __forceinline__ void load_filters(unsigned char* to, int channel, int s, uint64_t* barrier) const {
        for (int r = 0; r < 3; r++, to += TAP_BYTES) {
            if (BACKWARD) {
                for (int block = 0; block < COLUMNS; block += FILTER_LINE / 2) {
                    copy_box(to + block / (FILTER_LINE / 2) * FILTER_BLOCK, a.filters, column + block, 8 - (3 * r + s),
                             channel, barrier);
                }
            } else {
                copy_box(to, a.filters, channel, 3 * r + s, column, barrier);
            }
        }
    }

    // One thread: the next step of all tiles of this block, if there is one.
    __device__ __forceinline__ void load() {
        if (shared.tile >= tiles) return;
        uint64_t* barrier = shared.loaded + shared.slot;
        unsigned char* stage = ring + shared.slot * stage_bytes;
        int chunk = shared.step / 3, s = shared.step - 3 * chunk, pixel = shared.tile * CONV_SM90_PIXELS;
        int per_image = a.height * a.width, image = pixel / per_image, row = (pixel - image * per_image) / a.width;
        expect_bulk(barrier, stage_bytes);
        copy_box(stage, a.image, chunk * DEPTH, s - 1, row - 1, image, barrier);
        if (!a.resident) load_filters(stage + pixel_bytes, chunk * DEPTH, s, barrier);
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        if (++shared.step == steps) {
            shared.step = 0;
            shared.tile += gridDim.x;
        }
    }

    __device__ __forceinline__ void start() {
        if (threadIdx.x == 0) {
            for (int i = 0; i < a.stages; i++) init_bulk_barrier(shared.loaded + i);
            init_bulk_barrier(&shared.filters_loaded);
            shared.tile = blockIdx.x;
            shared.step = shared.slot = 0;
            if (a.resident) {
                expect_bulk(&shared.filters_loaded, steps * 3 * TAP_BYTES);
                for (int step = 0; step < steps; step++) {
                    load_filters(filters + step * 3 * TAP_BYTES, step / 3 * DEPTH, step % 3, &shared.filters_loaded);
                }
            }
            for (int i = 0; i < a.stages - 1; i++) load();
        }
        __syncthreads(); // the barriers of the copies are there
        if (a.resident) wait_bulk(&shared.filters_loaded, 0);
    }

    // Where the 64 pixels from `pixel` of the tile on begin in a copy, in bytes, seen by the first row of the filter.
    __device__ __forceinline__ int place_of(int pixel) const {
        int inner = a.lines * a.width, image = pixel / inner;
        return (image * plane + pixel - image * inner) * LINE;
    }

    __device__ __forceinline__ void run() {
        start();
        int group = threadIdx.x / 128, slot = 0, parity = 0;
        int place[2] = {place_of(group * 128), place_of(group * 128 + 64)};
        int row_bytes = a.width * LINE;
        for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
            float sum[2][SUMS];
            for (int step = 0; step < steps; step++) {
                const unsigned char* pixels = ring + slot * stage_bytes;
                const unsigned char* taps = a.resident ? filters + step * 3 * TAP_BYTES : pixels + pixel_bytes;
                wait_bulk(shared.loaded + slot, parity);
                fence_products();
#pragma unroll
                for (int r = 0; r < 3; r++) {
                    Filters right(taps + r * TAP_BYTES, BACKWARD ? FILTER_BLOCK : 16);
                    Pixels left[2] = {Pixels(pixels + place[0] + r * row_bytes), Pixels(pixels + place[1] + r * row_bytes)};
#pragma unroll
                    for (int k = 0; k < DEPTH / 16; k++) {
#pragma unroll
                        for (int i = 0; i < 2; i++) {
                            wgmma_bf16<0, BACKWARD>(sum[i], left[i].along(k), right.along(k), step > 0 || r > 0 || k > 0);
                        }
                    }
                }
                commit_products();
                wait_products<1>(sum[0]); // those of the step before
                __syncthreads();          // nobody reads the stage before, which is loaded over
                if (threadIdx.x == 0) load();
                if (++slot == a.stages) slot = 0, parity ^= 1;
            }
            wait_products<0>(sum[0]);
            wait_products<0>(sum[1]);
            store(tile * CONV_SM90_PIXELS + group * 128, sum);
        }
    }

    __device__ __forceinline__ void store(int first_pixel, const float (&sum)[2][SUMS]) const {
        int lane = threadIdx.x % 32, t = lane % 4;
#pragma unroll
        for (int i = 0; i < 2; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int pixel = first_pixel + 64 * i + threadIdx.x / 32 % 4 * 16 + 8 * half + lane / 4;
                bool inside = pixel < a.pixels;
                bf16* line = (bf16*)a.y + (int64_t)pixel * a.columns + column;
                const bf16* more = (const bf16*)a.addend + (int64_t)(pixel / a.addend_pixels) * a.columns + column;
#pragma unroll
                for (int first = 0; first < COLUMNS; first += 32) {
                    unsigned words[4] = {};
                    if (a.addend != nullptr && inside) {
                        uint4 eight = *reinterpret_cast<const uint4*>(more + first + 8 * t);
                        words[0] = eight.x, words[1] = eight.y, words[2] = eight.z, words[3] = eight.w;
                    }
                    if (a.addend != nullptr) transpose_quad(words, t);
#pragma unroll
                    for (int n = 0; n < 4; n++) {
                        const float* two = sum[i] + (first / 8 + n) * 4 + 2 * half;
                        const float* bias = a.bias + column + first + 8 * n + 2 * t;
                        float low = two[0] + __uint_as_float(words[n] << 16), high = two[1] + __uint_as_float(words[n] & 0xffff0000u);
                        if (a.bias != nullptr) low += bias[0], high += bias[1];
                        words[n] = pack_bf16(low, high);
                    }
                    transpose_quad(words, t);
                    if (inside) {
                        *reinterpret_cast<uint4*>(line + first + 8 * t) = make_uint4(words[0], words[1], words[2], words[3]);
                    }
                }
            }
        }
    }
};

template <int LINE, int COLUMNS, bool BACKWARD>
__device__ __forceinline__ void conv2d_sm90(const ConvSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    ConvSm90<LINE, COLUMNS, BACKWARD>(a, dynamic).run();
}

#endif
