// tensor_copy.cuh: boxes of a tensor to shared memory by one thread: cp.async.bulk.tensor with an mbarrier (sm_90).
//
// A box may reach beyond the tensor on any side: zeros come from there. Its rows lie one behind the other in shared memory;
// a tensor map with a swizzle of 64 or 128 bytes, the length of a row, exchanges the 16-byte parts of rows as wgmma wants
// it. Waiting is that of bulk_copy.cuh; a box counts with all its bytes.
// Reference  PTX ISA 9.0, 9.7.9.25.5 "cp.async.bulk.tensor".
#pragma once
#include "bulk_copy.cuh"

// What the driver's cuTensorMapEncodeTiled gives; a kernel has it among its arguments.
struct alignas(64) TensorMap {
    uint64_t encoded[16];
};

// Axes innermost first, as the map has them; `shared` aligned to 128 bytes.
__device__ __forceinline__ void copy_box(void* shared, const TensorMap& map, int x, int y, int z, uint64_t* barrier) {
#ifdef __CUDACC__
    unsigned to = (unsigned)__cvta_generic_to_shared(shared), at = (unsigned)__cvta_generic_to_shared(barrier);
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4}], [%5];" ::"r"(to),
        "l"(&map), "r"(x), "r"(y), "r"(z), "r"(at)
        : "memory");
#else
    standin::current->block->copy_box(shared, &map, {x, y, z, 0, 0}, barrier);
#endif
}

__device__ __forceinline__ void copy_box(void* shared, const TensorMap& map, int x, int y, int z, int w, int v,
                                         uint64_t* barrier) {
#ifdef __CUDACC__
    unsigned to = (unsigned)__cvta_generic_to_shared(shared), at = (unsigned)__cvta_generic_to_shared(barrier);
    asm volatile(
        "cp.async.bulk.tensor.5d.shared::cluster.global.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%2, %3, %4, %5, %6}], [%7];" ::"r"(to),
        "l"(&map), "r"(x), "r"(y), "r"(z), "r"(w), "r"(v), "r"(at)
        : "memory");
#else
    standin::current->block->copy_box(shared, &map, {x, y, z, w, v}, barrier);
#endif
}
