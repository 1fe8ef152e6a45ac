// attention_backward_head.cu: gradient of multi-head self-attention, a block to a head, in bf16 and TF32 on tensor cores.
//
// Math         p_ij = exp(q_i . k_j / sqrt D - lse_i)   delta_i = dy_i . y_i   ds_ij = p_ij (dy_i . v_j - delta_i)
//              dq_i = sum_j ds_ij k_j / sqrt D   dk_j = sum_i ds_ij q_i / sqrt D   dv_j = sum_i p_ij dy_i
// Shapes       qkv, dqkv [N,T,3,heads,D]   y, dy [N,T,heads,D]   lse [N,heads,T] f32
// Layout       D fastest
// Requires     D as in attention_mma.cu; dq of a head fits in shared memory
// Tiling       a block owns a head. For 64 keys and values after another, a warp 16 of them, queries and dy pass in tiles
//              of 64; ds of two tiles goes through shared memory, where a warp takes it for 16 queries and all 64 keys.
//              Sums of dq wait in shared memory for the next keys, where there are more than 64. T = 64, D = 32: 30 KiB
//              in bf16, 55 in f32. T = 256, D = 16: 45 and 65 KiB. Registers admit 4 blocks at D <= 32
// Numerics     f32 sums on tensor cores; ex2.approx (2 ulp); p and ds rounded to bf16 or TF32 for the second products;
//              delta from y and dy as they are, in f32. ds of keys that a tile misses is set to 0: their 2^-lse may
//              be infinite
// Determinism  run-to-run: every gradient is written by one block, in a fixed order; no atomics
// Cost         10 T^2 D flop and T^2 exponentials per head. Below D = 64 instructions are the limit: about 10 for an
//              element of the scores and lane, 8 cycles of the unit for exponentials among them
// Reference    AttentionReference (double). Dao 2023, arXiv:2307.08691, algorithm 2
#include "attention_head.cuh"

// ds of 64 queries and 64 keys, written by keys and read by queries. bf16 [key,query], ldmatrix transposes. TF32
// [query,key]: of 8 keys first the even ones, as VectorSums wants them.
template <class T>
struct Slopes {
    static constexpr int ROW = TOKENS + CHUNK<T>, SIZE = TOKENS * ROW;
    T* room; // [64,ROW]

    // Of this warp's 16 keys and the 16 queries from `query` on.
    __device__ __forceinline__ void put(const float (&ds)[2][4], int query) const {
        int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4, keys = (int)threadIdx.x / 32 * 16;
        for (int c = 0; c < 2; c++) {
            int column = query + 8 * c + 2 * t;
            for (int r = 0; r < 2; r++) {
                if constexpr (sizeof(T) == 2) {
                    *(unsigned*)(room + (keys + 8 * r + g) * ROW + column) = pack_bf16(ds[c][2 * r], ds[c][2 * r + 1]);
                } else {
                    T* at = room + column * ROW + keys + 8 * r + g / 2 + g % 2 * 4;
                    at[0] = __uint_as_float(tf32_bits(ds[c][2 * r]));
                    at[ROW] = __uint_as_float(tf32_bits(ds[c][2 * r + 1]));
                }
            }
        }
    }

    // sums += ds of this warp's 16 queries and all keys, times the keys.
    template <int DEPTH>
    __device__ __forceinline__ void multiply(VectorSums<T, DEPTH>& sums, const T* keys) const {
        int lane = threadIdx.x % 32, queries = (int)threadIdx.x / 32 * 16;
#pragma unroll
        for (int key = 0; key < TOKENS; key += 16) {
            if constexpr (sizeof(T) == 2) {
                unsigned a[4];
                load_matrix<4, true>(a, room + (key + lane / 16 * 8 + lane % 8) * ROW + queries + lane / 8 % 2 * 8);
                sums.add(a, keys, key);
            } else {
                unsigned a[2][4];
                for (int h = 0; h < 2; h++) {
                    int row = queries + lane / 8 % 2 * 8 + lane % 8;
                    load_matrix(a[h], room + row * ROW + key + 8 * h + lane / 16 * 4);
                }
                sums.add(a, keys, key);
            }
        }
    }
};

template <class T, int DEPTH>
__device__ __forceinline__ void attention_backward_head(const AttentionBackwardHeadArgs& a) {
    // One pair of tiles where two would not fit beside a head of T = 256. A warp for 16 queries of a tile.
    constexpr int STAGES = sizeof(T) == 4 && DEPTH >= 32 ? 1 : 2;
    using Passing = PassingTiles<T, DEPTH, STAGES, TOKENS>;
    constexpr bool KEPT = DEPTH <= 64;
    int padded = (a.tokens + TOKENS - 1) / TOKENS * TOKENS;
    DYNAMIC_SHARED(T, keys);                     // [OWN_TILE]
    T* values = keys + OWN_TILE<T, DEPTH>;       // [OWN_TILE]
    Slopes<T> slopes {values + OWN_TILE<T, DEPTH>};
    float* numbers = (float*)(slopes.room + Slopes<T>::SIZE); // [2,padded]
    T* room = (T*)(numbers + 2 * padded);        // [STAGES,2,TILE], one pair if T <= 64: queries and dy
    float4* waiting = (float4*)(room + 2 * STAGES * Passing::TILE); // [padded / 64,DEPTH / 8,threads] sums of dq, if T > 64
    HeadPlace head(a, blockIdx.x);
    const T* qkv = (const T*)a.qkv;
    HeadVectors<const T> dy = head.vectors((const T*)a.dy);
    HeadVectors<T> dqueries = head.part((T*)a.dqkv, 0);
    Passing passing {room, head.part(qkv, 0), dy};
    int row = (int)threadIdx.x / 32 * 16, lane = threadIdx.x % 32;
    float scale = a.scale * LOG2_E;

    for (int first = 0; first < padded; first += TOKENS) {
        int missing = first + TOKENS - a.tokens; // of this tile's keys, if above 0
        __syncthreads(); // nobody reads the keys and values before any more
        load_tile<DEPTH, TOKENS>(keys, head.part(qkv, 1), first);
        load_tile<DEPTH, TOKENS>(values, head.part(qkv, 2), first);
        passing.begin(); // one group with keys and values
        if (first == 0) find_numbers<DEPTH>(numbers, padded, dy, head.vectors((const T*)a.y), head.numbers(a.lse));
        wait_copies<0>();
        round_tile<DEPTH, TOKENS>(keys);
        round_tile<DEPTH, TOKENS>(values);
        __syncthreads(); // keys, values and numbers are there
        LeftRows<T, DEPTH, KEPT> k(keys, row), v(values, row);
        VectorSums<T, DEPTH> dk = {}, dv = {};
        passing.each([&](int from, const T* queries, const T* gradients) {
#pragma unroll(DEPTH <= 16 ? 2 : 1)
            for (int i = 0; i < TOKENS; i += 16) {
                float p[2][4] = {}, ds[2][4] = {};
                k.multiply(p, queries, i);
                v.multiply(ds, gradients, i);
                for (int c = 0; c < 2; c++) { // this lane's columns, two at once
                    const float* at = numbers + from + i + 8 * c + lane % 4 * 2;
                    float2 lse = *(const float2*)at, less = *(const float2*)(at + padded); // -delta
                    for (int e = 0; e < 4; e++) {
                        p[c][e] = power_of_2(fmaf(p[c][e], scale, e % 2 ? -lse.y : -lse.x));
                        ds[c][e] = p[c][e] * (ds[c][e] + (e % 2 ? less.y : less.x));
                    }
                }
                dv.add_weighted(p, gradients, i);
                dk.add_weighted(ds, queries, i);
                if (missing > 0) { // where all scores are low, 2^-lse may overflow, and infinity times a key of zeros is NaN
                    for (int e = 0; e < 8; e++) {
                        if (row + lane / 4 + e % 4 / 2 * 8 >= TOKENS - missing) ds[e / 4][e % 4] = 0.0f;
                    }
                }
                slopes.put(ds, i);
            }
            __syncthreads(); // ds of all warps is there; the barrier of the next tile protects it
            VectorSums<T, DEPTH> dq = {};
            float4* at = waiting + from / TOKENS * (DEPTH / 8) * MMA_THREADS + threadIdx.x;
            if (first > 0) take_waiting(dq, at);
            slopes.multiply(dq, keys);
            if (first + TOKENS == padded) {
                dq.store(a.scale, a.scale, dqueries, from + row);
            } else {
                leave_waiting(dq, at);
            }
        });
        dk.store(a.scale, a.scale, head.part((T*)a.dqkv, 1), first + row);
        dv.store(1.0f, 1.0f, head.part((T*)a.dqkv, 2), first + row);
    }
}

#define BACKWARD(name, T, DEPTH, blocks)                                                                          \
    KERNEL_RESIDENT(attention_backward_head_##name##_mma_##DEPTH, AttentionBackwardHeadArgs, MMA_THREADS, blocks) { \
        attention_backward_head<T, DEPTH>(a);                                                                      \
    }
BACKWARD(bf16, bf16, 16, 4)
BACKWARD(bf16, bf16, 32, 4)
BACKWARD(bf16, bf16, 64, 2)
BACKWARD(bf16, bf16, 128, 2)
BACKWARD(tf32, float, 16, 4)
BACKWARD(tf32, float, 32, 3)
BACKWARD(tf32, float, 64, 2)
