// conv2d_sm90_copies.cuh: how the pixels and filters of conv2d_sm90.cuh come to shared memory, by two threads.
#pragma once
#include "conv2d_sm90_tile.cuh"

constexpr int CONV_SM90_THREADS = 256, CONV_SM90_STAGES = 8, CONV_SM90_TAP_STAGES = 6; // at most

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

struct ConvSm90Shared {
    uint64_t pixels_loaded[CONV_SM90_STAGES]; // barriers
    uint64_t taps_loaded[CONV_SM90_TAP_STAGES];
    // Of the threads that copy: registers are for sums. What comes next is counted up: divisions would keep their warps, and
    // the products, waiting.
    struct Next {
        int channel, plane, side; // side: which column of the filter's
    };
    Next box, taps;                // of pixels, and of taps that come with their step: side counts a chunk's steps
    int tile, image, row, column;  // of pixels: the tile and where it begins
    int slot, taps_left, tap_slot;
    alignas(8) float bias[128];    // of the block's columns
};
constexpr int CONV_SM90_STATE = 1024; // bytes of it
static_assert(sizeof(ConvSm90Shared) <= CONV_SM90_STATE, "state");

// LINE: bytes of the channels of a step, 64 or 128. BACKWARD: w is [channels,3,3,columns], turned by 180 degrees; else
// [columns,3,3,channels]. KEPT: all filters of a block's columns stay in shared memory; else those of three taps come at a
// time, or, in blocks of 128 columns, of one: the products of five taps hide its way from L2, where of a column of three those
// of the column before would have to. STRIDED: the gradient of a convolution with stride 2. SKIPS: chunks of a
// 1x1 convolution's channels follow, which are one step each, the tap in the middle.
template <int LINE, int COLUMNS, bool BACKWARD, bool KEPT, bool STRIDED, bool SKIPS>
struct ConvSm90Copies : ConvSm90Tile<COLUMNS, BACKWARD> {
    using Tile = ConvSm90Tile<COLUMNS, BACKWARD>;
    using Tile::a, Tile::column, Tile::tiles, Tile::SUMS, Tile::AROUND;

    static constexpr int ALL = -1; // the parity of pixels that all taps multiply
    static constexpr int DEPTH = LINE / 2;
    static constexpr int TAP_BYTES = COLUMNS * LINE, COLUMN_BYTES = 3 * TAP_BYTES; // of the filter's column
    static constexpr int TAPS = COLUMNS == 128 ? 1 : 3; // of a step: a column of the filter, or one
    static constexpr int TAPS_THREAD = 128; // that copies them, in another warp than the one that copies pixels
    static constexpr int STEP_BYTES = TAPS * TAP_BYTES, TAP_STAGES = COLUMNS == 128 ? 6 : 4; // steps in the ring
    static constexpr int FILTER_LINE = BACKWARD ? (COLUMNS < 64 ? 64 : 128) : LINE;
    static constexpr int FILTER_BLOCK = DEPTH * FILTER_LINE; // backward: the bytes of FILTER_LINE / 2 columns
    static_assert(TAPS == 3 || !KEPT, "filters of 128 columns do not stay");

    ConvSm90Shared& shared;
    unsigned char* filters; // kept: [channels / DEPTH][s][r] taps, as boxes are read; else a ring of steps
    unsigned char* ring;    // boxes of pixels, each from a multiple of 1024 bytes on
    int chunks, skip_chunks, line, box_bytes;

    __device__ __forceinline__ ConvSm90Copies(const ConvSm90Args& args, unsigned char* dynamic)
        : Tile(args, reinterpret_cast<ConvSm90Shared*>(dynamic)->bias), shared(*reinterpret_cast<ConvSm90Shared*>(dynamic)),
          filters(dynamic + CONV_SM90_STATE) {
        chunks = a.channels / DEPTH * a.planes;
        skip_chunks = SKIPS ? a.skip_channels / DEPTH : 0;
        line = ((1 << a.width_bits) + (AROUND ? 2 : 0)) * LINE;
        box_bytes = (((1 << a.height_bits) + 2) * line) << a.image_bits;
        ring = filters + (KEPT ? a.channels / DEPTH * 3 * COLUMN_BYTES + skip_chunks * TAP_BYTES : TAP_STAGES * STEP_BYTES);
    }

    __device__ __forceinline__ int stage_bytes() const { return (box_bytes + 1023) & ~1023; }

    // Columns of the filter that multiply this block's pixels, and the i-th of them; and rows.
    __device__ __forceinline__ static int taps(int bit) { return !STRIDED ? 3 : blockIdx.z >> bit & 1 ? 2 : 1; }
    __device__ __forceinline__ static int tap(int bit, int i) { return !STRIDED ? i : blockIdx.z >> bit & 1 ? 2 * i : 1; }
    __device__ __forceinline__ static int filter_columns() { return taps(0); }
    __device__ __forceinline__ static int filter_column(int i) { return tap(0, i); }
    __device__ __forceinline__ static int steps() { return TAPS == 3 ? taps(0) : taps(0) * taps(1); } // of a chunk of channels
    __device__ __forceinline__ static int boxes() { return AROUND ? 1 : filter_columns(); }           // of one

    // One tap, as boxes are read, for the channels from `channel` on.
    __device__ __forceinline__ void load_tap(unsigned char* to, int channel, int r, int s, uint64_t* barrier) const {
        if (BACKWARD) {
            for (int block = 0; block < COLUMNS; block += FILTER_LINE / 2) {
                copy_box(to + block / (FILTER_LINE / 2) * FILTER_BLOCK, a.filters, column + block, 8 - (3 * r + s), channel,
                         barrier);
            }
        } else {
            copy_box(to, a.filters, channel, 3 * r + s, column, barrier);
        }
    }

    // The channels of the 1x1 convolution from `channel` on: their pixels, in a box like the others, and their filters.
    __device__ __forceinline__ void load_skip(unsigned char* to, int channel, uint64_t* barrier) const {
        int column = shared.column - AROUND, row = shared.row - 1;
        if (channel < a.skip_first) {
            copy_box(to, a.skip, channel, column, 0, row, shared.image, barrier);
        } else {
            copy_box(to, a.skip2, channel - a.skip_first, column, 0, row, shared.image, barrier);
        }
    }
    __device__ __forceinline__ void load_skip_tap(unsigned char* to, int channel, uint64_t* barrier) const {
        copy_box(to, a.skip_filters, channel, 0, column, barrier);
    }

    // Whether these are channels of the 1x1 convolution.
    __device__ __forceinline__ bool skips(const ConvSm90Shared::Next& next) const { return SKIPS && next.channel >= a.channels; }

    // Column `s` of the filter.
    __device__ __forceinline__ void load_taps(unsigned char* to, int channel, int s, uint64_t* barrier) const {
        for (int r = 0; r < 3; r++) load_tap(to + r * TAP_BYTES, channel, r, s, barrier);
    }

    // The row of the box on which row `r` of the filter falls, or the column; `parity` of the pixels that are written.
    __device__ __forceinline__ static int fallen(int r, int parity) { return (r + parity + 1) / 2; }

    // The parities, of row and column, for which the channels of a plane are multiplied.
    __device__ __forceinline__ int parities(int plane) const {
        return a.planes > 1 ? 3 - plane : this->parity; // a gradient meets the filter's other side
    }
    __device__ __forceinline__ bool divided() const { return STRIDED || a.planes > 1 || a.enlargement > 1; }

    // From one of a plane's `sides` to the next, then to the next plane, then to the next channels; true behind the last.
    __device__ __forceinline__ bool count_up(ConvSm90Shared::Next& next, int sides) const {
        if (++next.side < sides) return false;
        next.side = 0;
        if (++next.plane < a.planes) return false;
        next.plane = 0;
        if ((next.channel += DEPTH) < a.channels + skip_chunks * DEPTH) return false;
        next.channel = 0;
        return true;
    }

    // One thread: where its tile begins.
    __device__ __forceinline__ void begin_tile(int tile) {
        auto at = this->place_of(tile);
        shared.tile = tile, shared.image = at.image, shared.row = at.row, shared.column = at.column;
    }

    // One thread: the next box of all tiles of this block, if there is one.
    __device__ __forceinline__ void load_pixels() {
        if (shared.tile >= tiles) return;
        uint64_t* barrier = shared.pixels_loaded + shared.slot;
        unsigned char* to = ring + shared.slot * stage_bytes();
        bool skip = skips(shared.box);
        int plane = shared.box.plane, s = AROUND ? 0 : filter_column(shared.box.side);
        if (!AROUND && divided()) s = fallen(s, parities(plane) % 2);
        expect_bulk(barrier, box_bytes);
        if (skip) {
            load_skip(to, shared.box.channel - a.channels, barrier);
        } else {
            copy_box(to, a.image, plane % 2 * a.channels + shared.box.channel, shared.column - 1 + s, plane / 2, shared.row - 1,
                     shared.image, barrier);
        }
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        if (count_up(shared.box, skip ? 1 : boxes())) begin_tile(shared.tile + (int)gridDim.x);
    }

    // One thread: the taps of the next step, if there is one.
    __device__ __forceinline__ void load_step() {
        if (shared.taps_left == 0) return;
        uint64_t* barrier = shared.taps_loaded + shared.tap_slot;
        unsigned char* to = filters + shared.tap_slot * STEP_BYTES;
        int side = shared.taps.side;
        bool skip = skips(shared.taps);
        expect_bulk(barrier, skip ? TAP_BYTES : STEP_BYTES);
        if (skip) {
            load_skip_tap(to, shared.taps.channel - a.channels, barrier);
        } else if (TAPS == 3) {
            load_taps(to, shared.taps.channel, filter_column(side), barrier);
        } else {
            int rows = taps(1), s = !STRIDED ? side / 3 : side >> (rows - 1); // of one row, or of two
            load_tap(to, shared.taps.channel, tap(1, side - s * rows), filter_column(s), barrier);
        }
        shared.tap_slot = shared.tap_slot + 1 == TAP_STAGES ? 0 : shared.tap_slot + 1;
        count_up(shared.taps, skip ? 1 : steps());
        shared.taps_left--;
    }

    __device__ __forceinline__ void start() {
        if (threadIdx.x == 0) {
#pragma unroll 1
            for (int i = 0; i < a.stages; i++) init_bulk_barrier(shared.pixels_loaded + i);
#pragma unroll 1
            for (int i = 0; i < TAP_STAGES; i++) init_bulk_barrier(shared.taps_loaded + i);
            int mine = (tiles - (int)blockIdx.x + (int)gridDim.x - 1) / (int)gridDim.x;
            begin_tile(blockIdx.x);
            shared.taps_left = mine * (chunks * steps() + skip_chunks);
            shared.box = shared.taps = {0, 0, 0};
            shared.slot = shared.tap_slot = 0;
            load_pixels();
            if (KEPT) {
                int columns = a.channels / DEPTH * 3;
                expect_bulk(shared.taps_loaded, columns * COLUMN_BYTES + skip_chunks * TAP_BYTES);
#pragma unroll 1
                for (int i = 0; i < columns; i++) {
                    load_taps(filters + i * COLUMN_BYTES, i / 3 * DEPTH, i % 3, shared.taps_loaded);
                }
#pragma unroll 1
                for (int i = 0; i < skip_chunks; i++) {
                    load_skip_tap(filters + columns * COLUMN_BYTES + i * TAP_BYTES, i * DEPTH, shared.taps_loaded);
                }
            } else {
#pragma unroll 1
                for (int i = 0; i < TAP_STAGES - 1; i++) load_step();
            }
#pragma unroll 1
            for (int i = 1; i < a.stages - 1; i++) load_pixels();
        }
        // By the other warps: the copies would begin when the bias is there, from device memory at the worst.
        int of = (int)threadIdx.x - 128;
        if (!BACKWARD && of >= 0 && of < COLUMNS) {
            float bias = a.bias == nullptr ? 0.0f : a.bias[column + of];
            shared.bias[of] = SKIPS && a.skip_bias != nullptr ? bias + a.skip_bias[column + of] : bias;
        }
        __syncthreads(); // the barriers of the copies and the bias are there
        if (KEPT) wait_bulk(shared.taps_loaded, 0);
    }
};

#endif
