// linear_sm90_rows.cu: linear layers of few channels, whose filters all stay in shared memory, by the copy engine and the
// matrix instructions of sm_90.
//
// Math         as linear_sm90 of linear_sm90.cu, without an addend
// Shapes       as linear_sm90.cu; <depth> values of a step, <columns> at a time
// Layout       as linear_sm90.cu
// Requires     as linear_sm90.cu; K at most 512; in shared memory, beside the filters, the steps of two tiles
// Tiling       256 rows and all columns, one <columns> after the other, from the same rows in shared memory: each value of x comes
//              once, where linear_sm90.cu reads it K / columns times, and filters come once a block. The next tiles' rows come
//              meanwhile. 64 or 32 sums a thread, two blocks on a multiprocessor, which hide each other's stores
// Numerics     as linear_sm90.cu
// Determinism  run-to-run: one block per tile, a fixed order, no atomics
// Cost         2*N*C*K flop; x is read once. N=131072, C=64, K=192: 3.2 GFLOP, 67 MB: 16 us at 4.3 TB/s. By linear_sm90.cu 34 us on
//              an H200, of which the gradient of the same bytes, which has all of its 64 columns at once, takes 23; this one is
//              not measured
// Reference    LinearReference (double); common/wgmma_bf16.cuh, common/tensor_copy.cuh
#include "linear_sm90.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

constexpr int LINEAR_ROWS_MOST_COLUMNS = 512;

struct LinearRowsShared {
    uint64_t loaded[LINEAR_SM90_STAGES]; // barriers
    uint64_t filters_loaded;
    int tile, step, slot; // of the thread that copies
    alignas(8) float bias[LINEAR_ROWS_MOST_COLUMNS];
};
constexpr int LINEAR_ROWS_STATE = 3072;
static_assert(sizeof(LinearRowsShared) <= LINEAR_ROWS_STATE, "state");

// LINE: bytes of the depth of a step, 64 or 128.
template <int LINE, int COLUMNS>
struct LinearRows {
    static constexpr int DEPTH = LINE / 2, SUMS = COLUMNS / 2;
    static constexpr int STAGE_BYTES = LINEAR_SM90_ROWS * LINE, FILTER_BYTES = COLUMNS * LINE;
    using Operand = ProductOperand<LINE, Fastest::DEPTH>;

    const LinearSm90Args& a;
    LinearRowsShared& shared;
    unsigned char* filters; // [steps,across] of FILTER_BYTES
    unsigned char* ring;
    int across, tiles, steps;

    __device__ __forceinline__ LinearRows(const LinearSm90Args& a, unsigned char* dynamic)
        : a(a), shared(*reinterpret_cast<LinearRowsShared*>(dynamic)), filters(dynamic + LINEAR_ROWS_STATE) {
        across = a.columns / COLUMNS;
        tiles = (a.rows + LINEAR_SM90_ROWS - 1) / LINEAR_SM90_ROWS;
        steps = a.depth / DEPTH;
        ring = filters + steps * across * FILTER_BYTES;
    }

    // One thread: the next step of all tiles of this block, if there is one.
    __device__ __forceinline__ void load() {
        if (shared.tile >= tiles) return;
        uint64_t* barrier = shared.loaded + shared.slot;
        int depth = shared.step * DEPTH;
        bool second = depth >= a.first;
        expect_bulk(barrier, STAGE_BYTES);
        copy_box(ring + shared.slot * STAGE_BYTES, second ? a.left2 : a.left, second ? depth - a.first : depth,
                 shared.tile * LINEAR_SM90_ROWS, 0, barrier);
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        if (++shared.step == steps) {
            shared.step = 0;
            shared.tile += (int)gridDim.x;
        }
    }

    __device__ __forceinline__ void start() {
        if (threadIdx.x == 0) {
            for (int i = 0; i < a.stages; i++) init_bulk_barrier(shared.loaded + i);
            init_bulk_barrier(&shared.filters_loaded);
            shared.tile = blockIdx.x;
            shared.step = shared.slot = 0;
            load();
            expect_bulk(&shared.filters_loaded, steps * across * FILTER_BYTES);
            for (int i = 0; i < steps * across; i++) {
                copy_box(filters + i * FILTER_BYTES, a.right, i / across * DEPTH, i % across * COLUMNS, 0, &shared.filters_loaded);
            }
            for (int i = 1; i < a.stages; i++) load();
        }
        for (int column = threadIdx.x; column < a.columns; column += LINEAR_SM90_THREADS) {
            shared.bias[column] = a.bias == nullptr ? 0.0f : a.bias[column];
        }
        __syncthreads(); // the barriers of the copies and the bias are there
        wait_bulk(&shared.filters_loaded, 0);
    }

    __device__ __forceinline__ void run() {
        start();
        int group = threadIdx.x / 128, slot = 0, parity = 0;
        for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
            int next = slot, next_parity = parity; // behind the tile
            for (int beside = 0; beside < across; beside++) {
                float sum[2][SUMS];
                next = slot, next_parity = parity;
                for (int step = 0; step < steps; step++) {
                    if (beside == 0) wait_bulk(shared.loaded + next, next_parity);
                    Operand left(ring + next * STAGE_BYTES + group * 128 * LINE);
                    Operand right(filters + (step * across + beside) * FILTER_BYTES);
                    fence_products();
#pragma unroll
                    for (int k = 0; k < DEPTH / 16; k++) {
#pragma unroll
                        for (int i = 0; i < 2; i++) {
                            wgmma_bf16<0, 0>(sum[i], left.at(i * 64 * LINE + 32 * k), right.at(32 * k), step > 0 || k > 0);
                        }
                    }
                    if (++next == a.stages) next = 0, next_parity ^= 1;
                }
                commit_products();
                wait_products<0>(sum[0]);
                wait_products<0>(sum[1]);
                if (beside == across - 1) {
                    __syncthreads(); // nobody reads the tile any more, which is loaded over
                    if (threadIdx.x == 0) {
                        for (int step = 0; step < steps; step++) load();
                    }
                }
                store(tile, beside * COLUMNS, sum);
            }
            slot = next, parity = next_parity;
        }
    }

    __device__ __forceinline__ void store(int tile, int column, const float (&sum)[2][SUMS]) const {
        int thread = threadIdx.x, first = tile * LINEAR_SM90_ROWS + thread / 32 * 16 + thread / 128 * 64 + thread % 32 / 4;
        RowAddend<COLUMNS> none;
#pragma unroll
        for (int i = 0; i < 2; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int row = first + 64 * i + 8 * half;
                bf16* to = (bf16*)a.y + ((int64_t)row * a.columns + column);
                store_row<COLUMNS>(to, sum[i], half, shared.bias + column, none, false, row < a.rows);
            }
        }
    }
};

template <int LINE, int COLUMNS>
__device__ __forceinline__ void linear_sm90_rows(const LinearSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    LinearRows<LINE, COLUMNS>(a, dynamic).run();
}

#define LINEAR_ROWS(name, depth, columns)                          \
    KERNEL_RESIDENT(name, LinearSm90Args, LINEAR_SM90_THREADS, 2) { \
        linear_sm90_rows<2 * depth, columns>(a);                   \
    }

#else

#define LINEAR_ROWS(name, depth, columns) \
    KERNEL_RESIDENT(name, LinearSm90Args, LINEAR_SM90_THREADS, 2) {}

#endif

LINEAR_ROWS(linear_sm90_rows_32x32, 32, 32)
LINEAR_ROWS(linear_sm90_rows_64x64, 64, 64)
