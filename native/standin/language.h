// language.h: the part of CUDA C++ that the kernels use, for a host compiler. Included by kernels/common/kernel.cuh.
//
// Not the device: no flush to zero, no contraction of a*b+c (compiled with -ffp-contract=off), other rounding in expf
// and its like. Shared arrays with static size keep the values of the block before, as they do on a device.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "block.h"
#include "registry.h"

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __shared__ static thread_local
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

struct uint3 { unsigned x, y, z; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(16) int4 { int x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

#define threadIdx (standin::current->index)
#define blockIdx (standin::current->block->index)
#define blockDim (standin::current->block->launch->block)
#define gridDim (standin::current->block->launch->grid)

#define DYNAMIC_SHARED(T, name) T* name = reinterpret_cast<T*>(standin::current->block->dynamic_shared)

inline void __syncthreads() { standin::current->block->barrier(0, 0); }
inline void __threadfence() {}

// Part of the block: `threads` of them meet at barrier `id`, 1 to 15.
inline void barrier_sync(int id, unsigned threads) { standin::current->block->barrier(id, threads); }

inline void __syncwarp(unsigned mask = ~0u) {
    standin::current->block->warp_operation(mask, nullptr, [](void**, unsigned) {}, "__syncwarp");
}

namespace standin {

struct Shuffled {
    uint64_t value;
    unsigned source;
};

inline void shuffle(void** pointers, unsigned mask) {
    uint64_t before[32];
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        unsigned lane = __builtin_ctz(rest);
        before[lane] = static_cast<Shuffled*>(pointers[lane])->value;
    }
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        auto* mine = static_cast<Shuffled*>(pointers[__builtin_ctz(rest)]);
        if ((mask >> mine->source & 1) != 0) mine->value = before[mine->source];
    }
}

inline void vote(void** pointers, unsigned mask) {
    unsigned votes = 0;
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        unsigned lane = __builtin_ctz(rest);
        if (*static_cast<unsigned*>(pointers[lane]) != 0) votes |= 1u << lane;
    }
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        *static_cast<unsigned*>(pointers[__builtin_ctz(rest)]) = votes;
    }
}

template <class T>
T shuffled(unsigned mask, T value, unsigned source) {
    static_assert(sizeof(T) <= 8);
    Shuffled moved {0, source};
    std::memcpy(&moved.value, &value, sizeof value);
    current->block->warp_operation(mask, &moved, shuffle, "__shfl_sync");
    std::memcpy(&value, &moved.value, sizeof value);
    return value;
}

} // namespace standin

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
    unsigned lane = standin::current->lane;
    return standin::shuffled(mask, value, (lane & ~(width - 1u)) | (source & (width - 1u)));
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
    unsigned lane = standin::current->lane, source = lane ^ bits;
    return standin::shuffled(mask, value, (source & ~(width - 1u)) <= (lane & ~(width - 1u)) ? source : lane);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    unsigned lane = standin::current->lane, source = lane + delta;
    return standin::shuffled(mask, value, (source & ~(width - 1u)) == (lane & ~(width - 1u)) ? source : lane);
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    unsigned lane = standin::current->lane;
    return standin::shuffled(mask, value, (lane & (width - 1u)) >= delta ? lane - delta : lane);
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
    unsigned vote = predicate != 0;
    standin::current->block->warp_operation(mask, &vote, standin::vote, "__ballot_sync");
    return vote;
}

inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }

inline unsigned __reduce_max_sync(unsigned mask, unsigned value) {
    for (int bits = 16; bits > 0; bits /= 2) value = std::max(value, __shfl_xor_sync(mask, value, bits));
    return value;
}

template <class T>
T __ldg(const T* p) { return *p; }

inline int __float_as_int(float a) { int i; std::memcpy(&i, &a, 4); return i; }
inline unsigned __float_as_uint(float a) { unsigned i; std::memcpy(&i, &a, 4); return i; }
inline float __int_as_float(int i) { float a; std::memcpy(&a, &i, 4); return a; }
inline float __uint_as_float(unsigned i) { float a; std::memcpy(&a, &i, 4); return a; }
inline int __clz(unsigned x) { return x == 0 ? 32 : __builtin_clz(x); }
inline int __ffs(unsigned x) { return __builtin_ffs(static_cast<int>(x)); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __fdividef(float a, float b) { return a / b; }
// The C library declares its own __expf, so these are macros.
#define rsqrtf(x) (1.0f / std::sqrt(static_cast<float>(x)))
#define __expf(x) std::exp(static_cast<float>(x))
#define __logf(x) std::log(static_cast<float>(x))

inline int atomicAdd(int* p, int value) { return __atomic_fetch_add(p, value, __ATOMIC_RELAXED); }
inline unsigned atomicAdd(unsigned* p, unsigned value) { return __atomic_fetch_add(p, value, __ATOMIC_RELAXED); }
inline unsigned atomicMax(unsigned* p, unsigned value) {
    unsigned old = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (old < value && !__atomic_compare_exchange_n(p, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    return old;
}

using std::min;
using std::max;
