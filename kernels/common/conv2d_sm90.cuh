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
#include "conv2d_sm90_copies.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

// Parameters as those of ConvSm90Copies.
template <int LINE, int COLUMNS, bool BACKWARD, bool KEPT, bool STRIDED, bool SKIPS>
struct ConvSm90 : ConvSm90Copies<LINE, COLUMNS, BACKWARD, KEPT, STRIDED, SKIPS> {
    using Copies = ConvSm90Copies<LINE, COLUMNS, BACKWARD, KEPT, STRIDED, SKIPS>;
    using Tile = ConvSm90Tile<COLUMNS, BACKWARD>;
    using Copies::Copies, Copies::a, Copies::tiles, Copies::shared, Copies::filters, Copies::ring, Copies::chunks;
    using Copies::skip_chunks, Copies::line, Copies::stage_bytes, Copies::fallen, Copies::parities, Copies::divided;
    using Copies::steps, Copies::load_pixels, Copies::load_step;
    using Copies::SUMS, Copies::AROUND, Copies::ALL, Copies::DEPTH, Copies::TAP_BYTES, Copies::COLUMN_BYTES, Copies::TAPS;
    using Copies::TAPS_THREAD, Copies::STEP_BYTES, Copies::TAP_STAGES, Copies::FILTER_LINE, Copies::FILTER_BLOCK;

    static constexpr int FILTER_STEP = BACKWARD ? 16 * FILTER_LINE : 32; // bytes to the next 16 channels
    using Pixels = ProductOperand<LINE, Fastest::DEPTH>;
    using Filters = ProductOperand<FILTER_LINE, BACKWARD ? Fastest::OUTER : Fastest::DEPTH>;

    // ... in a box, in bytes.
    __device__ __forceinline__ int patch_bytes(int patch) const {
        auto at = this->patch_place(patch);
        return (at.image * ((1 << a.height_bits) + 2) + at.row) * line + at.column * LINE;
    }

    __device__ __forceinline__ void run() {
        this->start();
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

    // How far a thread is in both rings.
    struct Slots {
        int slot, parity, tap_slot, tap_parity;
    };

    // The next box, and what multiplies it: `kept` bytes behind the first filters that stay, or the next step.
    __device__ __forceinline__ Operands wait_for(const Slots& at, int kept, const int (&patch)[2]) const {
        wait_bulk(shared.pixels_loaded + at.slot, at.parity);
        if (!KEPT) wait_bulk(shared.taps_loaded + at.tap_slot, at.tap_parity);
        return operands(filters + (KEPT ? kept : at.tap_slot * COLUMN_BYTES), ring + at.slot * stage_bytes(), patch);
    }

    // Behind a step's products: when those of the step before are made, the next copies begin.
    __device__ __forceinline__ void next_step(Slots& at, float (&sum)[2][SUMS]) {
        commit_products();
        wait_products<1>(sum[0]);
        __syncthreads(); // nobody reads what is loaded over: the column and the box before
        if (threadIdx.x == 0) load_pixels();
        if (!KEPT && threadIdx.x == TAPS_THREAD) load_step();
        if (!KEPT && ++at.tap_slot == TAP_STAGES) at.tap_slot = 0, at.tap_parity ^= 1;
        if (++at.slot == a.stages) at.slot = 0, at.parity ^= 1;
    }

    // A column of the filter and its box at a time.
    template <int PARITY>
    __device__ __forceinline__ void multiply_columns() {
        using R = Rows<PARITY>;
        using S = Columns<PARITY>;
        int group = threadIdx.x / 128;
        Slots at = {0, 0, 0, 0};
        int patch[2] = {patch_bytes(2 * group), patch_bytes(2 * group + 1)};
        for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
            float sum[2][SUMS];
            if (this->adds()) this->prefetch_addend(tile);
            for (int chunk = 0; chunk < chunks; chunk++) {
                int parities = parities_of<PARITY>(chunk), first = (a.planes > 1 ? chunk / 4 : chunk) * 3;
#pragma unroll
                for (int s = S::FIRST; s <= S::LAST; s += S::BETWEEN) {
                    Operands of = wait_for(at, (first + s) * COLUMN_BYTES, patch);
                    fence_products();
#pragma unroll
                    for (int r = R::FIRST; r <= R::LAST; r += R::BETWEEN) {
                        multiply_tap(sum, of, r * TAP_BYTES, r, parities, chunk > 0 || r > R::FIRST || s > S::FIRST);
                    }
                    next_step(at, sum);
                }
            }
            for (int chunk = 0; chunk < skip_chunks; chunk++) {
                Operands of = wait_for(at, chunks * 3 * COLUMN_BYTES + chunk * TAP_BYTES, patch);
                fence_products();
                multiply_tap(sum, of, 0, 1, 0, 1);
                next_step(at, sum);
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
        bool skip = SKIPS && at.chunk >= chunks;
        int parities = parities_of<PARITY>(at.chunk), s = skip ? 1 : S::FIRST + at.step / R::COUNT * S::BETWEEN;
        int r = skip ? 1 : R::FIRST + at.step % R::COUNT * R::BETWEEN;
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
        bool skip = SKIPS && at.chunk >= chunks;
        if (++at.step < (skip ? 1 : Rows<PARITY>::COUNT * Columns<PARITY>::COUNT)) return;
        at.step = 0, at.chunk++;
        if (++at.slot == a.stages) at.slot = 0, at.parity ^= 1;
    }

    // A tap at a time. Nine behind one another would be 35 KB of code, which the first tile waits for. A block that has a
    // multiprocessor for itself stores a tile during the first two taps of the next one.
    template <int PARITY>
    __device__ __forceinline__ void multiply_taps() {
        int group = threadIdx.x / 128, left = chunks * steps() + skip_chunks - 2;
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

template <int LINE, int COLUMNS, bool BACKWARD, bool KEPT, bool STRIDED = false, bool SKIPS = false>
__device__ __forceinline__ void conv2d_sm90(const ConvSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    ConvSm90<LINE, COLUMNS, BACKWARD, KEPT, STRIDED, SKIPS>(a, dynamic).run();
}

#endif
