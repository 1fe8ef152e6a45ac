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
// of the column before would have to. STRIDED: the gradient of a convolution with stride 2.
template <int LINE, int COLUMNS, bool BACKWARD, bool KEPT, bool STRIDED>
struct ConvSm90 : ConvSm90Tile<COLUMNS, BACKWARD> {
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
    static constexpr int FILTER_STEP = BACKWARD ? 16 * FILTER_LINE : 32; // bytes to the next 16 channels
    static_assert(TAPS == 3 || !KEPT, "filters of 128 columns do not stay");
    using Pixels = ProductOperand<LINE, Fastest::DEPTH>;
    using Filters = ProductOperand<FILTER_LINE, BACKWARD ? Fastest::OUTER : Fastest::DEPTH>;

    ConvSm90Shared& shared;
    unsigned char* filters; // kept: [channels / DEPTH][s][r] taps, as boxes are read; else a ring of steps
    unsigned char* ring;    // boxes of pixels, each from a multiple of 1024 bytes on
    int chunks, line, box_bytes;

    __device__ __forceinline__ ConvSm90(const ConvSm90Args& args, unsigned char* dynamic)
        : Tile(args, reinterpret_cast<ConvSm90Shared*>(dynamic)->bias), shared(*reinterpret_cast<ConvSm90Shared*>(dynamic)),
          filters(dynamic + CONV_SM90_STATE) {
        chunks = a.channels / DEPTH * a.planes;
        line = ((1 << a.width_bits) + (AROUND ? 2 : 0)) * LINE;
        box_bytes = (((1 << a.height_bits) + 2) * line) << a.image_bits;
        ring = filters + (KEPT ? a.channels / DEPTH * 3 * COLUMN_BYTES : TAP_STAGES * STEP_BYTES);
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
        if ((next.channel += DEPTH) < a.channels) return false;
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
        int plane = shared.box.plane, s = AROUND ? 0 : filter_column(shared.box.side);
        if (!AROUND && divided()) s = fallen(s, parities(plane) % 2);
        expect_bulk(barrier, box_bytes);
        copy_box(ring + shared.slot * stage_bytes(), a.image, plane % 2 * a.channels + shared.box.channel,
                 shared.column - 1 + s, plane / 2, shared.row - 1, shared.image, barrier);
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        if (count_up(shared.box, boxes())) begin_tile(shared.tile + (int)gridDim.x);
    }

    // One thread: the taps of the next step, if there is one.
    __device__ __forceinline__ void load_step() {
        if (shared.taps_left == 0) return;
        uint64_t* barrier = shared.taps_loaded + shared.tap_slot;
        unsigned char* to = filters + shared.tap_slot * STEP_BYTES;
        int side = shared.taps.side;
        expect_bulk(barrier, STEP_BYTES);
        if (TAPS == 3) {
            load_taps(to, shared.taps.channel, filter_column(side), barrier);
        } else {
            int rows = taps(1), s = !STRIDED ? side / 3 : side >> (rows - 1); // of one row, or of two
            load_tap(to, shared.taps.channel, tap(1, side - s * rows), filter_column(s), barrier);
        }
        shared.tap_slot = shared.tap_slot + 1 == TAP_STAGES ? 0 : shared.tap_slot + 1;
        count_up(shared.taps, steps());
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
            shared.taps_left = mine * chunks * steps();
            shared.box = shared.taps = {0, 0, 0};
            shared.slot = shared.tap_slot = 0;
            load_pixels();
            if (KEPT) {
                int columns = a.channels / DEPTH * 3;
                expect_bulk(shared.taps_loaded, columns * COLUMN_BYTES);
#pragma unroll 1
                for (int i = 0; i < columns; i++) {
                    load_taps(filters + i * COLUMN_BYTES, i / 3 * DEPTH, i % 3, shared.taps_loaded);
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
        if (!BACKWARD && of >= 0 && of < COLUMNS) shared.bias[of] = a.bias == nullptr ? 0.0f : a.bias[column + of];
        __syncthreads(); // the barriers of the copies and the bias are there
        if (KEPT) wait_bulk(shared.taps_loaded, 0);
    }

    // ... in a box, in bytes.
    __device__ __forceinline__ int patch_bytes(int patch) const {
        auto at = this->patch_place(patch);
        return (at.image * ((1 << a.height_bits) + 2) + at.row) * line + at.column * LINE;
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
        if constexpr (TAPS == 3) {
            multiply_columns<PARITY>();
        } else {
            multiply_taps<PARITY>();
        }
    }

    // Rows of the filter, or columns, from the first to the last that multiply pixels of one parity.
    template <bool ALL_OF_THEM, bool HALVES>
    struct Taps {
        static constexpr int FIRST = HALVES, LAST = 2 - FIRST, BETWEEN = ALL_OF_THEM ? 1 : 2;
        static constexpr int COUNT = (LAST - FIRST) / BETWEEN + 1;
    };
    template <int PARITY>
    using Rows = Taps<PARITY == ALL, PARITY == 0 || PARITY == 1>;
    template <int PARITY>
    using Columns = Taps<PARITY == ALL, PARITY == 0 || PARITY == 2>;

    // What multiplies a chunk of channels.
    template <int PARITY>
    __device__ __forceinline__ int parities_of(int chunk) const {
        return STRIDED ? PARITY : parities(chunk & (a.planes - 1)); // there are one or four planes
    }

    // What a step multiplies: its filters, and two patches of pixels as its first row sees them.
    struct Operands {
        Filters right;
        Pixels left[2];
    };
    __device__ __forceinline__ Operands operands(const unsigned char* taps, const unsigned char* box, const int (&patch)[2]) const {
        int eight = AROUND ? line : 8 * LINE;
        return {Filters(taps, 8 * FILTER_LINE, FILTER_BLOCK), {Pixels(box + patch[0], eight), Pixels(box + patch[1], eight)}};
    }

    // One tap, `tap_bytes` behind the first of the step, as row `r` of the filter sees the pixels. `begun`: to the sums that
    // are there.
    __device__ __forceinline__ void multiply_tap(float (&sum)[2][SUMS], const Operands& of, int tap_bytes, int r, int parities,
                                                 int begun) const {
        int seen = (int)same_in_warp((divided() ? fallen(r, parities / 2) : r) * line);
#pragma unroll
        for (int k = 0; k < DEPTH / 16; k++) {
#pragma unroll
            for (int i = 0; i < 2; i++) {
                wgmma_bf16<0, BACKWARD>(sum[i], of.left[i].at(seen + 32 * k), of.right.at(tap_bytes + FILTER_STEP * k), begun || k > 0);
            }
        }
    }

    // A column of the filter and its box at a time.
    template <int PARITY>
    __device__ __forceinline__ void multiply_columns() {
        using R = Rows<PARITY>;
        using S = Columns<PARITY>;
        int group = threadIdx.x / 128, slot = 0, parity = 0, tap_slot = 0, tap_parity = 0;
        int patch[2] = {patch_bytes(2 * group), patch_bytes(2 * group + 1)};
        for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
            float sum[2][SUMS];
            if (this->adds()) this->prefetch_addend(tile);
            for (int chunk = 0; chunk < chunks; chunk++) {
                int parities = parities_of<PARITY>(chunk);
#pragma unroll
                for (int s = S::FIRST; s <= S::LAST; s += S::BETWEEN) {
                    const unsigned char* box = ring + slot * stage_bytes();
                    const unsigned char* taps = filters + (KEPT ? (a.planes > 1 ? chunk / 4 : chunk) * 3 + s : tap_slot) * COLUMN_BYTES;
                    wait_bulk(shared.pixels_loaded + slot, parity);
                    if (!KEPT) wait_bulk(shared.taps_loaded + tap_slot, tap_parity);
                    Operands of = operands(taps, box, patch);
                    fence_products();
#pragma unroll
                    for (int r = R::FIRST; r <= R::LAST; r += R::BETWEEN) {
                        multiply_tap(sum, of, r * TAP_BYTES, r, parities, chunk > 0 || r > R::FIRST || s > S::FIRST);
                    }
                    commit_products();
                    wait_products<1>(sum[0]); // those of the step before
                    __syncthreads();          // nobody reads what is loaded over: the column and the box before
                    if (threadIdx.x == 0) load_pixels();
                    if (!KEPT && threadIdx.x == TAPS_THREAD) load_step();
                    if (!KEPT && ++tap_slot == TAP_STAGES) tap_slot = 0, tap_parity ^= 1;
                    if (++slot == a.stages) slot = 0, parity ^= 1;
                }
            }
            wait_products<0>(sum[0]);
            wait_products<0>(sum[1]);
            this->store(tile, 2 * group, sum);
        }
    }

    // How far a thread is in both rings, and in the taps of a tile: chunks of channels, and steps of one.
    struct Walk {
        int slot, parity, tap_slot, tap_parity, chunk, step;
    };

    // The next tap of a tile; STARTS: the first one.
    template <int PARITY, bool STARTS>
    __device__ __forceinline__ void issue(Walk& at, float (&sum)[2][SUMS], const int (&patch)[2]) const {
        using R = Rows<PARITY>;
        using S = Columns<PARITY>;
        int parities = parities_of<PARITY>(at.chunk), s = S::FIRST + at.step / R::COUNT * S::BETWEEN;
        int r = R::FIRST + at.step % R::COUNT * R::BETWEEN;
        const unsigned char* box = ring + at.slot * stage_bytes() + (divided() ? fallen(s, parities % 2) : s) * LINE;
        if (at.step == 0) wait_bulk(shared.pixels_loaded + at.slot, at.parity);
        wait_bulk(shared.taps_loaded + at.tap_slot, at.tap_parity);
        Operands of = operands(filters + at.tap_slot * STEP_BYTES, box, patch);
        fence_products();
        multiply_tap(sum, of, 0, r, parities, !STARTS);
        commit_products();
    }

    // Behind it: when the tap before has been multiplied, the next copies begin.
    template <int PARITY>
    __device__ __forceinline__ void follow(Walk& at, float (&sum)[2][SUMS]) {
        wait_products<1>(sum[0]);
        __syncthreads(); // nobody reads what is loaded over: the tap, or the box, before
        if (at.step == 0 && threadIdx.x == 0) load_pixels();
        if (threadIdx.x == TAPS_THREAD) load_step();
        if (++at.tap_slot == TAP_STAGES) at.tap_slot = 0, at.tap_parity ^= 1;
        if (++at.step < Rows<PARITY>::COUNT * Columns<PARITY>::COUNT) return;
        at.step = 0, at.chunk++;
        if (++at.slot == a.stages) at.slot = 0, at.parity ^= 1;
    }

    // A tap at a time. Nine behind one another would be 35 KB of code, which the first tile waits for. A block that has a
    // multiprocessor for itself stores a tile during the first two taps of the next one.
    template <int PARITY>
    __device__ __forceinline__ void multiply_taps() {
        int group = threadIdx.x / 128, left = chunks * steps() - 2;
        int patch[2] = {patch_bytes(2 * group), patch_bytes(2 * group + 1)};
        Walk at = {0, 0, 0, 0, 0, 0};
        PackedRow<COLUMNS> rows[2][2]; // of the tile before, at:
        typename Tile::Place before;
        int begin = blockIdx.x, tile = begin;
        for (; tile < tiles; tile += gridDim.x) {
            float sum[2][SUMS];
            at.chunk = 0;
            issue<PARITY, true>(at, sum, patch);
            if (this->adds()) this->prefetch_addend(tile);
            follow<PARITY>(at, sum);
            if (left >= 0) issue<PARITY, false>(at, sum, patch);
            if (tile > begin) this->write(rows, before, 2 * group);
            if (left >= 0) follow<PARITY>(at, sum);
#pragma unroll 1
            for (int i = 0; i < left; i++) {
                issue<PARITY, false>(at, sum, patch);
                follow<PARITY>(at, sum);
            }
            before = this->place_of(tile);
            this->pack(rows, before, 2 * group, sum);
        }
        if (tile > begin) this->write(rows, before, 2 * group);
    }
};

template <int LINE, int COLUMNS, bool BACKWARD, bool KEPT, bool STRIDED = false>
__device__ __forceinline__ void conv2d_sm90(const ConvSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    ConvSm90<LINE, COLUMNS, BACKWARD, KEPT, STRIDED>(a, dynamic).run();
}

#endif
