// attention_mma.cu: multi-head self-attention with exact softmax, forward, in bf16 and TF32 on tensor cores.
//
// Math         s_ij = q_i . k_j / sqrt D   lse_i = log sum_j exp(s_ij)   y_i = sum_j exp(s_ij - lse_i) v_j
// Shapes       qkv [N,T,3,heads,D]   y [N,T,heads,D]   lse [N,heads,T] f32, saved for backward
// Layout       D fastest
// Requires     rows of a head aligned to 16 bytes, up to D = 32 to 4 values; D at most the number in the kernel's name
// Tiling       a block owns 64 queries of a head, a warp 16 of them, their scores and sums in registers. Keys and
//              values pass through two pairs of tiles of 64 tokens, of 32 where vectors have 256 bytes or more: while
//              one is used the next is copied. bf16: 25 KiB at D = 32, 51 at 128; f32: 45 KiB at D = 32, 99 at 128,
//              which is what sm_86 has. Registers or shared memory admit 4 to 6 blocks at D = 32, 2 at D = 128
// Numerics     f32 sums on tensor cores; a running maximum whose rise rescales the sums; ex2.approx (2 ulp). TF32: q, k,
//              v rounded to 10 bits once, when they are in shared memory. Weights are rounded to bf16 or TF32 for the
//              second product, not for their sum
// Determinism  run-to-run: fixed order, no atomics
// Cost         4 T^2 D flop per head, T^2 exponentials, which are the limit below D = 64; T/64 blocks of a head read its
//              keys and values, from the second-level cache
// Reference    AttentionReference (double). Dao 2023, arXiv:2307.08691, algorithm 1
#include "attention_mma.cuh"

// Rows g and g + 8 of a warp: the running maximum of their scores, in units of log 2, and the sum of exponentials.
struct RunningSoftmax {
    float max[2] = {-__int_as_float(0x7f800000), -__int_as_float(0x7f800000)};
    float sum[2] = {}; // over this lane's columns

    // From scores to weights, relative to the new maximum; factor[r] brings older sums to it. The rounding of the
    // maximum is in all weights of a row and in its log-sum-exp.
    template <int STEPS>
    __device__ __forceinline__ void take(float (&s)[STEPS][2][4], float scale, float (&factor)[2]) {
        for (int r = 0; r < 2; r++) {
            float largest = s[0][0][2 * r];
            for (int i = 0; i < STEPS * 2; i++) {
                largest = fmaxf(largest, fmaxf(s[i / 2][i % 2][2 * r], s[i / 2][i % 2][2 * r + 1]));
            }
            largest = fmaxf(max[r], quad_max(largest) * scale);
            factor[r] = power_of_2(max[r] - largest);
            max[r] = largest;
            sum[r] *= factor[r];
            for (int i = 0; i < STEPS * 4; i++) {
                float& value = s[i / 4][i / 2 % 2][2 * r + i % 2];
                value = power_of_2(fmaf(value, scale, -largest));
                sum[r] += value;
            }
        }
    }
};

template <class T, int DEPTH>
__device__ __forceinline__ void attention_mma(const AttentionMmaArgs& a) {
    using Passing = PassingTiles<T, DEPTH, 2>;
    constexpr int STEPS = PASSING<T, DEPTH> / 16; // of 16 keys each, in a tile
    DYNAMIC_SHARED(T, queries);             // [OWN_TILE]
    T* room = queries + OWN_TILE<T, DEPTH>; // [2,2,TILE] keys and values
    int blocks = (a.tokens + TOKENS - 1) / TOKENS, first = (int)(blockIdx.x % blocks) * TOKENS;
    HeadPlace head(a, blockIdx.x / blocks);
    auto part = [&](int which) { return head.part((const T*)a.qkv, which); };

    load_tile<DEPTH, TOKENS>(queries, part(0), first);
    Passing passing {room, part(1), part(2)};
    passing.begin(); // one group with the queries
    wait_copies<0>();
    round_tile<DEPTH, TOKENS>(queries);
    __syncthreads(); // the queries are there
    int row = (int)threadIdx.x / 32 * 16, lane = threadIdx.x % 32;
    LeftRows<T, DEPTH, true> left(queries, row);
    RunningSoftmax softmax;
    VectorSums<T, DEPTH> y = {};
    float scale = a.scale * LOG2_E;
    passing.each([&](int from, const T* keys, const T* values) {
        float s[STEPS][2][4] = {};
        int count = a.tokens - from; // keys of this tile
        for (int i = 0; i < STEPS; i++) {
            left.multiply(s[i], keys, 16 * i);
            if (16 * i + 16 <= count) continue;
            for (int e = 0; e < 8; e++) {
                int column = 16 * i + e / 4 * 8 + lane % 4 * 2 + e % 2;
                if (column >= count) s[i][e / 4][e % 4] = -__int_as_float(0x7f800000);
            }
        }
        float factor[2];
        softmax.take(s, scale, factor);
        for (int i = 0; i < DEPTH / 8; i++) {
            for (int e = 0; e < 4; e++) y.sum[i][e] *= factor[e / 2];
        }
        for (int i = 0; i < STEPS; i++) y.add_weighted(s[i], values, 16 * i);
    });
    float low = quad_sum(softmax.sum[0]), high = quad_sum(softmax.sum[1]);
    y.store(1.0f / low, 1.0f / high, head.vectors((T*)a.y), first + row);
    float* lse = head.numbers(a.lse);
    int query = first + row + lane / 4;
    if (lane % 4 == 0 && query < a.tokens) lse[query] = softmax.max[0] * LN_2 + logf(low);
    if (lane % 4 == 0 && query + 8 < a.tokens) lse[query + 8] = softmax.max[1] * LN_2 + logf(high);
}

KERNEL(attention_bf16_mma_16, AttentionMmaArgs, MMA_THREADS) { attention_mma<bf16, 16>(a); }
KERNEL_ROOMY(attention_bf16_mma_32, AttentionMmaArgs, MMA_THREADS, 5) { attention_mma<bf16, 32>(a); }
KERNEL(attention_bf16_mma_64, AttentionMmaArgs, MMA_THREADS) { attention_mma<bf16, 64>(a); }
KERNEL_RESIDENT(attention_bf16_mma_128, AttentionMmaArgs, MMA_THREADS, 2) { attention_mma<bf16, 128>(a); }
KERNEL(attention_tf32_mma_16, AttentionMmaArgs, MMA_THREADS) { attention_mma<float, 16>(a); }
KERNEL(attention_tf32_mma_32, AttentionMmaArgs, MMA_THREADS) { attention_mma<float, 32>(a); }
KERNEL(attention_tf32_mma_64, AttentionMmaArgs, MMA_THREADS) { attention_mma<float, 64>(a); }
KERNEL_RESIDENT(attention_tf32_mma_128, AttentionMmaArgs, MMA_THREADS, 2) { attention_mma<float, 128>(a); }
