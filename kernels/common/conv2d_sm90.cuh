// conv2d_sm90.cuh: 256 pixels of a 3x3 convolution with stride 1 and zeros around the image, by the copy engine and the
// matrix instructions of sm_90.
//
// A tile is four patches of 8 x 8 pixels, side by side in an image or in several. Its pixels and those around them come to
// shared memory once for a number of channels, a line each, and the copy engine puts the zeros around the image. A patch
// seen by one tap of the filter is then eight lines, and eight more a row of the box further, and so on: an operand of the
// matrix instructions, wherever it begins. So every pixel is read about 1.3 times from L2, where a product of gathered
// matrices reads it nine times. Blocks of fewer than 128 columns, which shared memory bounds, read three boxes instead, as each
// column of the filter sees the tile, without pixels around it in a row. A patch is then 64 pixels of whole rows, lines one
// behind the other from a multiple of eight on: bench/NOTES.md, rounds 5 and 8, says why.
//
// An enlarged image (each pixel standing for 2 x 2) is not in memory. Its output pixels of one parity (a,b) are a
// convolution of the small image whose rows r = 0, 1, 2 fall on rows (r + a + 1) / 2 of the box, and columns likewise. The
// gradient of the small image is that of four convolutions of the output's pixels of one parity: more channels, as it were.
//
// The gradient of a convolution with stride 2 has dy as the small image, and its pixels of one parity are made in the same
// way, but by the taps of the turned filter alone whose r + a and s + b are odd: 1, 2, 2 and 4 of nine.
#pragma once
#include "tensor_copy.cuh"
#include "wgmma_bf16.cuh"
#include "wgmma_store.cuh"

struct ConvSm90Args {
    TensorMap image;   // what is convolved, [images,height,rows,width,channels], rows of a plane beside each other: boxes
                       // [tile_images,tile_height + 2,1,tile_width (+ 2),LINE / 2]
    TensorMap filters; // w: boxes of one tap, see ConvSm90::load_taps
    void* y;            // [pixels,columns]
    const float* bias;  // [columns] or null
    const void* addend; // [pixels / addend_pixels,columns], added to y, or null
    int addend_pixels;
    int columns;
    int channels; // of a plane
    int planes;   // of what is convolved: 1, or 4 of one parity each, (0,0), (0,1), (1,0), (1,1)
    int images;
    int height; // of a plane
    int width;
    int enlargement; // of y: 1, or 2, where the grid has a plane for each parity of its pixels
    int tile_images;
    int tile_height; // a multiple of 8
    int tile_width;  // 8, 16 or 32
    int stages;      // of the ring of pixels
};
LAYOUT(ConvSm90Args, image, filters, y, bias, addend, addend_pixels, columns, channels, planes, images, height, width,
       enlargement, tile_images, tile_height, tile_width, stages)

constexpr int CONV_SM90_THREADS = 256, CONV_SM90_STAGES = 8, CONV_SM90_TAP_STAGES = 4; // at most

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

struct ConvSm90Shared {
    uint64_t pixels_loaded[CONV_SM90_STAGES]; // barriers
    uint64_t taps_loaded[CONV_SM90_TAP_STAGES];
    // Of the thread that copies: registers are for sums. What comes next is counted up: divisions would keep its warp, and
    // the products, waiting.
    struct Next {
        int channel, plane, side; // side: which column of the filter's
    };
    Next box, taps;                // of pixels, and of taps that come with their step
    int tile, image, row, column;  // of pixels: the tile and where it begins
    int slot, taps_left, tap_slot;
    alignas(8) float bias[128];    // of the block's columns
};
constexpr int CONV_SM90_STATE = 1024; // bytes of it
static_assert(sizeof(ConvSm90Shared) <= CONV_SM90_STATE, "state");

// LINE: bytes of the channels of a step, 64 or 128. BACKWARD: w is [channels,3,3,columns], turned by 180 degrees; else
// [columns,3,3,channels]. KEPT: all filters of a block's columns stay in shared memory; else those of three taps come at a time.
// STRIDED: the gradient of a convolution with stride 2.
template <int LINE, int COLUMNS, bool BACKWARD, bool KEPT, bool STRIDED>
struct ConvSm90 {
    static constexpr int ALL = -1; // the parity of pixels that all taps multiply
    static constexpr int DEPTH = LINE / 2, SUMS = COLUMNS / 2;
    // A block that has a multiprocessor for itself stores a tile while it multiplies the first step of the next one.
    static constexpr bool DEFERRED = COLUMNS == 128;
    static constexpr int BOXES = COLUMNS < 128 ? 3 : 1; // for the same channels
    static constexpr int TAP_BYTES = COLUMNS * LINE, COLUMN_BYTES = 3 * TAP_BYTES; // of the filter's column
    static constexpr int TAP_STAGES = COLUMNS == 128 ? 2 : CONV_SM90_TAP_STAGES; // columns of the filter in the ring
    static constexpr int FILTER_LINE = BACKWARD ? (COLUMNS < 64 ? 64 : 128) : LINE;
    static constexpr int FILTER_BLOCK = DEPTH * FILTER_LINE; // backward: the bytes of FILTER_LINE / 2 columns
    static constexpr int FILTER_STEP = BACKWARD ? 16 * FILTER_LINE : 32; // bytes to the next 16 channels
    using Pixels = ProductOperand<LINE, Fastest::DEPTH>;
    using Filters = ProductOperand<FILTER_LINE, BACKWARD ? Fastest::OUTER : Fastest::DEPTH>;

    const ConvSm90Args& a;
    ConvSm90Shared& shared;
    unsigned char* filters; // kept: [channels / DEPTH][s][r] taps, as boxes are read; else a ring of columns s
    unsigned char* ring;    // boxes of pixels, each from a multiple of 1024 bytes on
    int column, tiles, chunks, line, box_bytes;

    __device__ __forceinline__ ConvSm90(const ConvSm90Args& a, unsigned char* dynamic)
        : a(a), shared(*reinterpret_cast<ConvSm90Shared*>(dynamic)), filters(dynamic + CONV_SM90_STATE) {
        column = blockIdx.y * COLUMNS;
        int across = a.width / a.tile_width, down = (a.height + a.tile_height - 1) / a.tile_height;
        tiles = (a.images + a.tile_images - 1) / a.tile_images * down * across;
        chunks = a.channels / DEPTH * a.planes;
        line = (BOXES == 1 ? a.tile_width + 2 : a.tile_width) * LINE;
        box_bytes = a.tile_images * (a.tile_height + 2) * line;
        ring = filters + (KEPT ? a.channels / DEPTH * 3 * COLUMN_BYTES : TAP_STAGES * COLUMN_BYTES);
    }

    __device__ __forceinline__ int stage_bytes() const { return (box_bytes + 1023) & ~1023; }

    // Of the pixels that this block writes, row and column: 2 a + b. Replicas have planes as well.
    __device__ __forceinline__ int parity() const { return blockIdx.z & (a.enlargement * a.enlargement - 1); }

    // Columns of the filter that multiply this block's pixels, and the i-th of them.
    __device__ __forceinline__ static int filter_columns() { return !STRIDED ? 3 : blockIdx.z % 2 == 0 ? 1 : 2; }
    __device__ __forceinline__ static int filter_column(int i) { return !STRIDED ? i : blockIdx.z % 2 == 0 ? 1 : 2 * i; }
    __device__ __forceinline__ static int boxes() { return BOXES == 1 ? 1 : filter_columns(); } // of a chunk of channels

    // Where a tile begins.
    struct Place {
        int image, row, column;
    };
    __device__ __forceinline__ Place place_of(int tile) const {
        int across = a.width / a.tile_width, down = (a.height + a.tile_height - 1) / a.tile_height;
        int above = tile / across, image = above / down;
        return {image * a.tile_images, (above - image * down) * a.tile_height, (tile - above * across) * a.tile_width};
    }

    // Column `s` of the filter, as boxes are read, for the channels from `channel` on.
    __device__ __forceinline__ void load_taps(unsigned char* to, int channel, int s, uint64_t* barrier) const {
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

    // The row of the box on which row `r` of the filter falls, or the column; `parity` of the pixels that are written.
    __device__ __forceinline__ static int fallen(int r, int parity) { return (r + parity + 1) / 2; }

    // The parities, of row and column, for which the channels of a plane are multiplied.
    __device__ __forceinline__ int parities(int plane) const {
        return a.planes > 1 ? 3 - plane : parity(); // a gradient meets the filter's other side
    }
    __device__ __forceinline__ bool divided() const { return STRIDED || a.planes > 1 || a.enlargement > 1; }

    // From one of a plane's `sides` to the next, then to the next plane, then to the next channels; true behind the last.
    __device__ __forceinline__ bool count_up(ConvSm90Shared::Next& next, int sides) const {
        if (++next.side < sides) return false;
        next.side = 0;
        if (++next.plane < a.planes) return false;
        next.plane = 0;
        if ((next.channel += DEPTH) < a.channels) return false;
        next.channel = 0;
        return true;
    }

    // One thread: where its tile begins.
    __device__ __forceinline__ void begin_tile(int tile) {
        Place at = place_of(tile);
        shared.tile = tile, shared.image = at.image, shared.row = at.row, shared.column = at.column;
    }

    // One thread: the next box of all tiles of this block, if there is one.
    __device__ __forceinline__ void load_pixels() {
        if (shared.tile >= tiles) return;
        uint64_t* barrier = shared.pixels_loaded + shared.slot;
        int plane = shared.box.plane, s = BOXES == 1 ? 0 : filter_column(shared.box.side);
        if (BOXES > 1 && divided()) s = fallen(s, parities(plane) % 2);
        expect_bulk(barrier, box_bytes);
        copy_box(ring + shared.slot * stage_bytes(), a.image, plane % 2 * a.channels + shared.box.channel,
                 shared.column - 1 + s, plane / 2, shared.row - 1, shared.image, barrier);
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        if (count_up(shared.box, boxes())) begin_tile(shared.tile + (int)gridDim.x);
    }

    // One thread: the next column of the filter, if there is one.
    __device__ __forceinline__ void load_step() {
        if (shared.taps_left == 0) return;
        uint64_t* barrier = shared.taps_loaded + shared.tap_slot;
        expect_bulk(barrier, COLUMN_BYTES);
        load_taps(filters + shared.tap_slot * COLUMN_BYTES, shared.taps.channel, filter_column(shared.taps.side), barrier);
        shared.tap_slot = (shared.tap_slot + 1) % TAP_STAGES;
        count_up(shared.taps, filter_columns());
        shared.taps_left--;
    }

    __device__ __forceinline__ void start() {
        if (!BACKWARD && threadIdx.x < COLUMNS) shared.bias[threadIdx.x] = a.bias == nullptr ? 0.0f : a.bias[column + threadIdx.x];
        if (threadIdx.x == 0) {
            for (int i = 0; i < a.stages; i++) init_bulk_barrier(shared.pixels_loaded + i);
            for (int i = 0; i < TAP_STAGES; i++) init_bulk_barrier(shared.taps_loaded + i);
            int mine = (tiles - (int)blockIdx.x + (int)gridDim.x - 1) / (int)gridDim.x;
            begin_tile(blockIdx.x);
            shared.taps_left = mine * chunks * filter_columns();
            shared.box = shared.taps = {0, 0, 0};
            shared.slot = shared.tap_slot = 0;
            load_pixels();
            if (KEPT) {
                int columns = a.channels / DEPTH * 3;
                expect_bulk(shared.taps_loaded, columns * COLUMN_BYTES);
                for (int i = 0; i < columns; i++) {
                    load_taps(filters + i * COLUMN_BYTES, i / 3 * DEPTH, i % 3, shared.taps_loaded);
                }
            } else {
                for (int i = 0; i < TAP_STAGES - 1; i++) load_step();
            }
            for (int i = 1; i < a.stages - 1; i++) load_pixels();
        }
        __syncthreads(); // the barriers of the copies and the bias are there
        if (KEPT) wait_bulk(shared.taps_loaded, 0);
    }

    // Of a patch: pixels in a row, of 64.
    __device__ __forceinline__ int patch_width() const { return BOXES == 1 ? 8 : a.tile_width; }

    // Where patch `patch` of the tile begins: image, row and column of the tile.
    __device__ __forceinline__ Place patch_place(int patch) const {
        int across = a.tile_width / patch_width(), height = 64 / patch_width(), down = a.tile_height / height;
        int above = patch / across, image = above / down;
        return {image, (above - image * down) * height, (patch - above * across) * patch_width()};
    }

    // ... in a box, in bytes.
    __device__ __forceinline__ int patch_bytes(int patch) const {
        Place at = patch_place(patch);
        return (at.image * (a.tile_height + 2) + at.row) * line + at.column * LINE;
    }

    __device__ __forceinline__ void run() {
        start();
        if constexpr (STRIDED) {
            // Each with its own taps, that no product is left out by a branch.
            switch (blockIdx.z % 4) {
            case 0: return multiply<0>();
            case 1: return multiply<1>();
            case 2: return multiply<2>();
            default: return multiply<3>();
            }
        } else {
            multiply<ALL>();
        }
    }

    // By the taps of the pixels of one parity.
    template <int PARITY>
    __device__ __forceinline__ void multiply() {
        constexpr int FIRST_ROW = PARITY == 0 || PARITY == 1, FIRST_COLUMN = PARITY == 0 || PARITY == 2;
        constexpr int LAST_ROW = 2 - FIRST_ROW, LAST_COLUMN = 2 - FIRST_COLUMN, BETWEEN = STRIDED ? 2 : 1;
        int group = threadIdx.x / 128, slot = 0, parity = 0, tap_slot = 0, tap_parity = 0;
        int patch[2] = {patch_bytes(2 * group), patch_bytes(2 * group + 1)};
        bool divided = this->divided();
        PackedRow<COLUMNS> rows[2][2];
        int waiting = -1; // the tile that `rows` are of
        for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
            float sum[2][SUMS];
            if (adds()) prefetch_addend(tile);
            for (int chunk = 0; chunk < chunks; chunk++) {
                int plane = STRIDED ? PARITY : parities(chunk & (a.planes - 1)); // there are one or four
#pragma unroll
                for (int s = FIRST_COLUMN; s <= LAST_COLUMN; s += BETWEEN) {
                    const unsigned char* box = ring + slot * stage_bytes();
                    const unsigned char* taps = filters + (KEPT ? (a.planes > 1 ? chunk / 4 : chunk) * 3 + s : tap_slot) * COLUMN_BYTES;
                    if (BOXES > 1 || s == FIRST_COLUMN) wait_bulk(shared.pixels_loaded + slot, parity);
                    if (!KEPT) wait_bulk(shared.taps_loaded + tap_slot, tap_parity);
                    fence_products();
                    if (BOXES == 1) box += (divided ? fallen(s, plane % 2) : s) * LINE;
#pragma unroll
                    for (int r = FIRST_ROW; r <= LAST_ROW; r += BETWEEN) {
                        Filters right(taps + r * TAP_BYTES, 8 * FILTER_LINE, FILTER_BLOCK);
                        const unsigned char* seen = box + (divided ? fallen(r, plane / 2) : r) * line;
                        Pixels left[2] = {Pixels(seen + patch[0], BOXES == 1 ? line : 8 * LINE),
                                          Pixels(seen + patch[1], BOXES == 1 ? line : 8 * LINE)};
#pragma unroll
                        for (int k = 0; k < DEPTH / 16; k++) {
#pragma unroll
                            for (int i = 0; i < 2; i++) {
                                wgmma_bf16<0, BACKWARD>(sum[i], left[i].at(32 * k), right.at(FILTER_STEP * k),
                                                        chunk > 0 || r > FIRST_ROW || s > FIRST_COLUMN || k > 0);
                            }
                        }
                    }
                    commit_products();
                    if (DEFERRED && s == FIRST_COLUMN && chunk == 0 && waiting >= 0) write(rows, waiting, 2 * group);
                    wait_products<1>(sum[0]); // those of the step before
                    __syncthreads();          // nobody reads what is loaded over: the column, or the box, before
                    if (threadIdx.x == 0) {
                        if (!KEPT) load_step();
                        if (BOXES > 1 || s == FIRST_COLUMN) load_pixels();
                    }
                    if (!KEPT && ++tap_slot == TAP_STAGES) tap_slot = 0, tap_parity ^= 1;
                    if ((BOXES > 1 || s == LAST_COLUMN) && ++slot == a.stages) slot = 0, parity ^= 1;
                }
            }
            if constexpr (DEFERRED) {
                pack(rows, tile, 2 * group, sum);
                waiting = tile;
            } else {
                wait_products<0>(sum[0]);
                wait_products<0>(sum[1]);
                store(tile, 2 * group, sum);
            }
        }
        if (DEFERRED && waiting >= 0) write(rows, waiting, 2 * group);
    }

    // Pixel `inner` of a patch, counted in y; -1 where there is none.
    __device__ __forceinline__ int pixel_at(const Place& at, const Place& patch, int inner) const {
        int image = at.image + patch.image, row = inner / patch_width(), h = at.row + patch.row + row;
        int w = at.column + patch.column + inner - row * patch_width();
        bool inside = image < a.images && h < a.height;
        h = (image * a.height + h) * a.enlargement + parity() / 2;
        return inside ? (h * a.width + w) * a.enlargement + parity() % 2 : -1;
    }

    // Of one of a lane's two rows.
    __device__ __forceinline__ int pixel_of(const Place& at, const Place& patch, int half) const {
        return pixel_at(at, patch, threadIdx.x / 32 % 4 * 16 + 8 * half + threadIdx.x % 32 / 4);
    }

    // Gradients have neither addend nor bias: their kernels need no registers for them.
    __device__ __forceinline__ bool adds() const { return !BACKWARD && a.addend != nullptr; }
    __device__ __forceinline__ const bf16* addend_of(int pixel) const {
        return (const bf16*)a.addend + (uint32_t)(pixel / a.addend_pixels * a.columns + column);
    }

    // A thread a pixel.
    __device__ __forceinline__ void prefetch_addend(int tile) const {
        int pixel = pixel_at(place_of(tile), patch_place((int)threadIdx.x / 64), (int)threadIdx.x % 64);
        if (pixel >= 0) prefetch_row<COLUMNS>(addend_of(pixel));
    }

    __device__ __forceinline__ const float* bias() const { return BACKWARD ? nullptr : shared.bias; }
    __device__ __forceinline__ bf16* to(int pixel) const { return (bf16*)a.y + (uint32_t)(pixel * a.columns + column); }

    __device__ __forceinline__ void load(RowAddend<COLUMNS> (&addend)[2], const Place& at, const Place& patch) const {
        if (!adds()) return;
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int pixel = pixel_of(at, patch, half);
            addend[half].load(addend_of(pixel), pixel >= 0);
        }
    }

    __device__ __forceinline__ void store(int tile, int first_patch, const float (&sum)[2][SUMS]) const {
        Place at = place_of(tile);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            Place patch = patch_place(first_patch + i);
            RowAddend<COLUMNS> addend[2];
            load(addend, at, patch);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int pixel = pixel_of(at, patch, half);
                store_row<COLUMNS>(to(pixel), sum[i], half, bias(), addend[half], adds(), pixel >= 0);
            }
        }
    }

    // The same in two parts, before and behind the first step of the next tile.
    __device__ __forceinline__ void pack(PackedRow<COLUMNS> (&rows)[2][2], int tile, int first_patch,
                                         float (&sum)[2][SUMS]) const {
        Place at = place_of(tile);
        RowAddend<COLUMNS> addend[2];
        load(addend, at, patch_place(first_patch)); // on their way during the last products
        wait_products<0>(sum[0]);
        wait_products<0>(sum[1]);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            if (i > 0) load(addend, at, patch_place(first_patch + i));
#pragma unroll
            for (int half = 0; half < 2; half++) rows[i][half].pack(sum[i], half, bias(), addend[half], adds());
        }
    }

    __device__ __forceinline__ void write(PackedRow<COLUMNS> (&rows)[2][2], int tile, int first_patch) const {
        Place at = place_of(tile);
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

template <int LINE, int COLUMNS, bool BACKWARD, bool KEPT, bool STRIDED = false>
__device__ __forceinline__ void conv2d_sm90(const ConvSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    ConvSm90<LINE, COLUMNS, BACKWARD, KEPT, STRIDED>(a, dynamic).run();
}

#endif
