// bulk_copy.cuh: copies of whole runs of bytes to shared memory by one thread, and the barriers in shared memory that say
// when they are there (cp.async.bulk and mbarrier, sm_90).
//
// One thread expects and issues, everybody waits. A barrier's phase ends with its last byte; waits alternate the parity of
// the phase, 0 first. On the stand-in the bytes arrive at the first wait, and the place holds NaN until then.
// Reference  PTX ISA 9.0, 9.7.9.25.4 "cp.async.bulk", 9.7.13.15 "mbarrier".
#pragma once
#include "kernel.cuh"

__device__ __forceinline__ void init_bulk_barrier(uint64_t* barrier) {
#ifdef __CUDACC__
    unsigned at = (unsigned)__cvta_generic_to_shared(barrier);
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(at) : "memory");
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); // seen by the copies' engine
#else
    *barrier = 0;
#endif
}

// The bytes of all copies of this phase, before they are issued.
__device__ __forceinline__ void expect_bulk(uint64_t* barrier, unsigned bytes) {
#ifdef __CUDACC__
    unsigned at = (unsigned)__cvta_generic_to_shared(barrier);
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(at), "r"(bytes) : "memory");
#else
    standin::current->block->expect_bulk(barrier, bytes);
#endif
}

// `bytes` and both addresses are multiples of 16.
__device__ __forceinline__ void copy_bulk(void* shared, const void* from, unsigned bytes, uint64_t* barrier) {
#ifdef __CUDACC__
    unsigned to = (unsigned)__cvta_generic_to_shared(shared), at = (unsigned)__cvta_generic_to_shared(barrier);
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to),
                 "l"(from), "r"(bytes), "r"(at)
                 : "memory");
#else
    standin::current->block->copy_bulk(shared, from, bytes, barrier);
#endif
}

__device__ __forceinline__ void wait_bulk(uint64_t* barrier, unsigned parity) {
#ifdef __CUDACC__
    unsigned at = (unsigned)__cvta_generic_to_shared(barrier);
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;\n"
        "}" ::"r"(at), "r"(parity)
        : "memory");
#else
    standin::current->block->wait_bulk(barrier, parity);
#endif
}
