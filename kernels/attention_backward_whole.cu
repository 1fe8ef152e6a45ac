// attention_backward_whole.cu: gradient of multi-head self-attention, a block to a head that is in shared memory as a whole, in
// bf16 on tensor cores.
//
// Math         as attention_backward_head.cu
// Shapes       as attention_backward_head.cu
// Layout       D fastest
// Requires     T and D as in the name: T tokens, D a multiple of 4 and at most that, of _8 as of _16 in rows for 16; everything
//              aligned to 16 bytes
// Tiling       a block of T threads; a warp has 32 keys and values, as in attention_backward_pairs.cu, and meets all queries,
//              16 at a time. ds of 64 queries goes through shared memory, where a warp takes it for 16 queries and all keys, of
//              256 half; the sums of the other half wait there for it. Nothing passes, so no address is made twice, and there
//              are two barriers for 64 queries. What about the next block on the multiprocessor reads comes to L2
//              meanwhile. T = 256, D = 16: 90 KiB, 2 blocks of 8 warps on a multiprocessor; T = 64, D = 32: 30 KiB, 6 blocks of
//              2; T = 256, D = 32: 134 KiB, one block
// Numerics     as attention_backward_head.cu; products of dy and v begin with -delta; at T = 256 dq is the sum of two halves of
//              the keys
// Determinism  run-to-run: every gradient is written by one block, in a fixed order; no atomics
// Cost         10 T^2 D flop and T^2 exponentials per head. T = 256, D = 16, 2,048 heads: 2,500 instructions a warp. By ncu on an
//              H200, with y read by a thread a token: 150 us, of which shared memory's pipe is busy for 71 %, the issue of
//              instructions for 29, exponentials for 24, products for 22, device memory for 17: warps wait for fragments,
//              each of which 8 warps read for themselves. With y in whole sectors and each delta once 134 us. 64 keys a warp
//              read a third less but are half as many warps: 145 us, and slower where D is 8. _8 reads half of a fragment and
//              multiplies half as much: 38 of 50 reads and writes of shared memory for 16 queries and 32 keys; not measured.
//              T = 64, D = 32: 39 us, 35 with y in whole sectors, 16 for the bytes
// Reference    AttentionReference (double). Dao 2023, arXiv:2307.08691, algorithm 2
#include "attention_pairs.cuh"

// numbers[t] = log-sum-exp in units of log 2, numbers[T + t] = -delta, of y and of dy, which is in shared memory once its copies
// are there. Lanes have four values each, so that a warp reads whole sectors.
template <int DEPTH, int T>
__device__ __forceinline__ void find_numbers(float* numbers, const bf16* dy, const HeadVectors<const bf16>& y, const float* lse) {
    constexpr int LANES = DEPTH / 4, STEP = T / LANES; // of a token; tokens at once
    int d = (int)threadIdx.x % LANES * 4, first = (int)threadIdx.x / LANES;
    uint2 values[T / STEP];
#pragma unroll
    for (int n = 0; n < T / STEP; n++) {
        values[n] = d < y.depth ? *(const uint2*)(y.first + ((first + n * STEP) * y.stride + d)) : make_uint2(0, 0);
    }
    numbers[threadIdx.x] = lse[threadIdx.x] * LOG2_E;
    wait_copies<0>();
    __syncthreads(); // the head is there
#pragma unroll
    for (int n = 0; n < T / STEP; n++) {
        int token = first + n * STEP;
        float4 a = four(dy + token * PITCH<bf16, DEPTH> + d), b = four(values[n]);
        float sum = fmaf(a.x, b.x, fmaf(a.y, b.y, fmaf(a.z, b.z, a.w * b.w)));
#pragma unroll
        for (int lanes = LANES / 2; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(~0u, sum, lanes);
        if (d == 0) numbers[T + token] = -sum;
    }
    __syncthreads(); // the numbers are there
}

template <int DEPTH, int T, Vectors ARE>
__device__ __forceinline__ void attention_backward_whole(const AttentionBackwardHeadArgs& a) {
    constexpr int TILE = T * PITCH<bf16, DEPTH>, WARPS = T / 32, GROUPS = TOKENS / 16; // of queries, in a tile
    constexpr int HALVES = WARPS > GROUPS ? 2 : 1, KEYS = T / HALVES; // warps that share a group's queries, and their keys
    DYNAMIC_SHARED(bf16, queries); // [T,PITCH], then keys, values and dy
    bf16 *keys = queries + TILE, *values = keys + TILE, *gradients = values + TILE;
    float* numbers = (float*)(gradients + TILE);         // [2,T]
    bf16* slopes = (bf16*)(numbers + 2 * T);             // [T,SLOPE_ROW]: ds of 64 queries, by keys
    float4* waiting = (float4*)(slopes + T * SLOPE_ROW); // [DEPTH / 8,128]: sums of dq, if there are halves
    HeadPlace head(a, gridDim.x - 1 - blockIdx.x); // from the last: norm_warps.cuh
    HeadVectors<bf16> dq_to = head.part((bf16*)a.dqkv, 0);
    int warp = (int)threadIdx.x / 32, half = warp / GROUPS;
    float scale = a.scale * LOG2_E;

    load_head<DEPTH, 3>(queries, head.part((const bf16*)a.qkv, 0), head.width);
    load_head<DEPTH, 1>(gradients, head.vectors((const bf16*)a.dy), 0);
    commit_copies();
    prefetch_head<3>(head, head.part((const bf16*)a.qkv, 0), head.width, a.ahead);
    prefetch_head<1>(head, head.vectors((const bf16*)a.y), 0, a.ahead);
    find_numbers<DEPTH, T>(numbers, gradients, head.vectors((const bf16*)a.y), head.numbers(a.lse));
    PairOfKeys<DEPTH, ARE> own(keys, values, warp * 32);
    bf16* own_slopes = slopes + warp * 32 * SLOPE_ROW;
    slopes += half * KEYS * SLOPE_ROW, keys += half * KEYS * PITCH<bf16, DEPTH>;
    waiting += threadIdx.x % 128;
#pragma unroll 1
    for (int from = 0; from < T; from += TOKENS) {
#pragma unroll(DEPTH > 16 ? 1 : 2)
        for (int i = 0; i < TOKENS; i += 16) {
            own.meet(queries + from * PITCH<bf16, DEPTH>, gradients + from * PITCH<bf16, DEPTH>, i, numbers + from + i,
                     Deltas {numbers + T + from + i}, scale, own_slopes, 32);
        }
        __syncthreads(); // ds of all warps is there
#pragma unroll
        for (int group = 0; group < GROUPS; group += WARPS) {
            int query = (group + warp % GROUPS) * 16;
            VectorSums<bf16, DEPTH> dq = {};
#pragma unroll
            for (int n = 0; n < KEYS; n += 16) {
                add_slopes<DEPTH, ARE>(dq, slopes + n * SLOPE_ROW, query, RightTokens<DEPTH, true, ARE>(keys, n));
            }
            if constexpr (HALVES == 2) {
                if (half == 1) leave_waiting(dq, waiting);
                __syncthreads(); // nobody reads ds any more, and what waits is there
                if (half == 1) continue;
                VectorSums<bf16, DEPTH> others;
                take_waiting(others, waiting);
#pragma unroll
                for (int n = 0; n < DEPTH / 2; n++) dq.sum[n / 4][n % 4] += others.sum[n / 4][n % 4];
            }
            store_vectors<DEPTH>(dq, a.scale, a.scale, dq_to, from + query);
        }
        if (HALVES == 1 && T > TOKENS) __syncthreads(); // nobody reads ds any more
    }
#pragma unroll
    for (int h = 0; h < 2; h++) {
        store_vectors<DEPTH>(own.dk[h], a.scale, a.scale, head.part((bf16*)a.dqkv, 1), warp * 32 + 16 * h);
        store_vectors<DEPTH>(own.dv[h], 1.0f, 1.0f, head.part((bf16*)a.dqkv, 2), warp * 32 + 16 * h);
    }
}

#define WHOLE(tokens, size, depth, are, blocks)                                                                           \
    KERNEL_RESIDENT(attention_backward_whole_##tokens##_bf16_mma_##size, AttentionBackwardHeadArgs, tokens, blocks) { \
        attention_backward_whole<depth, tokens, Vectors::are>(a);                                                       \
    }
WHOLE(64, 8, 16, HALF, 8)
WHOLE(64, 16, 16, WHOLE, 8)
WHOLE(64, 32, 32, WHOLE, 6)
WHOLE(128, 8, 16, HALF, 4)
WHOLE(128, 16, 16, WHOLE, 4)
WHOLE(256, 8, 16, HALF, 2)
WHOLE(256, 16, 16, WHOLE, 2)
WHOLE(256, 32, 32, WHOLE, 1) // 134 KiB, more than a block has before sm_90
