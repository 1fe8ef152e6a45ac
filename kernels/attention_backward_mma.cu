// attention_backward_mma.cu: gradient of multi-head self-attention, bf16 on tensor cores.
//
// Math         p_ij = exp(q_i . k_j / sqrt D - lse_i)   delta_i = dy_i . y_i   ds_ij = p_ij (dy_i . v_j - delta_i)
//              dq_i = sum_j ds_ij k_j / sqrt D   dk_j = sum_i ds_ij q_i / sqrt D   dv_j = sum_i p_ij dy_i
// Shapes       qkv, dqkv [N,T,3,heads,D]   dy [N,T,heads,D]   lse, delta [N,heads,T] f32
// Layout       D fastest
// Requires     delta from attention_delta_bf16; D % 8 == 0, D at most the number in the kernel's name
// Tiling       _queries: a block owns 64 queries of a head, a warp 16 of them; keys and values pass through two pairs
//              of tiles. _keys: a block owns 64 keys and values; queries and dy pass, with 1 KiB of log-sum-exp and
//              delta. 30 KiB at D = 32 beside that; at D = 128 102 KiB would be more than sm_86 has, so there is one
//              pair of tiles, and the rows of the left factors are read again from shared memory: registers would spill
// Numerics     f32 sums on tensor cores; exp2f (2 ulp); p and ds rounded to bf16 for the second products
// Determinism  run-to-run: every gradient is written by one block, in a fixed order; no atomics
// Cost         14 T^2 D flop per head instead of 10: both kernels compute scores, which costs less than writing sums of
//              dq once per tile of keys
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

template <int DEPTH>
constexpr int STAGES = DEPTH <= 64 ? 2 : 1; // pairs of tiles that pass

template <int DEPTH>
constexpr bool KEPT = DEPTH <= 64;

constexpr int NUMBERS = 2 * TOKENS; // log-sum-exp and delta of the queries of a tile

// A block's head, its 64 tokens, and its tiles in shared memory.
template <int DEPTH>
struct MmaBlock {
    const AttentionBackwardMmaArgs& a;
    int tiles, first;
    int64_t width;
    const bf16 *qkv, *dy; // the head at token 0
    bf16* dqkv;
    const float *lse, *delta;

    __device__ __forceinline__ explicit MmaBlock(const AttentionBackwardMmaArgs& a) : a(a) {
        tiles = (a.tokens + TOKENS - 1) / TOKENS;
        first = (int)(blockIdx.x % tiles) * TOKENS;
        int head = (int)(blockIdx.x / tiles % a.heads);
        int64_t image = blockIdx.x / tiles / a.heads;
        width = (int64_t)a.heads * a.depth;
        qkv = (const bf16*)a.qkv + image * a.tokens * 3 * width + head * a.depth;
        dqkv = (bf16*)a.dqkv + image * a.tokens * 3 * width + head * a.depth;
        dy = (const bf16*)a.dy + image * a.tokens * width + head * a.depth;
        lse = a.lse + (image * a.heads + head) * a.tokens;
        delta = a.delta + (image * a.heads + head) * a.tokens;
    }

    // Queries (0), keys (1), values (2) or gradients of y (3).
    __device__ __forceinline__ HeadVectors vectors(int which) const {
        if (which == 3) return {dy, width, a.tokens, a.depth};
        return {qkv + which * width, 3 * width, a.tokens, a.depth};
    }

    __device__ __forceinline__ void store(int which, const float (&sum)[DEPTH / 8][4], float factor, int row) const {
        store_rows<DEPTH>(sum, factor, factor, dqkv + which * width, 3 * width, first + row, a.tokens, a.depth);
    }

    // Log-sum-exp in units of log 2; behind the last token, weights are zero.
    __device__ __forceinline__ float lse_of(int query) const {
        return query < a.tokens ? lse[query] * LOG2_E : __int_as_float(0x7f800000);
    }

    __device__ __forceinline__ float delta_of(int query) const { return query < a.tokens ? delta[query] : 0.0f; }

    // Log-sum-exp and delta of a tile's queries, by a thread each; zero behind the last token, where q and dy are zero.
    __device__ __forceinline__ void load_numbers(float* numbers, int tile) const {
        static_assert(MMA_THREADS == 2 * TOKENS, "a thread for each number");
        int query = tile * TOKENS + (int)threadIdx.x % TOKENS;
        const float* from = threadIdx.x < TOKENS ? lse : delta;
        bool valid = query < a.tokens;
        copy_async<4>(numbers + threadIdx.x, valid ? from + query : from, valid);
    }

    // visit(tile, x, y, numbers) for every tile x of vectors u and y of vectors v; numbers [lse, delta] of its tokens
    // if there is room for them.
    template <class F>
    __device__ __forceinline__ void each_tile(bf16* passing, int u, int v, float* room, F visit) const {
        constexpr int PAIR = 2 * TILE<DEPTH>;
        auto load = [&](int tile) {
            int stage = tile % STAGES<DEPTH>;
            bf16* pair = passing + stage * PAIR;
            load_tile<DEPTH>(pair, vectors(u), tile * TOKENS);
            load_tile<DEPTH>(pair + TILE<DEPTH>, vectors(v), tile * TOKENS);
            if (room != nullptr) load_numbers(room + stage * NUMBERS, tile);
            commit_copies();
        };
        if (STAGES<DEPTH> == 2) load(0);
        for (int tile = 0; tile < tiles; tile++) {
            __syncthreads(); // nobody reads the tiles that are loaded next any more
            if (STAGES<DEPTH> == 1) {
                load(tile);
                wait_copies<0>();
            } else if (tile + 1 < tiles) {
                load(tile + 1);
                wait_copies<1>();
            } else {
                wait_copies<0>();
            }
            __syncthreads(); // this tile is there
            int stage = tile % STAGES<DEPTH>;
            const bf16* pair = passing + stage * PAIR;
            visit(tile, pair, pair + TILE<DEPTH>, room + stage * NUMBERS);
        }
    }
};

template <int DEPTH>
__device__ __forceinline__ void attention_backward_queries(const AttentionBackwardMmaArgs& a) {
    DYNAMIC_SHARED(bf16, queries);             // [TILE]
    bf16* gradients = queries + TILE<DEPTH>;   // [TILE]
    bf16* passing = gradients + TILE<DEPTH>;   // [STAGES,2,TILE] keys and values
    MmaBlock<DEPTH> of(a);
    load_tile<DEPTH>(queries, of.vectors(0), of.first);
    load_tile<DEPTH>(gradients, of.vectors(3), of.first);
    commit_copies();
    wait_copies<0>();
    __syncthreads(); // queries and gradients are there
    int row = (int)threadIdx.x / 32 * 16, lane = threadIdx.x % 32;
    LeftRows<DEPTH, KEPT<DEPTH>> q(queries, row), dy(gradients, row);
    int query = of.first + row + lane / 4;
    float lse[2] = {of.lse_of(query), of.lse_of(query + 8)}, delta[2] = {of.delta_of(query), of.delta_of(query + 8)};
    float scale = a.scale * LOG2_E, sum[DEPTH / 8][4] = {};
    of.each_tile(passing, 1, 2, nullptr, [&](int tile, const bf16* keys, const bf16* values, const float*) {
        bool whole = (tile + 1) * TOKENS <= a.tokens; // behind the last token, a weight could be infinite
#pragma unroll(DEPTH <= 16 ? 2 : 1)
        for (int i = 0; i < TOKENS; i += 16) {
            float s[2][4] = {}, ds[2][4] = {};
            q.multiply(s, keys, i);
            dy.multiply(ds, values, i);
            for (int e = 0; e < 8; e++) {
                int r = e % 4 / 2, key = tile * TOKENS + i + e / 4 * 8 + lane % 4 * 2 + e % 2;
                float p = whole || key < a.tokens ? exp2f(s[e / 4][e % 4] * scale - lse[r]) : 0.0f;
                ds[e / 4][e % 4] = p * (ds[e / 4][e % 4] - delta[r]);
            }
            add_weighted<DEPTH>(sum, ds, keys, i);
        }
    });
    of.store(0, sum, a.scale, row);
}

template <int DEPTH>
__device__ __forceinline__ void attention_backward_keys(const AttentionBackwardMmaArgs& a) {
    DYNAMIC_SHARED(bf16, keys);            // [TILE]
    bf16* values = keys + TILE<DEPTH>;     // [TILE]
    bf16* passing = values + TILE<DEPTH>;  // [STAGES,2,TILE] queries and gradients of y
    float* numbers = (float*)(passing + STAGES<DEPTH> * 2 * TILE<DEPTH>); // [STAGES,NUMBERS]
    MmaBlock<DEPTH> of(a);
    load_tile<DEPTH>(keys, of.vectors(1), of.first);
    load_tile<DEPTH>(values, of.vectors(2), of.first);
    commit_copies();
    wait_copies<0>();
    __syncthreads(); // keys and values are there
    int row = (int)threadIdx.x / 32 * 16, lane = threadIdx.x % 32;
    LeftRows<DEPTH, KEPT<DEPTH>> k(keys, row), v(values, row);
    float scale = a.scale * LOG2_E, dk[DEPTH / 8][4] = {}, dv[DEPTH / 8][4] = {};
    of.each_tile(passing, 0, 3, numbers, [&](int, const bf16* queries, const bf16* gradients, const float* of_query) {
#pragma unroll(DEPTH <= 16 ? 2 : 1)
        for (int i = 0; i < TOKENS; i += 16) {
            float p[2][4] = {}, ds[2][4] = {};
            k.multiply(p, queries, i);
            v.multiply(ds, gradients, i);
            for (int c = 0; c < 4; c++) { // this lane's columns
                int query = i + c / 2 * 8 + lane % 4 * 2 + c % 2;
                float lse = of_query[query] * LOG2_E, delta = of_query[TOKENS + query];
                for (int e = c % 2; e < 4; e += 2) {
                    p[c / 2][e] = exp2f(p[c / 2][e] * scale - lse);
                    ds[c / 2][e] = p[c / 2][e] * (ds[c / 2][e] - delta);
                }
            }
            add_weighted<DEPTH>(dv, p, gradients, i);
            add_weighted<DEPTH>(dk, ds, queries, i);
        }
    });
    of.store(1, dk, a.scale, row);
    of.store(2, dv, 1.0f, row);
}

#define BACKWARD(DEPTH)                                                                          \
    KERNEL(attention_backward_queries_bf16_mma_##DEPTH, AttentionBackwardMmaArgs, MMA_THREADS) { \
        attention_backward_queries<DEPTH>(a);                                                    \
    }                                                                                            \
    KERNEL(attention_backward_keys_bf16_mma_##DEPTH, AttentionBackwardMmaArgs, MMA_THREADS) {    \
        attention_backward_keys<DEPTH>(a);                                                       \
    }
BACKWARD(16)
BACKWARD(32)
BACKWARD(64)
BACKWARD(128)
