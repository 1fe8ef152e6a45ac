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
//
// A kernel has a second entry, <name>_replicas: one launch for several that differ in their arguments only. Block
// (x,y,z) does what block (x,y) of replica z does, so every replica gets the bits that it gets alone; where the grid has
// four planes, plane z % 4 of replica z / 4. KERNEL_ALONE has none.
#pragma once
#include <stdint.h>

constexpr int MOST_REPLICAS = 16; // of a launch

template <class Args>
struct Replicas {
    Args of[MOST_REPLICAS];
    int shift; // log2 of the planes of a grid, 0 or 2
};
constexpr int MOST_ARGUMENT_BYTES = 32764; // of a launch, from CUDA 12.1 on

#ifdef __CUDACC__

#define LAYOUT(Args, ...)
#define KERNEL_ALONE(name, Args, ...) \
    extern "C" __global__ void __launch_bounds__(__VA_ARGS__) name(const __grid_constant__ Args a)
// The arguments of a replica are read in the constant bank, as a kernel's own are.
#define KERNEL_BOUNDED(name, Args, bounds, replica_bounds)                                         \
    static __device__ __forceinline__ void name##_body(const Args& a);                             \
    extern "C" __global__ void bounds name(const __grid_constant__ Args a) { name##_body(a); }     \
    static_assert(sizeof(Replicas<Args>) <= MOST_ARGUMENT_BYTES, "arguments");                     \
    extern "C" __global__ void replica_bounds name##_replicas(const __grid_constant__ Replicas<Args> all) { \
        name##_body(all.of[blockIdx.z >> all.shift]);                                              \
    }                                                                                              \
    static __device__ __forceinline__ void name##_body(const Args& a)
#define KERNEL_ENTRIES(name, Args, bounds, replica_bounds) \
    KERNEL_BOUNDED(name, Args, __launch_bounds__ bounds, __launch_bounds__ replica_bounds)
#define KERNEL(name, Args, threads) KERNEL_ENTRIES(name, Args, (threads), (threads))
// As KERNEL, and registers leave room for `blocks` blocks on a multiprocessor. Left to itself, ptxas spills a few for
// more blocks than shared memory admits.
#define KERNEL_RESIDENT(name, Args, threads, blocks) KERNEL_ENTRIES(name, Args, (threads, blocks), (threads, blocks))
// As these two, and for `replica_blocks` blocks of the entry for replicas, which needs registers to find its arguments.
#define KERNEL_ROOMY(name, Args, threads, replica_blocks) \
    KERNEL_ENTRIES(name, Args, (threads), (threads, replica_blocks))
#define KERNEL_RESIDENT_ROOMY(name, Args, threads, blocks, replica_blocks) \
    KERNEL_ENTRIES(name, Args, (threads, blocks), (threads, replica_blocks))
// Of up to `threads`, and of `registers` each, so that smaller blocks find room for more of them.
#define KERNEL_OF_REGISTERS(name, Args, threads, registers)                      \
    static_assert((threads) * (registers) <= 65536, "registers of a multiprocessor"); \
    KERNEL_BOUNDED(name, Args, __maxnreg__(registers), __maxnreg__(registers))
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

#define KERNEL_ALONE(name, Args, threads, ...)                                                                    \
    static void name(const Args& a);                                                                              \
    static const standin::Registration name##_registered({#name,                                                  \
                                                          [](const void* a) { name(*static_cast<const Args*>(a)); }, \
                                                          sizeof(Args), threads,                                  \
                                                          &standin::LayoutOf<Args>::fields()});                   \
    static void name(const Args& a)

#define KERNEL(name, Args, threads)                                                                               \
    static void name(const Args& a);                                                                              \
    static const standin::Registration name##_replicas_registered(                                                \
        {#name "_replicas",                                                                                       \
         [](const void* a) {                                                                                      \
             const auto& all = *static_cast<const Replicas<Args>*>(a);                                            \
             name(all.of[blockIdx.z >> all.shift]);                                                               \
         },                                                                                                       \
         sizeof(Replicas<Args>), threads, &standin::replica_fields<Replicas<Args>, Args>(), MOST_REPLICAS,        \
         sizeof(Args)});                                                                                          \
    KERNEL_ALONE(name, Args, threads)

#define KERNEL_RESIDENT(name, Args, threads, blocks) KERNEL(name, Args, threads)
#define KERNEL_ROOMY(name, Args, threads, replica_blocks) KERNEL(name, Args, threads)
#define KERNEL_RESIDENT_ROOMY(name, Args, threads, blocks, replica_blocks) KERNEL(name, Args, threads)
#define KERNEL_OF_REGISTERS(name, Args, threads, registers) KERNEL(name, Args, threads)

#endif
