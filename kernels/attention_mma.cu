// attention_mma.cu: multi-head self-attention with exact softmax, forward, bf16 on tensor cores.
//
// Math         s_ij = q_i . k_j / sqrt D   lse_i = log sum_j exp(s_ij)   y_i = sum_j exp(s_ij - lse_i) v_j
// Shapes       qkv [N,T,3,heads,D]   y [N,T,heads,D]   lse [N,heads,T] f32, saved for backward
// Layout       D fastest
// Requires     D % 8 == 0 (rows are 16-byte aligned), D at most the number in the kernel's name
// Tiling       a block owns 64 queries of a head, a warp 16 of them, their scores and sums in registers. Keys and
//              values pass through two pairs of tiles of 64 tokens: while one is used the next is copied. 25 KiB at D
//              = 32, 85 KiB at D = 128, so that registers (4 to 6 blocks at D = 32) or shared memory (2 at D = 128) are
//              the limit
// Numerics     f32 sums on tensor cores; a running maximum whose rise rescales the sums; exp2f (2 ulp); weights rounded
//              to bf16 for the second product, not for their sum
// Determinism  run-to-run: fixed order, no atomics
// Cost         4 T^2 D flop per head; T/64 blocks of a head read its keys and values, from the second-level cache
// Reference    AttentionReference (double). Dao 2023, arXiv:2307.08691, algorithm 1
#include "attention_mma.cuh"

struct AttentionMmaArgs {
    const void* qkv; // [N,T,3,heads,D]
    void* y;         // [N,T,heads,D]
    float* lse;      // [N,heads,T]
    int tokens;
    int heads;
    int depth;   // D
    float scale; // 1 / sqrt D
};
LAYOUT(AttentionMmaArgs, qkv, y, lse, tokens, heads, depth, scale)

constexpr int STEPS = TOKENS / 16; // of 16 keys each, in a tile

// Rows g and g + 8 of a warp: the running maximum of their scores, unscaled, and the sum of exponentials.
struct RunningSoftmax {
    float max[2] = {-__int_as_float(0x7f800000), -__int_as_float(0x7f800000)};
    float sum[2] = {}; // over this lane's columns

    // From scores to weights, relative to the new maximum; factor[r] brings older sums to it.
    __device__ __forceinline__ void take(float (&s)[STEPS][2][4], float scale, float (&factor)[2]) {
        for (int r = 0; r < 2; r++) {
            float largest = max[r];
            for (int i = 0; i < STEPS * 2; i++) {
                largest = fmaxf(largest, fmaxf(s[i / 2][i % 2][2 * r], s[i / 2][i % 2][2 * r + 1]));
            }
            largest = quad_max(largest);
            factor[r] = exp2f((max[r] - largest) * scale);
            max[r] = largest;
            sum[r] *= factor[r];
            for (int i = 0; i < STEPS * 4; i++) {
                float& value = s[i / 4][i / 2 % 2][2 * r + i % 2];
                value = exp2f((value - largest) * scale);
                sum[r] += value;
            }
        }
    }
};

template <int DEPTH>
__device__ __forceinline__ void attention_mma(const AttentionMmaArgs& a) {
    DYNAMIC_SHARED(bf16, queries);             // [TILE]
    bf16* keys = queries + TILE<DEPTH>;        // [2,TILE]
    bf16* values = keys + 2 * TILE<DEPTH>;     // [2,TILE]
    int tiles = (a.tokens + TOKENS - 1) / TOKENS;
    int first = (int)(blockIdx.x % tiles) * TOKENS, head = (int)(blockIdx.x / tiles % a.heads);
    int64_t image = blockIdx.x / tiles / a.heads, width = (int64_t)a.heads * a.depth;
    const bf16* qkv = (const bf16*)a.qkv + image * a.tokens * 3 * width + head * a.depth;
    auto part = [&](int which) { return HeadVectors {qkv + which * width, 3 * width, a.tokens, a.depth}; };
    auto load = [&](int tile) {
        load_tile<DEPTH>(keys + tile % 2 * TILE<DEPTH>, part(1), tile * TOKENS);
        load_tile<DEPTH>(values + tile % 2 * TILE<DEPTH>, part(2), tile * TOKENS);
        commit_copies();
    };

    load_tile<DEPTH>(queries, part(0), first);
    load(0); // one group with the queries
    wait_copies<0>();
    __syncthreads(); // queries, first keys and values are there
    int row = (int)threadIdx.x / 32 * 16, lane = threadIdx.x % 32;
    LeftRows<DEPTH, true> left(queries, row);
    RunningSoftmax softmax;
    float sum[DEPTH / 8][4] = {}, scale = a.scale * LOG2_E;
    for (int tile = 0; tile < tiles; tile++) {
        if (tile + 1 < tiles) load(tile + 1);
        const bf16* k = keys + tile % 2 * TILE<DEPTH>;
        const bf16* v = values + tile % 2 * TILE<DEPTH>;
        float s[STEPS][2][4] = {};
        int count = a.tokens - tile * TOKENS; // keys of this tile
        for (int i = 0; i < STEPS; i++) {
            left.multiply(s[i], k, 16 * i);
            if (16 * i + 16 <= count) continue;
            for (int e = 0; e < 8; e++) {
                int column = 16 * i + e / 4 * 8 + lane % 4 * 2 + e % 2;
                if (column >= count) s[i][e / 4][e % 4] = -__int_as_float(0x7f800000);
            }
        }
        float factor[2];
        softmax.take(s, scale, factor);
        for (int i = 0; i < DEPTH / 8; i++) {
            for (int e = 0; e < 4; e++) sum[i][e] *= factor[e / 2];
        }
        for (int i = 0; i < STEPS; i++) add_weighted<DEPTH>(sum, s[i], v, 16 * i);
        wait_copies<0>();
        __syncthreads(); // the next tile is there, and nobody reads this one any more
    }
    float low = quad_sum(softmax.sum[0]), high = quad_sum(softmax.sum[1]);
    bf16* y = (bf16*)a.y + image * a.tokens * width + head * a.depth;
    store_rows<DEPTH>(sum, 1.0f / low, 1.0f / high, y, width, first + row, a.tokens, a.depth);
    float* lse = a.lse + (image * a.heads + head) * a.tokens;
    int query = first + row + lane / 4;
    if (lane % 4 == 0 && query < a.tokens) lse[query] = softmax.max[0] * a.scale + logf(low);
    if (lane % 4 == 0 && query + 8 < a.tokens) lse[query + 8] = softmax.max[1] * a.scale + logf(high);
}

KERNEL(attention_bf16_mma_16, AttentionMmaArgs, MMA_THREADS) { attention_mma<16>(a); }
KERNEL(attention_bf16_mma_32, AttentionMmaArgs, MMA_THREADS) { attention_mma<32>(a); }
KERNEL(attention_bf16_mma_64, AttentionMmaArgs, MMA_THREADS) { attention_mma<64>(a); }
KERNEL_RESIDENT(attention_bf16_mma_128, AttentionMmaArgs, MMA_THREADS, 2) { attention_mma<128>(a); }
