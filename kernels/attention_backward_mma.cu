// attention_backward_mma.cu: gradient of multi-head self-attention of many tokens, in bf16 and TF32 on tensor cores.
//
// Math         p_ij = exp(q_i . k_j / sqrt D - lse_i)   delta_i = dy_i . y_i   ds_ij = p_ij (dy_i . v_j - delta_i)
//              dq_i = sum_j ds_ij k_j / sqrt D   dk_j = sum_i ds_ij q_i / sqrt D   dv_j = sum_i p_ij dy_i
// Shapes       qkv, dqkv [N,T,3,heads,D]   dy [N,T,heads,D]   lse, delta [N,heads,T] f32
// Layout       D fastest
// Requires     delta from attention_delta_*; D as in attention_mma.cu
// Tiling       _queries: a block owns 64 queries of a head, a warp 16 of them; keys and values pass through two pairs
//              of tiles. _keys: a block owns 64 keys and values; queries and dy pass, with log-sum-exp and delta. Tiles
//              have 64 tokens, 32 where vectors have 256 bytes or more, which makes 30 KiB in bf16 at D = 32. Vectors of
//              512 bytes pass through one pair of tiles: 99 KiB, which is what sm_86 has. At D = 128 the rows of the
//              left factors are read again from shared memory: registers would spill
// Numerics     f32 sums on tensor cores; ex2.approx (2 ulp); p and ds rounded to bf16 or TF32 for the second products
// Determinism  run-to-run: every gradient is written by one block, in a fixed order; no atomics
// Cost         14 T^2 D flop per head instead of 10, and 2 T^2 exponentials instead of one: both kernels compute scores,
//              and share nothing. attention_backward_head.cu does without where a head's dq fits in shared memory
// Reference    AttentionReference (double). Dao 2023, arXiv:2307.08691, algorithm 2
#include "attention_mma.cuh"

struct AttentionBackwardMmaArgs {
    const void* dy;     // [N,T,heads,D]
    const void* qkv;    // [N,T,3,heads,D]
    const float* lse;   // [N,heads,T]
    const float* delta; // [N,heads,T]
    void* dqkv;         // [N,T,3,heads,D]
    int tokens;
    int heads;
    int depth;   // D
    float scale; // 1 / sqrt D
};
LAYOUT(AttentionBackwardMmaArgs, dy, qkv, lse, delta, dqkv, tokens, heads, depth, scale)

template <class T, int DEPTH>
using Passing = PassingTiles<T, DEPTH, DEPTH * sizeof(T) <= 256 ? 2 : 1>;

template <class T, int DEPTH>
using Rows = LeftRows<T, DEPTH, DEPTH <= 64>;

template <class T, int DEPTH>
__device__ __forceinline__ void attention_backward_queries(const AttentionBackwardMmaArgs& a) {
    DYNAMIC_SHARED(T, queries);                   // [OWN_TILE]
    T* gradients = queries + OWN_TILE<T, DEPTH>;  // [OWN_TILE]
    T* room = gradients + OWN_TILE<T, DEPTH>;     // [1 or 2,2,TILE] keys and values
    int blocks = (a.tokens + TOKENS - 1) / TOKENS, first = (int)(blockIdx.x % blocks) * TOKENS;
    HeadPlace head(a, blockIdx.x / blocks);
    Passing<T, DEPTH> passing {room, head.part((const T*)a.qkv, 1), head.part((const T*)a.qkv, 2)};
    load_tile<DEPTH, TOKENS>(queries, head.part((const T*)a.qkv, 0), first);
    load_tile<DEPTH, TOKENS>(gradients, head.vectors((const T*)a.dy), first);
    commit_copies();
    passing.begin();
    wait_copies<0>();
    round_tile<DEPTH, TOKENS>(queries);
    round_tile<DEPTH, TOKENS>(gradients);
    __syncthreads(); // queries and gradients are there
    int row = (int)threadIdx.x / 32 * 16, lane = threadIdx.x % 32;
    Rows<T, DEPTH> q(queries, row), dy(gradients, row);
    float lse[2], delta[2], scale = a.scale * LOG2_E; // of rows g and g + 8
    for (int r = 0; r < 2; r++) {
        int query = first + row + lane / 4 + 8 * r;
        bool valid = query < a.tokens; // behind the last token, weights are zero
        lse[r] = valid ? head.numbers(a.lse)[query] * LOG2_E : __int_as_float(0x7f800000);
        delta[r] = valid ? head.numbers(a.delta)[query] : 0.0f;
    }
    VectorSums<T, DEPTH> dq = {};
    passing.each([&](int from, const T* keys, const T* values) {
        bool whole = from + PASSING<T, DEPTH> <= a.tokens;
#pragma unroll(DEPTH <= 16 ? 2 : 1)
        for (int i = 0; i < PASSING<T, DEPTH>; i += 16) {
            float s[2][4] = {}, ds[2][4] = {};
            q.multiply(s, keys, i);
            dy.multiply(ds, values, i);
            for (int e = 0; e < 8; e++) {
                int r = e % 4 / 2, key = from + i + e / 4 * 8 + lane % 4 * 2 + e % 2;
                float p = whole || key < a.tokens ? power_of_2(fmaf(s[e / 4][e % 4], scale, -lse[r])) : 0.0f;
                ds[e / 4][e % 4] = p * (ds[e / 4][e % 4] - delta[r]);
            }
            dq.add_weighted(ds, keys, i);
        }
    });
    dq.store(a.scale, a.scale, head.part((T*)a.dqkv, 0), first + row);
}

template <class T, int DEPTH>
__device__ __forceinline__ void attention_backward_keys(const AttentionBackwardMmaArgs& a) {
    DYNAMIC_SHARED(T, keys);                 // [OWN_TILE]
    T* values = keys + OWN_TILE<T, DEPTH>;   // [OWN_TILE]
    T* room = values + OWN_TILE<T, DEPTH>;   // [1 or 2,2,TILE] queries and gradients of y
    int blocks = (a.tokens + TOKENS - 1) / TOKENS, first = (int)(blockIdx.x % blocks) * TOKENS;
    HeadPlace head(a, blockIdx.x / blocks);
    Passing<T, DEPTH> passing {room, head.part((const T*)a.qkv, 0), head.vectors((const T*)a.dy), head.numbers(a.lse),
                               head.numbers(a.delta)};
    load_tile<DEPTH, TOKENS>(keys, head.part((const T*)a.qkv, 1), first);
    load_tile<DEPTH, TOKENS>(values, head.part((const T*)a.qkv, 2), first);
    commit_copies();
    passing.begin();
    wait_copies<0>();
    round_tile<DEPTH, TOKENS>(keys);
    round_tile<DEPTH, TOKENS>(values);
    __syncthreads(); // keys and values are there
    int row = (int)threadIdx.x / 32 * 16, lane = threadIdx.x % 32;
    Rows<T, DEPTH> k(keys, row), v(values, row);
    float scale = a.scale * LOG2_E;
    VectorSums<T, DEPTH> dk = {}, dv = {};
    passing.each([&](int, const T* queries, const T* gradients) {
#pragma unroll(DEPTH <= 16 ? 2 : 1)
        for (int i = 0; i < PASSING<T, DEPTH>; i += 16) {
            float p[2][4] = {}, ds[2][4] = {};
            k.multiply(p, queries, i);
            v.multiply(ds, gradients, i);
            for (int c = 0; c < 4; c++) { // this lane's columns
                int query = i + c / 2 * 8 + lane % 4 * 2 + c % 2;
                float lse = passing.number(queries, query, 0) * LOG2_E, delta = passing.number(queries, query, 1);
                for (int e = c % 2; e < 4; e += 2) {
                    p[c / 2][e] = power_of_2(fmaf(p[c / 2][e], scale, -lse));
                    ds[c / 2][e] = p[c / 2][e] * (ds[c / 2][e] - delta);
                }
            }
            dv.add_weighted(p, gradients, i);
            dk.add_weighted(ds, queries, i);
        }
    });
    dk.store(a.scale, a.scale, head.part((T*)a.dqkv, 1), first + row);
    dv.store(1.0f, 1.0f, head.part((T*)a.dqkv, 2), first + row);
}

#define BACKWARD(side, name, T, DEPTH, blocks)                                                                         \
    KERNEL_RESIDENT(attention_backward_##side##_##name##_mma_##DEPTH, AttentionBackwardMmaArgs, MMA_THREADS, blocks) { \
        attention_backward_##side<T, DEPTH>(a);                                                                        \
    }
BACKWARD(queries, bf16, bf16, 16, 5)
BACKWARD(queries, bf16, bf16, 32, 5)
BACKWARD(queries, bf16, bf16, 64, 4)
BACKWARD(queries, bf16, bf16, 128, 3)
BACKWARD(queries, tf32, float, 16, 4)
BACKWARD(queries, tf32, float, 32, 4)
BACKWARD(queries, tf32, float, 64, 3)
BACKWARD(queries, tf32, float, 128, 2)
BACKWARD(keys, bf16, bf16, 16, 4)
BACKWARD(keys, bf16, bf16, 32, 4)
BACKWARD(keys, bf16, bf16, 64, 3)
BACKWARD(keys, bf16, bf16, 128, 2)
BACKWARD(keys, tf32, float, 16, 4)
BACKWARD(keys, tf32, float, 32, 3)
BACKWARD(keys, tf32, float, 64, 2)
BACKWARD(keys, tf32, float, 128, 2)
