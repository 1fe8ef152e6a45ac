// attention_backward_whole.cu: gradient of multi-head self-attention, a block to a head that is in shared memory as a whole, in
// bf16 on tensor cores.
//
// Math         as attention_backward_head.cu
// Shapes       as attention_backward_head.cu
// Layout       D fastest
// Requires     T and D as in the name: T tokens, D a multiple of 4 and at most that; everything aligned to 16 bytes
// Tiling       a block of T threads; a warp has 32 keys and values, as in attention_backward_pairs.cu, and meets all queries,
//              16 at a time. ds of 64 queries goes through shared memory, where a warp takes it for 16 queries and all keys, of
//              256 half; the sums of the other half wait there for it. Nothing passes, so no address is made twice, and there
//              are two barriers for 64 queries. T = 256, D = 16: 91 KiB, 2 blocks of 8 warps on a multiprocessor; T = 64, D =
//              32: 30 KiB, 6 blocks of 2
// Numerics     as attention_backward_head.cu; products of dy and v begin with -delta; at T = 256 dq is the sum of two halves of
//              the keys
// Determinism  run-to-run: every gradient is written by one block, in a fixed order; no atomics
// Cost         10 T^2 D flop and T^2 exponentials per head. For 512 keys and queries of a warp, D = 16, 99 instructions, and 128
//              cycles of the unit for exponentials, which four warps share. By count, T = 256, D = 16, 2,048 heads: 2,800
//              instructions a warp, 50 us at 1.75 GHz (attention_backward_pairs.cu 75), 36 us of exponentials, 48 of shared
//              memory, 32 for the bytes; T = 64, D = 32: 7 us (attention_backward_head.cu 14), 16 for the bytes. Not measured
//              yet; the other two take 154 and 47 us
// Reference    AttentionReference (double). Dao 2023, arXiv:2307.08691, algorithm 2
#include "attention_pairs.cuh"

// -delta of all queries, each pair twice: the sums of a product begin with them, two in each of two rows.
struct PairedDeltas {
    float4* pairs; // [T / 2]

    __device__ __forceinline__ float4 less(int query) const { return pairs[query / 2]; }
    __device__ __forceinline__ PairedDeltas from(int query) const { return {pairs + query / 2}; }
    __device__ __forceinline__ void put(int query, float delta) const {
        float* at = (float*)(pairs + query / 2) + query % 2;
        at[0] = at[2] = -delta;
    }
};

// Those of a token for each thread, and its log-sum-exp in units of log 2.
template <int DEPTH>
__device__ __forceinline__ void find_numbers(float* numbers, const PairedDeltas& deltas, const HeadVectors<const bf16>& dy,
                                             const HeadVectors<const bf16>& y, const float* lse) {
    int at = (int)threadIdx.x * y.stride;
    float4 a[DEPTH / 4], b[DEPTH / 4];
#pragma unroll
    for (int n = 0; n < DEPTH / 4; n++) {
        a[n] = b[n] = make_float4(0, 0, 0, 0);
        if (4 * n < y.depth) a[n] = four(dy.first + (at + 4 * n)), b[n] = four(y.first + (at + 4 * n));
    }
    numbers[threadIdx.x] = lse[threadIdx.x] * LOG2_E;
    float sum = 0;
#pragma unroll
    for (int n = 0; n < DEPTH / 4; n++) {
        sum = fmaf(a[n].x, b[n].x, fmaf(a[n].y, b[n].y, fmaf(a[n].z, b[n].z, fmaf(a[n].w, b[n].w, sum))));
    }
    deltas.put(threadIdx.x, sum);
}

template <int DEPTH, int T>
__device__ __forceinline__ void attention_backward_whole(const AttentionBackwardHeadArgs& a) {
    constexpr int TILE = T * PITCH<bf16, DEPTH>, WARPS = T / 32, GROUPS = TOKENS / 16; // of queries, in a tile
    constexpr int HALVES = WARPS > GROUPS ? 2 : 1, KEYS = T / HALVES; // warps that share a group's queries, and their keys
    DYNAMIC_SHARED(bf16, queries); // [T,PITCH], then keys, values and dy
    bf16 *keys = queries + TILE, *values = keys + TILE, *gradients = values + TILE;
    float* numbers = (float*)(gradients + TILE); // [T]: log-sum-exp
    PairedDeltas deltas {(float4*)(numbers + T)};
    bf16* slopes = (bf16*)(deltas.pairs + T / 2);        // [T,SLOPE_ROW]: ds of 64 queries, by keys
    float4* waiting = (float4*)(slopes + T * SLOPE_ROW); // [DEPTH / 8,128]: sums of dq, if there are halves
    HeadPlace head(a, blockIdx.x);
    HeadVectors<const bf16> dy = head.vectors((const bf16*)a.dy);
    HeadVectors<bf16> dq_to = head.part((bf16*)a.dqkv, 0);
    int warp = (int)threadIdx.x / 32, half = warp / GROUPS;
    float scale = a.scale * LOG2_E;

    load_head<DEPTH, 3>(queries, head.part((const bf16*)a.qkv, 0), head.width);
    load_head<DEPTH, 1>(gradients, dy, 0);
    commit_copies();
    find_numbers<DEPTH>(numbers, deltas, dy, head.vectors((const bf16*)a.y), head.numbers(a.lse));
    wait_copies<0>();
    __syncthreads(); // the head and its numbers are there
    PairOfKeys<DEPTH> own(keys, values, warp * 32);
    bf16* own_slopes = slopes + warp * 32 * SLOPE_ROW;
    slopes += half * KEYS * SLOPE_ROW, keys += half * KEYS * PITCH<bf16, DEPTH>;
    waiting += threadIdx.x % 128;
#pragma unroll 1
    for (int from = 0; from < T; from += TOKENS) {
#pragma unroll(DEPTH > 16 ? 1 : 2)
        for (int i = 0; i < TOKENS; i += 16) {
            own.meet(queries + from * PITCH<bf16, DEPTH>, gradients + from * PITCH<bf16, DEPTH>, i, numbers + from + i,
                     deltas.from(from + i), scale, own_slopes, 32);
        }
        __syncthreads(); // ds of all warps is there
#pragma unroll
        for (int group = 0; group < GROUPS; group += WARPS) {
            int query = (group + warp % GROUPS) * 16;
            VectorSums<bf16, DEPTH> dq = {};
#pragma unroll
            for (int n = 0; n < KEYS; n += 16) {
                add_slopes<DEPTH>(dq, slopes + n * SLOPE_ROW, query, RightTokens<DEPTH, true>(keys, n));
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

#define WHOLE(tokens, depth, blocks)                                                                                       \
    KERNEL_RESIDENT(attention_backward_whole_##tokens##_bf16_mma_##depth, AttentionBackwardHeadArgs, tokens, blocks) { \
        attention_backward_whole<depth, tokens>(a);                                                                      \
    }
WHOLE(64, 16, 8)
WHOLE(64, 32, 6)
WHOLE(128, 16, 4)
WHOLE(256, 16, 2)
