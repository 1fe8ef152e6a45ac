// linear_backward_sm90.cu: both gradients of a linear layer, with respect to what it read and to its weights and bias, by the copy
// engine and the matrix instructions of sm_90: each row of dy is read once for both.
//
// Math         linear_backward_sm90_<channels>  dx = dy w; dw = dy^T x; dbias the sums of dy
// Shapes       x, dx [N,C]   dy [N,K]   w [K,C] bf16; dw [K,C], dbias [K] f32; C is <channels>
// Layout       C and K fastest
// Requires     compute capability 9.0: on others the kernels are empty and must not be launched. K 64, 128 or 192; 16-byte
//              aligned; N fits in 31 bits
// Tiling       a block has all filters and channels and a range of 64 rows at a time; w stays in shared memory, rows of dy and x
//              run ahead in a ring. Each four warps own the dw of 64 filters, and in turn the dx of 64 rows. A line of dy
//              in shared memory is a row of the one product's left factor and of the other's transposed one
// Numerics     f32 sums in the order of the tensor cores: dx over the filters, dw over a block's rows, then over splits
// Determinism  run-to-run; splits depend on the shapes alone
// Cost         4*N*C*K flop; x and dy are read once, dx is written once, dw once per split. N=131072, C=64, K=192: 6.4 GFLOP,
//              84 MB: 20 us at 4.3 TB/s. NOT MEASURED; apart, linear_backward_data_sm90 and linear_backward_weight_sm90 take 23.4 and
//              25.2 us on an H200
// Reference    LinearReference (double); common/wgmma_bf16.cuh, common/tensor_copy.cuh
#include "tensor_copy.cuh"
#include "tile_store.cuh"
#include "wgmma_bf16.cuh"
#include "wgmma_store.cuh"

struct LinearBackwardSm90Args {
    TensorMap x;        // [rows,channels]: boxes [64,64]
    TensorMap gradient; // dy [rows,filters]: boxes [64,64]
    TensorMap w;        // [filters,channels]: boxes [64,64]
    void* dx;           // [rows,channels]
    float* dw;          // [filters,channels]
    float* dbias;       // [filters] or null
    float* partial;     // [splits][dw, then dbias], or null if there is one split
    int rows;
    int filters;
    int steps_per_split; // of 64 rows
    int stages;          // of the ring in shared memory
};
LAYOUT(LinearBackwardSm90Args, x, gradient, w, dx, dw, dbias, partial, rows, filters, steps_per_split, stages)

constexpr int LINEAR_BACKWARD_THREADS = 384, LINEAR_BACKWARD_STAGES = 8;

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

struct LinearBackwardSm90Shared {
    uint64_t loaded[LINEAR_BACKWARD_STAGES]; // barriers
    uint64_t filters_loaded;
    int step, slot;              // of the thread that copies
    alignas(512) bf16 ones[256]; // 8 lines of 64 bytes: every value of an operand of ones
};
constexpr int LINEAR_BACKWARD_STATE = 1024;
static_assert(sizeof(LinearBackwardSm90Shared) <= LINEAR_BACKWARD_STATE, "state");

template <int CHANNELS>
struct LinearBackwardSm90 {
    static constexpr int ROWS = 64, LINE = 128, BOX = ROWS * LINE, SUMS = CHANNELS / 2, BLOCKS = CHANNELS / 64;
    using Gradient = ProductOperand<LINE, Fastest::DEPTH>;  // of dx: rows of dy
    using Transposed = ProductOperand<LINE, Fastest::OUTER>; // of dw: filters of dy, and channels of x; of dx: channels of w
    using Ones = ProductOperand<64, Fastest::DEPTH>;

    const LinearBackwardSm90Args& a;
    LinearBackwardSm90Shared& shared;
    unsigned char *filters, *ring; // boxes of w, 64 channels one behind the other; stages of dy, 64 filters, and x
    int first, end, groups, stage_bytes;

    __device__ __forceinline__ LinearBackwardSm90(const LinearBackwardSm90Args& a, unsigned char* dynamic)
        : a(a), shared(*reinterpret_cast<LinearBackwardSm90Shared*>(dynamic)), filters(dynamic + LINEAR_BACKWARD_STATE) {
        groups = blockDim.x / 128;
        ring = filters + groups * BLOCKS * BOX;
        stage_bytes = (groups + BLOCKS) * BOX;
        first = blockIdx.x * a.steps_per_split;
        end = min(first + a.steps_per_split, (a.rows + ROWS - 1) / ROWS);
    }

    // One thread: the next rows of this block, if there are any. Rows beyond the last are zeros.
    __device__ __forceinline__ void load() {
        if (shared.step >= end) return;
        uint64_t* barrier = shared.loaded + shared.slot;
        unsigned char* stage = ring + shared.slot * stage_bytes;
        int row = shared.step * ROWS;
        expect_bulk(barrier, stage_bytes);
        for (int i = 0; i < groups; i++, stage += BOX) copy_box(stage, a.gradient, 64 * i, row, 0, barrier);
        for (int i = 0; i < BLOCKS; i++, stage += BOX) copy_box(stage, a.x, 64 * i, row, 0, barrier);
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        shared.step++;
    }

    __device__ __forceinline__ void load_filters() {
        expect_bulk(&shared.filters_loaded, groups * BLOCKS * BOX);
        for (int block = 0; block < BLOCKS; block++) {
            for (int i = 0; i < groups; i++) {
                copy_box(filters + (block * groups + i) * BOX, a.w, 64 * block, 64 * i, 0, &shared.filters_loaded);
            }
        }
    }

    __device__ __forceinline__ void run() {
        if (threadIdx.x < 128) reinterpret_cast<unsigned*>(shared.ones)[threadIdx.x] = 0x3f803f80u;
        fence_shared();
        if (threadIdx.x == 0) {
            for (int i = 0; i < a.stages; i++) init_bulk_barrier(shared.loaded + i);
            init_bulk_barrier(&shared.filters_loaded);
            shared.step = first;
            shared.slot = 0;
            load_filters();
            for (int i = 0; i < a.stages - 1; i++) load();
        }
        __syncthreads(); // the barriers of the copies and the ones are there
        int group = same_in_warp(threadIdx.x / 128), slot = 0, parity = 0, turn = 0;
        float sum[SUMS], bias[4], dx[SUMS];
        Ones ones(shared.ones);
        Transposed weights(filters, 8 * LINE, groups * BOX);
        wait_bulk(&shared.filters_loaded, 0);
        for (int step = first; step < end; step++) {
            const unsigned char* stage = ring + slot * stage_bytes;
            wait_bulk(shared.loaded + slot, parity);
            Transposed left(stage + group * BOX);
            Transposed right(stage + groups * BOX, 8 * LINE, BOX);
            bool mine = turn == group;
            fence_products();
#pragma unroll
            for (int k = 0; k < ROWS / 16; k++) {
                int adds = step > first || k > 0;
                wgmma_bf16<1, 1>(sum, left.at(k * 16 * LINE), right.at(k * 16 * LINE), adds);
                wgmma_bf16<1, 0>(bias, left.at(k * 16 * LINE), ones.at(0), adds);
            }
            if (mine) {
                Gradient rows(stage);
#pragma unroll 1
                for (int of = 0; of < groups; of++) {
                    fence_products();
#pragma unroll
                    for (int k = 0; k < 4; k++) {
                        wgmma_bf16<0, 1>(dx, rows.at(of * BOX + 32 * k), weights.at((of * 64 + 16 * k) * LINE), of > 0 || k > 0);
                    }
                }
            }
            commit_products();
            wait_products<0>(sum);
            wait_products<0>(bias);
            if (mine) {
                wait_products<0>(dx);
                store_rows(step * ROWS, dx);
            }
            if (++turn == groups) turn = 0;
            __syncthreads(); // nobody reads the stage any more
            if (threadIdx.x == 0) load();
            if (++slot == a.stages) slot = 0, parity ^= 1;
        }
        store(split_result(a.dw, a.dbias, a.partial, blockIdx.x, a.filters, CHANNELS), 64 * group, sum, bias);
    }

    __device__ __forceinline__ void store_rows(int row, const float (&dx)[SUMS]) const {
        const RowAddend<CHANNELS> none = {};
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int at = row + (int)threadIdx.x / 32 % 4 * 16 + 8 * half + (int)threadIdx.x % 32 / 4;
            store_row<CHANNELS>((bf16*)a.dx + (int64_t)at * CHANNELS, dx, half, nullptr, none, false, at < a.rows);
        }
    }

    __device__ __forceinline__ void store(const ProductResult<float>& to, int from, const float (&sum)[SUMS],
                                          const float (&bias)[4]) const {
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int k = from + (int)threadIdx.x / 32 % 4 * 16 + 8 * half + lane / 4;
#pragma unroll
            for (int j = 0; j < SUMS / 4; j++) {
                float* at = to.y + (int64_t)k * to.columns + 8 * j + lane % 4 * 2;
                *reinterpret_cast<float2*>(at) = make_float2(sum[4 * j + 2 * half], sum[4 * j + 2 * half + 1]);
            }
            // All columns of the product with ones are equal.
            if (a.dbias != nullptr && lane % 4 == 0) to.row_sums[k] = bias[2 * half];
        }
    }
};

template <int CHANNELS>
__device__ __forceinline__ void linear_backward_sm90(const LinearBackwardSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    LinearBackwardSm90<CHANNELS>(a, dynamic).run();
}

#define LINEAR_BACKWARD_SM90(channels)                                                                         \
    KERNEL_RESIDENT(linear_backward_sm90_##channels, LinearBackwardSm90Args, LINEAR_BACKWARD_THREADS, 1) {     \
        linear_backward_sm90<channels>(a);                                                                     \
    }

#else

#define LINEAR_BACKWARD_SM90(channels) \
    KERNEL_RESIDENT(linear_backward_sm90_##channels, LinearBackwardSm90Args, LINEAR_BACKWARD_THREADS, 1) {}

#endif

LINEAR_BACKWARD_SM90(64)
LINEAR_BACKWARD_SM90(128)
