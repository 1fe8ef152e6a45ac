// attention_pairs.cuh: gradients of attention by warps that have 32 keys and values each: what attention_backward_pairs.cu and
// attention_backward_whole.cu share.
#pragma once
#include "attention_head.cuh"

constexpr int SLOPE_ROW = TOKENS + CHUNK<bf16>;

// -delta of a tile's queries, for the sums of a product that have two of them in two rows.
struct Deltas {
    const float* numbers;

    __device__ __forceinline__ float4 less(int query) const {
        float2 two = *(const float2*)(numbers + query);
        return {two.x, two.y, two.x, two.y};
    }
};

// Of a warp: 32 keys and values as rows of the left factor, and the sums of their gradients.
template <int DEPTH, Vectors ARE = Vectors::WHOLE>
struct PairOfKeys {
    unsigned keys[2][DEPTH / 16][4], values[2][DEPTH / 16][4];
    VectorSums<bf16, DEPTH> dk[2], dv[2];

    __device__ __forceinline__ PairOfKeys(const bf16* all_keys, const bf16* all_values, int row) : dk {}, dv {} {
        for (int h = 0; h < 2; h++) {
#pragma unroll
            for (int k = 0; k < DEPTH / 16; k++) {
                load_left<DEPTH>(keys[h][k], all_keys, row + 16 * h, k);
                load_left<DEPTH>(values[h][k], all_values, row + 16 * h, k);
            }
        }
    }

    // Meets 16 queries from `i` of their tile on; `lse` and `delta` are of these, as a tile has them. Leaves ds in `slopes`, from
    // this warp's keys, of which `there` are keys: the others' weights may be infinite.
    __device__ __forceinline__ void meet(const bf16* queries, const bf16* gradients, int i, const float* lse, const Deltas& deltas,
                                         float scale, bf16* slopes, int there) {
        int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
        float p[2][2][4] = {}, ds[2][2][4]; // ds: first dy v - delta
        {
            RightTokens<DEPTH, false, ARE> query(queries, i), gradient(gradients, i);
            float4 begin[2] = {deltas.less(2 * t), deltas.less(8 + 2 * t)};
            for (int h = 0; h < 2; h++) {
                multiply_rows<DEPTH, ARE>(p[h], keys[h], query);
                multiply_rows<DEPTH, ARE>(ds[h], values[h], gradient, begin);
            }
        }
        for (int c = 0; c < 2; c++) { // this lane's columns, two at once
            float2 its = *(const float2*)(lse + 8 * c + 2 * t);
            for (int h = 0; h < 2; h++) {
                for (int e = 0; e < 4; e++) {
                    p[h][c][e] = power_of_2(fmaf(p[h][c][e], scale, e % 2 ? -its.y : -its.x));
                    ds[h][c][e] *= p[h][c][e];
                }
            }
        }
        RightTokens<DEPTH, true, ARE> query(queries, i), gradient(gradients, i);
        for (int h = 0; h < 2; h++) {
            unsigned weights[4], slope[4];
            for (int j = 0; j < 4; j++) {
                weights[j] = pack_bf16(p[h][j / 2][j % 2 * 2], p[h][j / 2][j % 2 * 2 + 1]);
                slope[j] = pack_bf16(ds[h][j / 2][j % 2 * 2], ds[h][j / 2][j % 2 * 2 + 1]);
            }
            add_weighted<DEPTH, ARE>(dv[h], weights, gradient);
            add_weighted<DEPTH, ARE>(dk[h], slope, query);
            if (there < 32) {
                for (int j = 0; j < 4; j++) {
                    if (16 * h + j % 2 * 8 + g >= there) slope[j] = 0;
                }
            }
            store_matrix(slopes + 16 * h * SLOPE_ROW + i, SLOPE_ROW, slope);
        }
    }
};

// 16 queries from `query` on: their part of dq from 16 keys, whose ds, by keys, begins at `slopes`.
template <int DEPTH, Vectors ARE>
__device__ __forceinline__ void add_slopes(VectorSums<bf16, DEPTH>& dq, const bf16* slopes, int query,
                                           const RightTokens<DEPTH, true, ARE>& keys) {
    int lane = threadIdx.x % 32, row = lane / 16 * 8 + lane % 8;
    unsigned ds[4];
    load_matrix<4, true>(ds, slopes + row * SLOPE_ROW + query + lane / 8 % 2 * 8);
    add_weighted<DEPTH, ARE>(dq, ds, keys);
}
