// attention_backward_whole.cu: gradient of multi-head self-attention, a block to a head that is in shared memory as a whole, in
// bf16 on tensor cores.
//
// Math         as attention_backward_head.cu
// Shapes       as attention_backward_head.cu
// Layout       D fastest
// Requires     T 256; D a multiple of 4, at most the number in the name; everything aligned to 16 bytes
// Tiling       a block of 256 threads; a warp has 32 keys and values, as in attention_backward_pairs.cu, and meets all queries,
//              16 at a time. ds of 64 queries goes through shared memory, where a warp takes it for 16 queries and half of the
//              keys; the sums of the other half wait there for it. Nothing passes, so no address is made twice, and there are
//              two barriers for 64 queries. 91 KiB, 2 blocks of 8 warps on a multiprocessor
// Numerics     as attention_backward_head.cu; products of dy and v begin with -delta; dq is the sum of two halves of the keys
// Determinism  run-to-run: every gradient is written by one block, in a fixed order; no atomics
// Cost         10 T^2 D flop and T^2 exponentials per head. For 512 keys and queries of a warp 99 instructions, and 128 cycles of
//              the unit for exponentials, which four warps share; a warp issues 2,700 in all, 35 % less for a head than in
//              attention_backward_pairs.cu. 2,048 heads: 48 us of instructions, 36 of exponentials at 1.75 GHz, 32 us for the
//              bytes. Not measured yet
// Reference    AttentionReference (double). Dao 2023, arXiv:2307.08691, algorithm 2
#include "attention_pairs.cuh"

constexpr int WHOLE_TOKENS = 256; // and threads

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

template <int DEPTH>
__device__ __forceinline__ void attention_backward_whole(const AttentionBackwardHeadArgs& a) {
    constexpr int TILE = WHOLE_TOKENS * PITCH<bf16, DEPTH>;
    DYNAMIC_SHARED(bf16, queries); // [256,PITCH], then keys, values and dy
    bf16 *keys = queries + TILE, *values = keys + TILE, *gradients = values + TILE;
    float* numbers = (float*)(gradients + TILE); // [256]: log-sum-exp
    PairedDeltas deltas {(float4*)(numbers + WHOLE_TOKENS)};
    bf16* slopes = (bf16*)(deltas.pairs + WHOLE_TOKENS / 2);        // [256,SLOPE_ROW]: ds of 64 queries, by keys
    float4* waiting = (float4*)(slopes + WHOLE_TOKENS * SLOPE_ROW); // [DEPTH / 8,128]: sums of dq
    HeadPlace head(a, blockIdx.x);
    HeadVectors<const bf16> dy = head.vectors((const bf16*)a.dy);
    int warp = (int)threadIdx.x / 32, query = warp % 4 * 16, half = warp / 4;
    float scale = a.scale * LOG2_E;

    load_head<DEPTH, 3>(queries, head.part((const bf16*)a.qkv, 0), head.width);
    load_head<DEPTH, 1>(gradients, dy, 0);
    commit_copies();
    find_numbers<DEPTH>(numbers, deltas, dy, head.vectors((const bf16*)a.y), head.numbers(a.lse));
    wait_copies<0>();
    __syncthreads(); // the head and its numbers are there
    PairOfKeys<DEPTH> own(keys, values, warp * 32);
    bf16* own_slopes = slopes + warp * 32 * SLOPE_ROW;
    slopes += half * WHOLE_TOKENS / 2 * SLOPE_ROW, keys += half * WHOLE_TOKENS / 2 * PITCH<bf16, DEPTH>;
    waiting += threadIdx.x % 128;
#pragma unroll 1
    for (int from = 0; from < WHOLE_TOKENS; from += TOKENS) {
#pragma unroll 2
        for (int i = 0; i < TOKENS; i += 16) {
            own.meet(queries + from * PITCH<bf16, DEPTH>, gradients + from * PITCH<bf16, DEPTH>, i, numbers + from + i,
                     deltas.from(from + i), scale, own_slopes, 32);
        }
        __syncthreads(); // ds of all warps is there
        VectorSums<bf16, DEPTH> dq = {};
#pragma unroll
        for (int n = 0; n < WHOLE_TOKENS / 2; n += 16) {
            add_slopes<DEPTH>(dq, slopes + n * SLOPE_ROW, query, RightTokens<DEPTH, true>(keys, n));
        }
        if (half == 1) leave_waiting(dq, waiting);
        __syncthreads(); // nobody reads ds any more, and what waits is there
        if (half == 1) continue;
        VectorSums<bf16, DEPTH> others;
        take_waiting(others, waiting);
#pragma unroll
        for (int n = 0; n < DEPTH / 2; n++) dq.sum[n / 4][n % 4] += others.sum[n / 4][n % 4];
        store_vectors<DEPTH>(dq, a.scale, a.scale, head.part((bf16*)a.dqkv, 0), from + query);
    }
    for (int h = 0; h < 2; h++) {
        store_vectors<DEPTH>(own.dk[h], a.scale, a.scale, head.part((bf16*)a.dqkv, 1), warp * 32 + 16 * h);
        store_vectors<DEPTH>(own.dv[h], 1.0f, 1.0f, head.part((bf16*)a.dqkv, 2), warp * 32 + 16 * h);
    }
}

KERNEL_RESIDENT(attention_backward_whole_bf16_mma_16, AttentionBackwardHeadArgs, WHOLE_TOKENS, 2) {
    attention_backward_whole<16>(a);
}
