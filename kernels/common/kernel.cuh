// kernel.cuh: what every kernel file includes first. The same text is compiled by nvcc for the device and by a host
// compiler for the driver stand-in (native/standin), where a kernel is registered by name with its argument struct.
//
//   struct ScaleArgs {
//       const float* x; // [n]
//       float* y;       // [n]
//       int64_t n;
//       float factor;
//   };
//   LAYOUT(ScaleArgs, x, y, n, factor)
//
//   KERNEL(scale_f32, ScaleArgs, 256) { ... a.x[i] ... }
//
// A kernel takes one struct by value, called `a`, and promises to be launched with at most as many threads per block as
// its third parameter says. LAYOUT lists the fields in order; dev.rote.device.cuda mirrors them, and a test compares.
#pragma once
#include <stdint.h>

#ifdef __CUDACC__

#define LAYOUT(Args, ...)
#define KERNEL(name, Args, threads) \
    extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ Args a)
// As KERNEL, and registers leave room for `blocks` blocks on a multiprocessor. Left to itself, ptxas spills a few for
// more blocks than shared memory admits.
#define KERNEL_RESIDENT(name, Args, threads, blocks) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ Args a)
#define DYNAMIC_SHARED(T, name)                                    \
    extern __shared__ __align__(1024) unsigned char dynamic_shared[]; \
    T* name = reinterpret_cast<T*>(dynamic_shared)

__device__ __forceinline__ void barrier_sync(int id, unsigned threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

#else

#include "language.h"

#include <type_traits>

#define LAYOUT_FIELD(Args, field)                       \
    {#field, offsetof(Args, field), sizeof(Args::field), \
     std::is_pointer_v<std::remove_extent_t<decltype(Args::field)>>},
#define LAYOUT_NEXT(Args, field, ...) LAYOUT_FIELD(Args, field) __VA_OPT__(LAYOUT_AGAIN LAYOUT_PAREN(Args, __VA_ARGS__))
#define LAYOUT_AGAIN() LAYOUT_NEXT
#define LAYOUT_PAREN ()
// 64 scans: as many fields.
#define LAYOUT_EXPAND(...) LAYOUT_SCAN1(LAYOUT_SCAN1(LAYOUT_SCAN1(LAYOUT_SCAN1(__VA_ARGS__))))
#define LAYOUT_SCAN1(...) LAYOUT_SCAN2(LAYOUT_SCAN2(LAYOUT_SCAN2(LAYOUT_SCAN2(__VA_ARGS__))))
#define LAYOUT_SCAN2(...) LAYOUT_SCAN3(LAYOUT_SCAN3(LAYOUT_SCAN3(LAYOUT_SCAN3(__VA_ARGS__))))
#define LAYOUT_SCAN3(...) __VA_ARGS__

#define LAYOUT(Args, ...)                                                                                         \
    template <>                                                                                                   \
    struct standin::LayoutOf<Args> {                                                                              \
        static const std::vector<standin::Field>& fields() {                                                      \
            static const std::vector<standin::Field> all = {LAYOUT_EXPAND(LAYOUT_NEXT(Args, __VA_ARGS__))};       \
            return all;                                                                                           \
        }                                                                                                         \
    };

#define KERNEL(name, Args, threads)                                                                               \
    static void name(const Args& a);                                                                              \
    static const standin::Registration name##_registered({#name,                                                  \
                                                          [](const void* a) { name(*static_cast<const Args*>(a)); }, \
                                                          sizeof(Args), threads,                                  \
                                                          &standin::LayoutOf<Args>::fields()});                   \
    static void name(const Args& a)

#define KERNEL_RESIDENT(name, Args, threads, blocks) KERNEL(name, Args, threads)

#endif
