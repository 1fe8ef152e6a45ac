// linear_weight_sm90.cuh: weight gradients as products over rows, by the copy engine and the matrix instructions of sm_90:
// linear_backward_weight_sm90.cu and conv2d_strided_sm90.cu.
#pragma once
#include "tensor_copy.cuh"
#include "tile_store.cuh"
#include "wgmma_bf16.cuh"

struct LinearWeightSm90Args {
    TensorMap x;        // [rows,first]: boxes [64,32 or 64]
    TensorMap x2;       // [rows,channels-first]
    TensorMap gradient; // dy [rows,filters]: boxes [64,64]
    float* dw;          // [filters,channels]
    float* dbias;       // [filters] or null
    float* partial;     // [splits][dw, then dbias], or null if there is one split
    int rows;
    int first;
    int channels;
    int filters;
    int steps_per_split; // of 64 rows
    int stages;          // of the ring in shared memory
};
LAYOUT(LinearWeightSm90Args, x, x2, gradient, dw, dbias, partial, rows, first, channels, filters, steps_per_split, stages)

constexpr int LINEAR_WEIGHT_SM90_THREADS = 384, LINEAR_WEIGHT_SM90_STAGES = 8, LINEAR_WEIGHT_SM90_ROWS = 64;

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

struct LinearWeightSm90Shared {
    uint64_t loaded[LINEAR_WEIGHT_SM90_STAGES]; // barriers
    int step, slot;                             // of the thread that copies
    alignas(512) bf16 ones[256];                // 8 lines of 64 bytes: every value of an operand of ones
};
constexpr int LINEAR_WEIGHT_SM90_STATE = 1024;
static_assert(sizeof(LinearWeightSm90Shared) <= LINEAR_WEIGHT_SM90_STATE, "state");

// What comes of x: of one tensor, or of two side by side.
struct LinearColumns {
    using Args = LinearWeightSm90Args;

    __device__ __forceinline__ static void copy(unsigned char* stage, const Args& a, int channel, int row, uint64_t* barrier) {
        bool second = channel >= a.first;
        copy_box(stage, second ? a.x2 : a.x, second ? channel - a.first : channel, row, 0, barrier);
    }
};

// CHANNELS of a block, in boxes of LINE bytes a row. Source::copy brings a box.
template <int CHANNELS, int LINE = CHANNELS < 64 ? 64 : 128, class Source = LinearColumns>
struct LinearWeightSm90 {
    static constexpr int ROWS = LINEAR_WEIGHT_SM90_ROWS, GROUP_BYTES = ROWS * 128;
    static constexpr int BLOCK = ROWS * LINE, SUMS = CHANNELS / 2;
    using Gradient = ProductOperand<128, Fastest::OUTER>;
    using Channels = ProductOperand<LINE, Fastest::OUTER>;
    using Ones = ProductOperand<64, Fastest::DEPTH>;

    using Args = typename Source::Args;

    const Args& a;
    LinearWeightSm90Shared& shared;
    unsigned char* ring; // stages of dy, 64 filters behind one another, and x
    int filter, channel, first, end, groups, stage_bytes;

    __device__ __forceinline__ LinearWeightSm90(const Args& a, unsigned char* dynamic)
        : a(a), shared(*reinterpret_cast<LinearWeightSm90Shared*>(dynamic)), ring(dynamic + LINEAR_WEIGHT_SM90_STATE) {
        int across = a.channels / CHANNELS;
        groups = blockDim.x / 128;
        filter = (int)blockIdx.x / across * 64 * groups;
        channel = (int)blockIdx.x % across * CHANNELS;
        first = blockIdx.y * a.steps_per_split;
        end = min(first + a.steps_per_split, (a.rows + ROWS - 1) / ROWS);
        stage_bytes = groups * GROUP_BYTES + ROWS * CHANNELS * 2;
    }

    // One thread: the next rows of this block, if there are any. Filters beyond the last are zeros.
    __device__ __forceinline__ void load() {
        if (shared.step >= end) return;
        uint64_t* barrier = shared.loaded + shared.slot;
        unsigned char* stage = ring + shared.slot * stage_bytes;
        int row = shared.step * ROWS;
        expect_bulk(barrier, stage_bytes);
        for (int group = 0; group < groups; group++, stage += GROUP_BYTES) {
            copy_box(stage, a.gradient, filter + 64 * group, row, 0, barrier);
        }
        for (int block = 0; block < CHANNELS; block += LINE / 2, stage += BLOCK) Source::copy(stage, a, channel + block, row, barrier);
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        shared.step++;
    }

    // The products of one step; BIASED: and the sums of dy.
    template <bool BIASED>
    __device__ __forceinline__ void multiply(float (&sum)[SUMS], float (&bias)[4], const Gradient& left, const Channels& right,
                                             bool begun) const {
        Ones ones(shared.ones);
#pragma unroll
        for (int k = 0; k < ROWS / 16; k++) {
            int adds = begun || k > 0;
            wgmma_bf16<1, 1>(sum, left.at(k * 16 * 128), right.at(k * 16 * LINE), adds);
            if constexpr (BIASED) wgmma_bf16<1, 0>(bias, left.at(k * 16 * 128), ones.at(0), adds);
        }
    }

    __device__ __forceinline__ void run() {
        if (threadIdx.x < 128) reinterpret_cast<unsigned*>(shared.ones)[threadIdx.x] = 0x3f803f80u;
        fence_shared();
        if (threadIdx.x == 0) {
            for (int i = 0; i < a.stages; i++) init_bulk_barrier(shared.loaded + i);
            shared.step = first;
            shared.slot = 0;
            for (int i = 0; i < a.stages - 1; i++) load();
        }
        __syncthreads(); // the barriers of the copies and the ones are there
        int group = threadIdx.x / 128, slot = 0, parity = 0;
        bool biased = a.dbias != nullptr && channel == 0;
        float sum[SUMS], bias[4];
        for (int step = first; step < end; step++) {
            const unsigned char* stage = ring + slot * stage_bytes;
            wait_bulk(shared.loaded + slot, parity);
            Gradient left(stage + group * GROUP_BYTES);
            Channels right(stage + groups * GROUP_BYTES, 8 * LINE, BLOCK);
            fence_products();
            if (biased) {
                multiply<true>(sum, bias, left, right, step > first);
            } else {
                multiply<false>(sum, bias, left, right, step > first);
            }
            commit_products();
            wait_products<1>(sum); // those of the step before
            __syncthreads();       // nobody reads the stage before, which is loaded over
            if (threadIdx.x == 0) load();
            if (++slot == a.stages) slot = 0, parity ^= 1;
        }
        wait_products<0>(sum);
        wait_products<0>(bias);
        store(split_result(a.dw, a.dbias, a.partial, blockIdx.y, a.filters, a.channels), filter + 64 * group, sum, bias, biased);
    }

    __device__ __forceinline__ void store(const ProductResult<float>& to, int from, const float (&sum)[SUMS],
                                          const float (&bias)[4], bool biased) const {
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int k = from + threadIdx.x / 32 % 4 * 16 + 8 * half + lane / 4;
            if (k >= a.filters) continue;
#pragma unroll
            for (int j = 0; j < SUMS / 4; j++) {
                float* at = to.y + (int64_t)k * to.columns + channel + 8 * j + lane % 4 * 2;
                *reinterpret_cast<float2*>(at) = make_float2(sum[4 * j + 2 * half], sum[4 * j + 2 * half + 1]);
            }
            // All columns of the product with ones are equal.
            if (biased && lane % 4 == 0) to.row_sums[k] = bias[2 * half];
        }
    }
};

#endif
