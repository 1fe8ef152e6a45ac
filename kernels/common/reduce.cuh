// reduce.cuh: sums and maxima over a warp or a block, in a fixed order: the same bits every time.
#pragma once
#include "kernel.cuh"

__device__ __forceinline__ float warp_sum(float x) {
    for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(~0u, x, distance);
    return x;
}

__device__ __forceinline__ float warp_max(float x) {
    for (int distance = 16; distance > 0; distance /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, distance));
    return x;
}

// Over all threads of a one-dimensional block of whole warps; every thread gets the result. `scratch` [32], shared.
// The first barrier keeps this call from overwriting what a thread still reads of the call before.
__device__ __forceinline__ float block_sum(float x, float* scratch) {
    x = warp_sum(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads(); // all partial sums are there
    float sum = 0;
    for (unsigned w = 0; w < blockDim.x / 32; w++) sum += scratch[w];
    return sum;
}

__device__ __forceinline__ float block_max(float x, float* scratch) {
    x = warp_max(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads(); // all partial maxima are there
    float max = scratch[0];
    for (unsigned w = 1; w < blockDim.x / 32; w++) max = fmaxf(max, scratch[w]);
    return max;
}
