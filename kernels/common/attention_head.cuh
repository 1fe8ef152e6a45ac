// attention_head.cuh: what the kernels share whose blocks compute all gradients of a head: attention_backward_head.cu and
// attention_backward_pairs.cu.
#pragma once
#include "attention_mma.cuh"

struct AttentionBackwardHeadArgs {
    const void* dy;   // [N,T,heads,D]
    const void* qkv;  // [N,T,3,heads,D]
    const void* y;    // [N,T,heads,D]
    const float* lse; // [N,heads,T]
    void* dqkv;       // [N,T,3,heads,D]
    int tokens;
    int heads;
    int depth;   // D
    float scale; // 1 / sqrt D
};
LAYOUT(AttentionBackwardHeadArgs, dy, qkv, y, lse, dqkv, tokens, heads, depth, scale)

// Four neighbours as f32.
__device__ __forceinline__ float4 four(const float* from) { return *(const float4*)from; }

__device__ __forceinline__ float4 four(const bf16* from) {
    uint2 x = *(const uint2*)from;
    return {__uint_as_float(x.x << 16), __uint_as_float(x.x & 0xffff0000u), __uint_as_float(x.y << 16),
            __uint_as_float(x.y & 0xffff0000u)};
}

// numbers[t] = log-sum-exp in units of log 2, numbers[padded + t] = delta; behind the last token infinity, so that
// weights are zero, and 0.
template <int DEPTH, class T>
__device__ __forceinline__ void find_numbers(float* numbers, int padded, const HeadVectors<const T>& dy,
                                             const HeadVectors<const T>& y, const float* lse) {
    constexpr int LANES = DEPTH / 4; // of a token
    int d = (int)threadIdx.x % LANES * 4;
    for (int token = (int)threadIdx.x / LANES; token < padded; token += MMA_THREADS / LANES) {
        float sum = 0;
        if (token < dy.count && d < dy.depth) {
            float4 a = four(dy.first + token * dy.stride + d), b = four(y.first + token * y.stride + d);
            sum = a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
        }
#pragma unroll
        for (int lanes = LANES / 2; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(~0u, sum, lanes);
        if (d == 0) {
            numbers[token] = token < dy.count ? lse[token] * LOG2_E : __int_as_float(0x7f800000);
            numbers[padded + token] = sum;
        }
    }
}
