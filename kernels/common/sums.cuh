// sums.cuh: long sums nearly as accurate as in f64, at the price of f32: up to 16 values in f32, f64 from there on,
// always in the same order. One f64 addition per 16 values leaves a kernel memory-bound even where f64 runs at 1/64 of
// the speed of f32.
#pragma once
#include "reduce.cuh"

constexpr int SUM_BLOCK = 16;

// Adds to total[k] what add(i, part) adds to part[k], for i = first, first + step, ... below end.
template <int K, class F>
__device__ __forceinline__ void blocked_sums(int64_t first, int64_t end, int64_t step, double (&total)[K], F add) {
    for (int64_t i = first; i < end;) {
        float part[K] = {};
        if (i + (SUM_BLOCK - 1) * step < end) {
#pragma unroll 4
            for (int k = 0; k < SUM_BLOCK; k++, i += step) add(i, part);
        } else {
            for (; i < end; i += step) add(i, part);
        }
        for (int k = 0; k < K; k++) total[k] += part[k];
    }
}

__device__ __forceinline__ double warp_sum(double x) {
    for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(~0u, x, distance);
    return x;
}

// As block_sum of reduce.cuh.
__device__ __forceinline__ double block_sum(double x, double* scratch) {
    x = warp_sum(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads(); // all partial sums are there
    double sum = 0;
    for (unsigned w = 0; w < blockDim.x / 32; w++) sum += scratch[w];
    return sum;
}

// Thread t holds K sums of column t % width; those of a column are added up; threads 0 to width-1 get the results.
// Threads and width are powers of two. `scratch` [threads], shared.
template <int K>
__device__ __forceinline__ void fold_columns(double (&sum)[K], unsigned width, double* scratch) {
    for (int k = 0; k < K; k++) {
        __syncthreads(); // nobody reads the sums before any more
        scratch[threadIdx.x] = sum[k];
        for (unsigned half = blockDim.x / 2; half >= width; half /= 2) {
            __syncthreads(); // the upper half is there
            if (threadIdx.x < half) scratch[threadIdx.x] += scratch[threadIdx.x + half];
        }
        sum[k] = scratch[threadIdx.x];
    }
}
