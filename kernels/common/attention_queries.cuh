// attention_queries.cuh: queries of a warp that meet all keys and values of a head, which are in shared memory: attention_head.cu
// and attention_block_sm90.cu.
#pragma once
#include "attention_head.cuh"

// Where |q| |k| log2(e) / sqrt D and the length of values are at most these, weights need no maximum: attention_head.cu.
constexpr float MOST_UNSCALED = 60.0f, MOST_VALUE = 288230376151711744.0f; // 2^58

// 2^(s scale) by multiplications, for results between 2^-125 and 2^125: 2^n for the nearest whole n is added to the exponent of
// 2^f by a polynomial, f from -1/2 to 1/2. Relative error 2.7e-6.
__device__ __forceinline__ float power_of_2_multiplied(float s, float scale) {
    constexpr float WHOLE = 12582912.0f; // 1.5 * 2^23: what is added to it is rounded to a whole number, in its low bits
    float shifted = fmaf(s, scale, WHOLE), f = fmaf(s, scale, -(shifted - WHOLE));
    float power = fmaf(9.570102207e-3f, f, 5.591785908e-2f);
    power = fmaf(power, f, 0.2402474433f);
    power = fmaf(power, f, 0.6931217909f);
    power = fmaf(power, f, 0.9999992847f);
    return __uint_as_float(__float_as_uint(power) + (__float_as_uint(shifted) << 23));
}

// Of a warp: 16 queries or 32 as rows of the left factor, and the sums of their weights and of weighted values.
template <int DEPTH, Vectors ARE, int SIXTEENS = 2>
struct HeadQueries {
    unsigned rows[SIXTEENS][DEPTH / 16][4];
    float largest[SIXTEENS][2] = {}; // of rows g and g + 8 of the sixteens: what scores, times scale, are relative to
    float sum[SIXTEENS][2] = {};     // over this lane's columns
    VectorSums<bf16, DEPTH> y[SIXTEENS] = {};

    HeadQueries() = default; // the caller fills in the rows

    __device__ __forceinline__ HeadQueries(const bf16* queries, int row) {
        for (int h = 0; h < SIXTEENS; h++) {
#pragma unroll
            for (int k = 0; k < DEPTH / 16; k++) load_left<DEPTH>(rows[h][k], queries, row + 16 * h, k);
        }
    }

    __device__ __forceinline__ void find_largest(const bf16* keys, int tokens, float scale) {
        for (int i = 0; i < 2 * SIXTEENS; i++) largest[i / 2][i % 2] = -__int_as_float(0x7f800000);
#pragma unroll 2
        for (int key = 0; key < tokens; key += 16) {
            RightTokens<DEPTH, false, ARE> those(keys, key);
            for (int h = 0; h < SIXTEENS; h++) {
                float s[2][4] = {};
                multiply_rows<DEPTH, ARE>(s, rows[h], those);
                for (int e = 0; e < 8; e++) largest[h][e % 4 / 2] = fmaxf(largest[h][e % 4 / 2], s[e / 4][e % 4]);
            }
        }
        for (int i = 0; i < 2 * SIXTEENS; i++) largest[i / 2][i % 2] = quad_max(largest[i / 2][i % 2]) * scale;
    }

    // Meets 16 keys and their values.
    template <bool RELATIVE>
    __device__ __forceinline__ void meet(const bf16* keys, const bf16* values, int key, float scale) {
        RightTokens<DEPTH, false, ARE> those(keys, key);
        RightTokens<DEPTH, true, ARE> theirs(values, key);
        for (int h = 0; h < SIXTEENS; h++) {
            float s[2][4] = {};
            multiply_rows<DEPTH, ARE>(s, rows[h], those);
            for (int e = 0; e < 8; e++) {
                float& weight = s[e / 4][e % 4];
                if (RELATIVE) {
                    weight = power_of_2(fmaf(weight, scale, -largest[h][e % 4 / 2]));
                } else {
                    weight = e % 4 == 3 ? power_of_2_multiplied(weight, scale) : power_of_2(weight * scale);
                }
                sum[h][e % 4 / 2] += weight;
            }
            unsigned weights[4];
            for (int j = 0; j < 4; j++) weights[j] = pack_bf16(s[j / 2][j % 2 * 2], s[j / 2][j % 2 * 2 + 1]);
            add_weighted<DEPTH, ARE>(y[h], weights, theirs);
        }
    }

    template <bool RELATIVE>
    __device__ __forceinline__ void meet_all(const bf16* keys, const bf16* values, int tokens, float scale) {
#pragma unroll(RELATIVE ? 1 : 2)
        for (int key = 0; key < tokens; key += 16) meet<RELATIVE>(keys, values, key, scale);
    }

    // Meets all tokens of a head; `squares` are the squared lengths of the longest of these queries, keys and values.
    __device__ __forceinline__ void meet_head(const bf16* keys, const bf16* values, int tokens, float scale,
                                              const float (&squares)[3]) {
        float most = squares[0] * squares[1] * (scale * scale);
        if (most <= MOST_UNSCALED * MOST_UNSCALED && squares[2] <= MOST_VALUE * MOST_VALUE) { // not if one is NaN
            meet_all<false>(keys, values, tokens, scale);
        } else {
            find_largest(keys, tokens, scale);
            meet_all<true>(keys, values, tokens, scale);
        }
    }

    // From token `row` on.
    __device__ __forceinline__ void store(const HeadVectors<bf16>& to, float* lse, int row) const {
        int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
        for (int h = 0; h < SIXTEENS; h++) {
            float low = quad_sum(sum[h][0]), high = quad_sum(sum[h][1]);
            store_vectors<DEPTH>(y[h], 1.0f / low, 1.0f / high, to, row + 16 * h);
            float its = t == 0 ? largest[h][0] : largest[h][1];
            if (t < 2) lse[row + 16 * h + 8 * t + g] = its * LN_2 + logf(t == 0 ? low : high);
        }
    }
};
