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

// Of all tokens: log-sum-exp in units of log 2, and delta, of y and of dy, which is in shared memory once its copies are there.
// Lanes have four values each, so that a warp reads whole sectors.
template <int DEPTH, int THREADS, int T>
__device__ __forceinline__ void find_numbers(float* numbers, const PairedDeltas& deltas, const bf16* dy,
                                             const HeadVectors<const bf16>& y, const float* lse) {
    constexpr int LANES = DEPTH / 4, STEP = THREADS / LANES; // of a token; tokens at once
    int d = (int)threadIdx.x % LANES * 4, first = (int)threadIdx.x / LANES;
    uint2 values[T / STEP];
#pragma unroll
    for (int n = 0; n < T / STEP; n++) {
        values[n] = d < y.depth ? *(const uint2*)(y.first + ((first + n * STEP) * y.stride + d)) : make_uint2(0, 0);
    }
    for (int token = (int)threadIdx.x; token < T; token += THREADS) numbers[token] = lse[token] * LOG2_E;
    wait_copies<0>();
    __syncthreads(); // the head is there
#pragma unroll
    for (int n = 0; n < T / STEP; n++) {
        int token = first + n * STEP;
        float4 a = four(dy + token * PITCH<bf16, DEPTH> + d), b = four(values[n]);
        float sum = fmaf(a.x, b.x, fmaf(a.y, b.y, fmaf(a.z, b.z, a.w * b.w)));
#pragma unroll
        for (int lanes = LANES / 2; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(~0u, sum, lanes);
        if (d == 0) deltas.put(token, sum);
    }
    __syncthreads(); // the numbers are there
}

// SETS: times 16 keys of a warp.
template <int DEPTH, int T, int SETS>
__device__ __forceinline__ void attention_backward_whole(const AttentionBackwardHeadArgs& a) {
    constexpr int TILE = T * PITCH<bf16, DEPTH>, KEYS = 16 * SETS, WARPS = T / KEYS, GROUPS = TOKENS / 16; // of queries, in a tile
    static_assert(WARPS <= GROUPS, "queries for every warp");
    DYNAMIC_SHARED(bf16, queries); // [T,PITCH], then keys, values and dy
    bf16 *keys = queries + TILE, *values = keys + TILE, *gradients = values + TILE;
    float* numbers = (float*)(gradients + TILE); // [T]: log-sum-exp
    PairedDeltas deltas {(float4*)(numbers + T)};
    bf16* slopes = (bf16*)(deltas.pairs + T / 2); // [T,SLOPE_ROW]: ds of 64 queries, by keys
    HeadPlace head(a, blockIdx.x);
    HeadVectors<bf16> dq_to = head.part((bf16*)a.dqkv, 0);
    int warp = (int)threadIdx.x / 32;
    float scale = a.scale * LOG2_E;

    load_head<DEPTH, 3, SETS / 2>(queries, head.part((const bf16*)a.qkv, 0), head.width);
    load_head<DEPTH, 1, SETS / 2>(gradients, head.vectors((const bf16*)a.dy), 0);
    commit_copies();
    find_numbers<DEPTH, 32 * WARPS, T>(numbers, deltas, gradients, head.vectors((const bf16*)a.y), head.numbers(a.lse));
    WarpKeys<DEPTH, SETS> own(keys, values, warp * KEYS);
    bf16* own_slopes = slopes + warp * KEYS * SLOPE_ROW;
#pragma unroll 1
    for (int from = 0; from < T; from += TOKENS) {
#pragma unroll(DEPTH > 16 || SETS > 2 ? 1 : 2)
        for (int i = 0; i < TOKENS; i += 16) {
            own.meet(queries + from * PITCH<bf16, DEPTH>, gradients + from * PITCH<bf16, DEPTH>, i, numbers + from + i,
                     deltas.from(from + i), scale, own_slopes, KEYS);
        }
        __syncthreads(); // ds of all warps is there
#pragma unroll
        for (int group = 0; group < GROUPS; group += WARPS) {
            int query = (group + warp) * 16;
            VectorSums<bf16, DEPTH> dq = {};
#pragma unroll
            for (int n = 0; n < T; n += 16) {
                add_slopes<DEPTH>(dq, slopes + n * SLOPE_ROW, query, RightTokens<DEPTH, true>(keys, n));
            }
            store_vectors<DEPTH>(dq, a.scale, a.scale, dq_to, from + query);
        }
        if (T > TOKENS) __syncthreads(); // nobody reads ds any more
    }
#pragma unroll
    for (int h = 0; h < SETS; h++) {
        store_vectors<DEPTH>(own.dk[h], a.scale, a.scale, head.part((bf16*)a.dqkv, 1), warp * KEYS + 16 * h);
        store_vectors<DEPTH>(own.dv[h], 1.0f, 1.0f, head.part((bf16*)a.dqkv, 2), warp * KEYS + 16 * h);
    }
}

#define WHOLE(tokens, depth, sets, blocks)                                                                               \
    KERNEL_RESIDENT(attention_backward_whole_##tokens##_bf16_mma_##depth, AttentionBackwardHeadArgs, tokens * 2 / sets, blocks) { \
        attention_backward_whole<depth, tokens, sets>(a);                                                                \
    }
WHOLE(64, 16, 2, 8)
WHOLE(64, 32, 2, 6)
WHOLE(128, 16, 2, 4)
WHOLE(256, 16, 4, 2)
