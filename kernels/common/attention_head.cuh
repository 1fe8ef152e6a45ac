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
    constexpr int STEP = MMA_THREADS / LANES, AT_ONCE = 4; // of a thread, whose loads are all on their way
    int d = (int)threadIdx.x % LANES * 4;
    for (int first = (int)threadIdx.x / LANES; first < padded; first += AT_ONCE * STEP) {
        float4 a[AT_ONCE], b[AT_ONCE];
        float its[AT_ONCE];
#pragma unroll
        for (int n = 0; n < AT_ONCE; n++) {
            int token = first + n * STEP;
            a[n] = b[n] = make_float4(0, 0, 0, 0);
            its[n] = __int_as_float(0x7f800000);
            if (token < dy.count) {
                if (d < dy.depth) a[n] = four(dy.first + token * dy.stride + d), b[n] = four(y.first + token * y.stride + d);
                if (d == 0) its[n] = lse[token] * LOG2_E;
            }
        }
#pragma unroll
        for (int n = 0; n < AT_ONCE; n++) {
            float sum = a[n].x * b[n].x + a[n].y * b[n].y + a[n].z * b[n].z + a[n].w * b[n].w;
#pragma unroll
            for (int lanes = LANES / 2; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(~0u, sum, lanes);
            int token = first + n * STEP;
            if (d == 0 && token < padded) numbers[token] = its[n], numbers[padded + token] = sum;
        }
    }
}

// Sums of a lane that wait in shared memory for the next keys, at [DEPTH / 8] places, MMA_THREADS apart.
template <class T, int DEPTH>
__device__ __forceinline__ void take_waiting(VectorSums<T, DEPTH>& sums, const float4* at) {
    for (int n = 0; n < DEPTH / 8; n++) {
        float4 x = at[n * MMA_THREADS];
        sums.sum[n][0] = x.x, sums.sum[n][1] = x.y, sums.sum[n][2] = x.z, sums.sum[n][3] = x.w;
    }
}

template <class T, int DEPTH>
__device__ __forceinline__ void leave_waiting(const VectorSums<T, DEPTH>& sums, float4* at) {
    for (int n = 0; n < DEPTH / 8; n++) {
        at[n * MMA_THREADS] = {sums.sum[n][0], sums.sum[n][1], sums.sum[n][2], sums.sum[n][3]};
    }
}
