// rows.cuh: work on the rows of a matrix [rows,columns], a row by a warp or by a block: BY_WARP is meant for up to
// 1,024 columns. Blocks of 256 threads either way. Where a row is needed again, it comes from the first-level cache.
#pragma once
#include "bf16.cuh"
#include "sums.cuh"

constexpr int ROW_THREADS = 256;

template <bool BY_WARP>
struct Row {
    int64_t index; // of the row
    int lane;      // first column of this thread; the next is `lanes` further
    int lanes;

    __device__ __forceinline__ Row() {
        if constexpr (BY_WARP) {
            index = blockIdx.x * (int64_t)(ROW_THREADS / 32) + threadIdx.x / 32;
            lane = threadIdx.x % 32;
            lanes = 32;
        } else {
            index = blockIdx.x;
            lane = threadIdx.x;
            lanes = ROW_THREADS;
        }
    }

    // Over all threads of the row, which all get the result.
    __device__ __forceinline__ double sum(double x) const {
        if constexpr (BY_WARP) {
            return warp_sum(x);
        } else {
            __shared__ double scratch[32];
            return block_sum(x, scratch);
        }
    }

    __device__ __forceinline__ float max(float x) const {
        if constexpr (BY_WARP) {
            return warp_max(x);
        } else {
            __shared__ float scratch[32];
            return block_max(x, scratch);
        }
    }

    // Sum over the row of value(column).
    template <class F>
    __device__ __forceinline__ double sum_of(int columns, F value) const {
        double total[1] = {};
        blocked_sums<1>(lane, columns, lanes, total, [&](int64_t c, float(&part)[1]) { part[0] += value((int)c); });
        return sum(total[0]);
    }
};

// Maximum of a row and sum of exp(x - maximum): the logarithm of the sum of exponentials in two parts.
struct SoftmaxRow {
    float max;
    float sum;
};

template <class T, bool BY_WARP>
__device__ __forceinline__ SoftmaxRow softmax_row(const Row<BY_WARP>& row, const T* x, int columns) {
    float largest = -__int_as_float(0x7f800000);
    for (int c = row.lane; c < columns; c += row.lanes) largest = fmaxf(largest, to_float(x[c]));
    float max = row.max(largest);
    return {max, (float)row.sum_of(columns, [&](int c) { return expf(to_float(x[c]) - max); })};
}
