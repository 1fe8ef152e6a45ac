// attention_backward_pairs.cu: gradient of multi-head self-attention, a block to a head of many tokens and short vectors,
// in bf16 on tensor cores.
//
// Math         as attention_backward_head.cu
// Shapes       as attention_backward_head.cu
// Layout       D fastest
// Requires     D a multiple of 4, at most the number in the name; dq of a head fits in shared memory
// Tiling       as attention_backward_head.cu, but a warp has 32 keys and values, a block 128: what is read of queries and dy
//              from shared memory, which is the limit of the other kernel, serves twice as many. Slopes lie where the
//              values were, which are in registers by then. T = 256: D = 16 54 KiB and 4 blocks on a multiprocessor, D = 32
//              82 KiB and 2
// Numerics     as attention_backward_head.cu; products of dy and v begin with -delta
// Determinism  run-to-run: every gradient is written by one block, in a fixed order; no atomics
// Cost         10 T^2 D flop and T^2 exponentials per head. For 512 keys and queries of a warp, D = 16, about 44 cycles of
//              shared memory, 8 of them for the keys that ds is multiplied with, where attention_backward_head.cu has 72,
//              and 64 of the unit for exponentials shared by four warps. Measured on an H200, T = 256, D = 16, 2,048 heads, with 3 blocks: 154 us, with
//              attention_backward_head.cu 162 (bench/NOTES.md, rounds 9 and 13)
// Reference    AttentionReference (double). Dao 2023, arXiv:2307.08691, algorithm 2
#include "attention_pairs.cuh"

constexpr int PAIR_KEYS = 128; // of a block

template <int DEPTH>
__device__ __forceinline__ void attention_backward_pairs(const AttentionBackwardHeadArgs& a) {
    using Passing = PassingTiles<bf16, DEPTH, 2, TOKENS>;
    static_assert(PITCH<bf16, DEPTH> <= SLOPE_ROW, "values in the place of slopes");
    int padded = (a.tokens + TOKENS - 1) / TOKENS * TOKENS;
    DYNAMIC_SHARED(bf16, keys);                              // [128,PITCH]
    bf16* values = keys + PAIR_KEYS * PITCH<bf16, DEPTH>;    // the same, until they are in registers
    bf16* slopes = values;                                   // [128,SLOPE_ROW]: ds of 64 queries, by keys
    float* numbers = (float*)(slopes + PAIR_KEYS * SLOPE_ROW); // [2,padded]
    bf16* room = (bf16*)(numbers + 2 * padded);              // [2,2,TILE]: queries and dy
    float4* waiting = (float4*)(room + 4 * Passing::TILE);   // [padded / 64,DEPTH / 8,threads] sums of dq, if T > 128
    HeadPlace head(a, blockIdx.x);
    const bf16* qkv = (const bf16*)a.qkv;
    HeadVectors<const bf16> dy = head.vectors((const bf16*)a.dy);
    HeadVectors<bf16> dqueries = head.part((bf16*)a.dqkv, 0);
    Passing passing {room, head.part(qkv, 0), dy};
    int warp = (int)threadIdx.x / 32;
    float scale = a.scale * LOG2_E;

    for (int first = 0; first < a.tokens; first += PAIR_KEYS) {
        __syncthreads(); // nobody reads the keys and slopes before any more
        load_tile<DEPTH, PAIR_KEYS>(keys, head.part(qkv, 1), first);
        load_tile<DEPTH, PAIR_KEYS>(values, head.part(qkv, 2), first);
        passing.begin(); // one group with keys and values
        if (first == 0) find_numbers<DEPTH>(numbers, padded, dy, head.vectors((const bf16*)a.y), head.numbers(a.lse));
        wait_copies<0>();
        __syncthreads(); // keys, values and numbers are there
        PairOfKeys<DEPTH> own(keys, values, warp * 32);
        bool last = first + PAIR_KEYS >= a.tokens;
        passing.each([&](int from, const bf16* queries, const bf16* gradients) { // behind a barrier: all have their values
#pragma unroll 1
            for (int i = 0; i < TOKENS; i += 16) {
                own.meet(queries, gradients, i, numbers + from + i, Deltas {numbers + padded + from + i}, scale,
                         slopes + warp * 32 * SLOPE_ROW, a.tokens - first - warp * 32);
            }
            __syncthreads(); // ds of all warps is there; the barrier of the next tile protects it
            VectorSums<bf16, DEPTH> dq = {};
            float4* at = waiting + from / TOKENS * (DEPTH / 8) * MMA_THREADS + threadIdx.x;
            if (first > 0) take_waiting(dq, at);
#pragma unroll
            for (int n = 0; n < PAIR_KEYS / 16; n++) {
                add_slopes<DEPTH, Vectors::WHOLE>(dq, slopes + 16 * n * SLOPE_ROW, warp * 16, RightTokens<DEPTH, true>(keys, 16 * n));
            }
            if (last) {
                dq.store(a.scale, a.scale, dqueries, from + warp * 16);
            } else {
                leave_waiting(dq, at);
            }
        });
        for (int h = 0; h < 2; h++) {
            own.dk[h].store(a.scale, a.scale, head.part((bf16*)a.dqkv, 1), first + warp * 32 + 16 * h);
            own.dv[h].store(1.0f, 1.0f, head.part((bf16*)a.dqkv, 2), first + warp * 32 + 16 * h);
        }
    }
}

KERNEL_RESIDENT(attention_backward_pairs_bf16_mma_16, AttentionBackwardHeadArgs, MMA_THREADS, 4) {
    attention_backward_pairs<16>(a);
}
KERNEL_RESIDENT(attention_backward_pairs_bf16_mma_32, AttentionBackwardHeadArgs, MMA_THREADS, 2) {
    attention_backward_pairs<32>(a);
}
