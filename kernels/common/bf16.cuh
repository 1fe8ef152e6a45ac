// bf16.cuh: bfloat16 as 16 bits. Conversion rounds to nearest even; NaN stays NaN. The same bits under nvcc and g++.
#pragma once
#include "kernel.cuh"

struct bf16 {
    uint16_t bits;
};

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(bf16 x) { return __uint_as_float((unsigned)x.bits << 16); }

// Two at once: `low` in the lower half.
__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
#ifdef __CUDACC__
    unsigned packed;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
    return packed;
#else
    auto round = [](float x) -> unsigned {
        unsigned u = __float_as_uint(x);
        if ((u & 0x7fffffffu) > 0x7f800000u) return 0x7fffu; // the NaN that the device gives
        return (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
    };
    return round(low) | round(high) << 16;
#endif
}

template <class T>
__device__ __forceinline__ T from_float(float x);

template <>
__device__ __forceinline__ float from_float<float>(float x) {
    return x;
}

template <>
__device__ __forceinline__ bf16 from_float<bf16>(float x) {
    return {(uint16_t)(pack_bf16(x, 0.0f) & 0xffffu)};
}
