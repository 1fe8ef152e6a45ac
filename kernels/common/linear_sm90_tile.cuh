// linear_sm90_tile.cuh: tiles of products whose left factor comes in boxes of 256 rows, by the copy engine and the matrix
// instructions of sm_90: linear_sm90.cu and conv2d_strided_sm90.cu.
#pragma once
#include "linear_sm90.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

struct LinearSm90Shared {
    uint64_t loaded[LINEAR_SM90_STAGES]; // barriers
    int tile, above, beside, step, slot; // of the thread that copies: the tile and where it is
    alignas(8) float bias[2][128];       // of a tile's columns, and of the one before
};
constexpr int LINEAR_SM90_STATE = 2048;
static_assert(sizeof(LinearSm90Shared) <= LINEAR_SM90_STATE, "state");

// What comes to a tile from the depth's `depth` on: of one tensor, or of two side by side.
struct LinearRows {
    using Args = LinearSm90Args;

    __device__ __forceinline__ static void copy(unsigned char* stage, const LinearSm90Args& a, int above, int depth,
                                                uint64_t* barrier) {
        bool second = depth >= a.first;
        copy_box(stage, second ? a.left2 : a.left, second ? depth - a.first : depth, above * LINEAR_SM90_ROWS, 0, barrier);
    }
};

// LINE: bytes of the depth of a step, 64 or 128. BACKWARD: w is [depth,columns], else [columns,depth]. Source::copy brings the rows.
template <int LINE, int COLUMNS, bool BACKWARD, class Source = LinearRows>
struct LinearSm90 {
    // A block that has a multiprocessor for itself stores a tile while it multiplies the first step of the next one.
    static constexpr bool DEFERRED = COLUMNS == 128 && !BACKWARD;
    static constexpr int DEPTH = LINE / 2, SUMS = COLUMNS / 2;
    static constexpr int LEFT_BYTES = LINEAR_SM90_ROWS * LINE, STAGE_BYTES = LEFT_BYTES + COLUMNS * LINE;
    static constexpr int RIGHT_LINE = BACKWARD ? (COLUMNS < 64 ? 64 : 128) : LINE;
    static constexpr int RIGHT_BLOCK = DEPTH * RIGHT_LINE; // backward: the bytes of RIGHT_LINE / 2 columns
    static constexpr int RIGHT_STEP = BACKWARD ? 16 * RIGHT_LINE : 32; // bytes to the next 16 in depth
    using Left = ProductOperand<LINE, Fastest::DEPTH>;
    using Right = ProductOperand<RIGHT_LINE, BACKWARD ? Fastest::OUTER : Fastest::DEPTH>;

    using Args = typename Source::Args;

    const Args& a;
    LinearSm90Shared& shared;
    unsigned char* ring;
    int across, tiles, steps;

    __device__ __forceinline__ LinearSm90(const Args& a, unsigned char* dynamic)
        : a(a), shared(*reinterpret_cast<LinearSm90Shared*>(dynamic)), ring(dynamic + LINEAR_SM90_STATE) {
        across = a.columns / COLUMNS;
        tiles = (a.rows + LINEAR_SM90_ROWS - 1) / LINEAR_SM90_ROWS * across;
        steps = a.depth / DEPTH;
    }

    // One thread: the next step of all tiles of this block, if there is one.
    __device__ __forceinline__ void load() {
        if (shared.tile >= tiles) return;
        uint64_t* barrier = shared.loaded + shared.slot;
        unsigned char* stage = ring + shared.slot * STAGE_BYTES;
        int column = shared.beside * COLUMNS, depth = shared.step * DEPTH;
        expect_bulk(barrier, STAGE_BYTES);
        Source::copy(stage, a, shared.above, depth, barrier);
        stage += LEFT_BYTES;
        if (BACKWARD) {
            for (int block = 0; block < COLUMNS; block += RIGHT_LINE / 2) {
                copy_box(stage + block / (RIGHT_LINE / 2) * RIGHT_BLOCK, a.right, column + block, depth, 0, barrier);
            }
        } else {
            copy_box(stage, a.right, depth, column, 0, barrier);
        }
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        if (++shared.step == steps) {
            shared.step = 0;
            begin_tile(shared.tile + (int)gridDim.x);
        }
    }

    __device__ __forceinline__ void begin_tile(int tile) {
        shared.tile = tile, shared.above = tile / across, shared.beside = tile - shared.above * across;
    }

    __device__ __forceinline__ void run() {
        if (threadIdx.x == 0) {
            for (int i = 0; i < a.stages; i++) init_bulk_barrier(shared.loaded + i);
            begin_tile(blockIdx.x);
            shared.step = shared.slot = 0;
            for (int i = 0; i < a.stages - 1; i++) load();
        }
        __syncthreads(); // the barriers of the copies are there
        int group = threadIdx.x / 128, slot = 0, parity = 0, turn = 0;
        PackedRow<COLUMNS> rows[2][2];
        int waiting = -1; // the tile that `rows` are of
        for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x, turn ^= 1) {
            float sum[2][SUMS];
            if (!BACKWARD) begin(tile, shared.bias[turn]);
            for (int step = 0; step < steps; step++) {
                const unsigned char* stage = ring + slot * STAGE_BYTES;
                wait_bulk(shared.loaded + slot, parity);
                Left left(stage + group * 128 * LINE);
                Right right(stage + LEFT_BYTES, 8 * RIGHT_LINE, RIGHT_BLOCK);
                fence_products();
#pragma unroll
                for (int k = 0; k < DEPTH / 16; k++) {
#pragma unroll
                    for (int i = 0; i < 2; i++) {
                        wgmma_bf16<0, BACKWARD>(sum[i], left.at(i * 64 * LINE + 32 * k), right.at(RIGHT_STEP * k),
                                                step > 0 || k > 0);
                    }
                }
                commit_products();
                if (DEFERRED && step == 0 && waiting >= 0) write(rows, waiting);
                wait_products<1>(sum[0]); // those of the step before
                __syncthreads();          // nobody reads the stage before, which is loaded over
                if (threadIdx.x == 0) load();
                if (++slot == a.stages) slot = 0, parity ^= 1;
            }
            if constexpr (DEFERRED) {
                pack(rows, tile, shared.bias[turn], sum);
                waiting = tile;
            } else {
                wait_products<0>(sum[0]);
                wait_products<0>(sum[1]);
                store(tile, BACKWARD ? nullptr : shared.bias[turn], sum);
            }
        }
        if (DEFERRED && waiting >= 0) write(rows, waiting);
    }

    // What the store of a tile will want: the barriers of its steps make the bias visible.
    __device__ __forceinline__ void begin(int tile, float* bias) const {
        int above = tile / across, column = (tile - above * across) * COLUMNS;
        if (threadIdx.x < COLUMNS) bias[threadIdx.x] = a.bias == nullptr ? 0.0f : a.bias[column + threadIdx.x];
        int row = above * LINEAR_SM90_ROWS + (int)threadIdx.x;
        if (adds() && row < a.rows) prefetch_row<COLUMNS>(addend_of(row) + column);
    }

    // Gradients have neither addend nor bias: their kernels need no registers for them.
    __device__ __forceinline__ bool adds() const { return !BACKWARD && a.addend != nullptr; }
    __device__ __forceinline__ const bf16* addend_of(int row) const {
        return (const bf16*)a.addend + (int64_t)row * a.columns;
    }

    // Where a tile of this group of four warps is written, and this lane's first row of it.
    struct Place {
        bf16* y; // of row 0
        int columns, column, row;
    };
    __device__ __forceinline__ Place place_of(int tile) const {
        int above = tile / across, column = (tile - above * across) * COLUMNS;
        bool second = column >= a.first_columns;
        int thread = threadIdx.x, row = above * LINEAR_SM90_ROWS + thread / 32 * 16 + thread / 128 * 64 + thread % 32 / 4;
        return {(bf16*)(second ? a.y2 : a.y) + (second ? column - a.first_columns : column),
                second ? a.columns - a.first_columns : a.first_columns, column, row};
    }

    __device__ __forceinline__ void load(RowAddend<COLUMNS> (&addend)[2], const Place& at, int i) const {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int row = at.row + 64 * i + 8 * half;
            addend[half].load(addend_of(row) + at.column, row < a.rows);
        }
    }

    // One path for both, with and without an addend: two of them, with fewer instructions each, took 10 % longer.
    __device__ __forceinline__ void store(int tile, const float* bias, const float (&sum)[2][SUMS]) const {
        Place at = place_of(tile);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            RowAddend<COLUMNS> addend[2];
            if (adds()) load(addend, at, i);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int row = at.row + 64 * i + 8 * half;
                store_row<COLUMNS>(at.y + (int64_t)row * at.columns, sum[i], half, bias, addend[half], adds(), row < a.rows);
            }
        }
    }

    // The same in two parts, before and behind the first step of the next tile.
    __device__ __forceinline__ void pack(PackedRow<COLUMNS> (&rows)[2][2], int tile, const float* bias,
                                         float (&sum)[2][SUMS]) const {
        Place at = place_of(tile);
        RowAddend<COLUMNS> addend[2];
        if (adds()) load(addend, at, 0); // on their way during the last products
        wait_products<0>(sum[0]);
        wait_products<0>(sum[1]);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            if (i > 0 && adds()) load(addend, at, i);
#pragma unroll
            for (int half = 0; half < 2; half++) rows[i][half].pack(sum[i], half, bias, addend[half], adds());
        }
    }

    __device__ __forceinline__ void write(PackedRow<COLUMNS> (&rows)[2][2], int tile) const {
        Place at = place_of(tile);
#pragma unroll
        for (int i = 0; i < 2; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int row = at.row + 64 * i + 8 * half;
                rows[i][half].write(at.y + (int64_t)row * at.columns, row < a.rows);
            }
        }
    }
};

#endif
