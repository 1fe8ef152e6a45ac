// conv2d_sm90_tile.cuh: where the tiles and patches of conv2d_sm90.cuh lie, and how their sums become y.
#pragma once
#include "tensor_copy.cuh"
#include "wgmma_bf16.cuh"
#include "wgmma_store.cuh"

struct ConvSm90Args {
    TensorMap image;   // what is convolved, [images,height,rows,width,channels], rows of a plane beside each other: boxes
                       // [images of a tile,its height + 2,1,its width (+ 2),LINE / 2]
    TensorMap filters; // w: boxes of one tap, see ConvSm90::load_taps
    void* y;            // [pixels,columns]
    const float* bias;  // [columns] or null
    const void* addend; // [pixels / addend_pixels,columns], added to y, or null
    int addend_pixels;  // that share a row of it: 1, or those of an image
    int columns;
    int channels; // of a plane
    int planes;   // of what is convolved: 1, or 4 of one parity each, (0,0), (0,1), (1,0), (1,1)
    int images;
    int height; // of a plane
    int width;
    int enlargement; // of y: 1, or 2, where the grid has a plane for each parity of its pixels
    int image_bits;  // a tile is 2^image_bits images,
    int height_bits; // 2^height_bits rows, at least 8, and
    int width_bits;  // 2^width_bits columns, 8 to 32: a division takes 100 cycles before the first copy
    int stages;      // of the ring of pixels
    // Of `_skip`: y has a 1x1 convolution of other channels of the same pixels as well, of one tensor or of two side by side.
    int skip_first;    // channels of the first
    int skip_channels; // of both
    const float* skip_bias; // [columns] or null
    TensorMap skip;         // boxes as those of the image
    TensorMap skip2;
    TensorMap skip_filters; // [columns,1,skip_channels]: boxes as those of filters
};
LAYOUT(ConvSm90Args, image, filters, y, bias, addend, addend_pixels, columns, channels, planes, images, height, width,
       enlargement, image_bits, height_bits, width_bits, stages, skip_first, skip_channels, skip_bias, skip, skip2,
       skip_filters)

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

// Of a block of COLUMNS columns. Gradients have neither addend nor bias.
template <int COLUMNS, bool BACKWARD>
struct ConvSm90Tile {
    static constexpr int SUMS = COLUMNS / 2;
    // Whether a box has the pixels around the tile in its rows: else there is one for each column of the filter.
    static constexpr bool AROUND = COLUMNS == 128;

    const ConvSm90Args& a;
    const float* bias; // [COLUMNS] in shared memory
    int column, across, down, tiles; // across, down: tiles of an image
    int parity;                      // of the pixels that this block writes, row and column: 2 a + b

    __device__ __forceinline__ ConvSm90Tile(const ConvSm90Args& a, const float* bias)
        : a(a), bias(BACKWARD ? nullptr : bias), column(blockIdx.y * COLUMNS) {
        across = a.width >> a.width_bits, down = parts(a.height, a.height_bits);
        tiles = parts(a.images, a.image_bits) * down * across;
        parity = (int)same_in_warp(blockIdx.z & (a.enlargement * a.enlargement - 1)); // replicas have planes as well
    }

    // Of 2^bits each, the last may be a smaller one.
    __device__ __forceinline__ static int parts(int whole, int bits) { return (whole + (1 << bits) - 1) >> bits; }

    // Where a tile begins.
    struct Place {
        int image, row, column;
    };
    __device__ __forceinline__ Place place_of(int tile) const {
        int above = across == 1 ? tile : tile / across, image = down == 1 ? above : above / down;
        return {image << a.image_bits, (above - image * down) << a.height_bits, (tile - above * across) << a.width_bits};
    }

    // Of a patch: 2^patch_bits pixels in a row, of 64.
    __device__ __forceinline__ int patch_bits() const { return AROUND ? 3 : a.width_bits; }

    // Where patch `patch` of the tile begins: image, row and column of the tile.
    __device__ __forceinline__ Place patch_place(int patch) const {
        int rows = 6 - patch_bits(), beside = a.width_bits - patch_bits(), below = a.height_bits - rows; // in bits
        int above = patch >> beside, image = above >> below;
        return {image, (above - (image << below)) << rows, (patch - (above << beside)) << patch_bits()};
    }

    // Pixel `inner` of a patch, counted in y; -1 where there is none.
    __device__ __forceinline__ int pixel_at(const Place& at, const Place& patch, int inner) const {
        int image = at.image + patch.image, row = inner >> patch_bits(), h = at.row + patch.row + row;
        int w = at.column + patch.column + inner - (row << patch_bits());
        bool inside = image < a.images && h < a.height;
        h = (image * a.height + h) * a.enlargement + parity / 2;
        return inside ? (h * a.width + w) * a.enlargement + parity % 2 : -1;
    }

    // Of one of a lane's two rows.
    __device__ __forceinline__ int pixel_of(const Place& at, const Place& patch, int half) const {
        return pixel_at(at, patch, threadIdx.x / 32 % 4 * 16 + 8 * half + threadIdx.x % 32 / 4);
    }

    // Known when it is compiled, for gradients: registers are for sums.
    __device__ __forceinline__ bool adds() const { return !BACKWARD && a.addend != nullptr; }
    __device__ __forceinline__ const bf16* addend_of(int pixel, int image) const {
        return (const bf16*)a.addend + (uint32_t)((a.addend_pixels == 1 ? pixel : image) * a.columns + column);
    }

    // A thread a pixel.
    __device__ __forceinline__ void prefetch_addend(int tile) const {
        Place at = place_of(tile), patch = patch_place((int)threadIdx.x / 64);
        int pixel = pixel_at(at, patch, (int)threadIdx.x % 64);
        if (pixel >= 0) prefetch_row<COLUMNS>(addend_of(pixel, at.image + patch.image));
    }

    __device__ __forceinline__ bf16* to(int pixel) const { return (bf16*)a.y + (uint32_t)(pixel * a.columns + column); }

    __device__ __forceinline__ void load(RowAddend<COLUMNS> (&addend)[2], const Place& at, const Place& patch) const {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int pixel = pixel_of(at, patch, half);
            addend[half].load(addend_of(pixel, at.image + patch.image), pixel >= 0);
        }
    }

    __device__ __forceinline__ void store(int tile, int first_patch, const float (&sum)[2][SUMS]) const {
        if (adds()) {
            store_rows<true>(place_of(tile), first_patch, sum);
        } else {
            store_rows<false>(place_of(tile), first_patch, sum);
        }
    }

    template <bool ADDS>
    __device__ __forceinline__ void store_rows(const Place& at, int first_patch, const float (&sum)[2][SUMS]) const {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            Place patch = patch_place(first_patch + i);
            RowAddend<COLUMNS> addend[2];
            if constexpr (ADDS) load(addend, at, patch);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int pixel = pixel_of(at, patch, half);
                store_row<COLUMNS>(to(pixel), sum[i], half, bias, addend[half], ADDS, pixel >= 0);
            }
        }
    }

    // The same in two parts, before and during the first steps of the next tile.
    __device__ __forceinline__ void pack(PackedRow<COLUMNS> (&rows)[2][2], const Place& at, int first_patch,
                                         float (&sum)[2][SUMS]) const {
        if (adds()) {
            pack_rows<true>(rows, at, first_patch, sum);
        } else {
            pack_rows<false>(rows, at, first_patch, sum);
        }
    }

    template <bool ADDS>
    __device__ __forceinline__ void pack_rows(PackedRow<COLUMNS> (&rows)[2][2], const Place& at, int first_patch,
                                              float (&sum)[2][SUMS]) const {
        RowAddend<COLUMNS> addend[2];
        if constexpr (ADDS) load(addend, at, patch_place(first_patch)); // on their way during the last products
        wait_products<0>(sum[0]);
        wait_products<0>(sum[1]);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            if (i > 0 && ADDS) load(addend, at, patch_place(first_patch + i));
#pragma unroll
            for (int half = 0; half < 2; half++) rows[i][half].pack(sum[i], half, bias, addend[half], ADDS);
        }
    }

    __device__ __forceinline__ void write(PackedRow<COLUMNS> (&rows)[2][2], const Place& at, int first_patch) const {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            Place patch = patch_place(first_patch + i);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int pixel = pixel_of(at, patch, half);
                rows[i][half].write(to(pixel), pixel >= 0);
            }
        }
    }
};

#endif
