// async_copy.cuh: copies from device memory to shared memory, and to L2, that go on while the thread does (cp.async, sm_80;
// prefetch).
//
// Every thread commits its own copies as a group and waits for its own groups; a barrier after the wait makes them
// visible to the others. On the stand-in the bytes arrive at the wait, not before, and the place holds NaN until then.
// Reference  PTX ISA 9.0, 9.7.9.25.3 "cp.async", "cp.async.commit_group", "cp.async.wait_group".
#pragma once
#include "kernel.cuh"

// BYTES 4, 8 or 16, both sides aligned to it. If not `valid`, zeros arrive and `from` is not read.
template <int BYTES>
__device__ __forceinline__ void copy_async(void* shared, const void* from, bool valid = true) {
    static_assert(BYTES == 4 || BYTES == 8 || BYTES == 16, "cp.async copies 4, 8 or 16 bytes");
#ifdef __CUDACC__
    unsigned to = (unsigned)__cvta_generic_to_shared(shared);
    int read = valid ? BYTES : 0;
    if constexpr (BYTES == 16) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(read) : "memory");
    } else {
        asm volatile("cp.async.ca.shared.global [%0], [%1], %3, %2;" ::"r"(to), "l"(from), "r"(read), "n"(BYTES)
                     : "memory");
    }
#else
    if ((reinterpret_cast<uintptr_t>(shared) | (valid ? reinterpret_cast<uintptr_t>(from) : 0)) % BYTES != 0) {
        standin::current->block->fail("an asynchronous copy that is not aligned to its size");
    }
    std::memset(shared, standin::POISON, BYTES);
    standin::current->copies.push_back({shared, from, BYTES, valid ? (unsigned)BYTES : 0u, false});
#endif
}

__device__ __forceinline__ void commit_copies() {
#ifdef __CUDACC__
    asm volatile("cp.async.commit_group;" ::: "memory");
#else
    // An empty group counts as one, so the end of a group is an entry of its own.
    standin::current->copies.push_back({nullptr, nullptr, 0, 0, true});
#endif
}

// Waits until at most PENDING of this thread's latest groups are still on their way.
template <int PENDING>
__device__ __forceinline__ void wait_copies() {
#ifdef __CUDACC__
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#else
    auto& copies = standin::current->copies;
    int groups = 0;
    for (const auto& copy : copies) groups += copy.committed;
    size_t done = 0;
    while (groups > PENDING) {
        const auto& copy = copies[done++];
        if (copy.committed) {
            groups--;
            continue;
        }
        if (copy.valid > 0) std::memcpy(copy.to, copy.from, copy.valid);
        std::memset(static_cast<char*>(copy.to) + copy.valid, 0, copy.bytes - copy.valid);
    }
    copies.erase(copies.begin(), copies.begin() + done);
#endif
}

// Starts to bring a line to L2 that is wanted later, where it would be waited for from device memory.
__device__ __forceinline__ void prefetch_line(const void* at) {
#ifdef __CUDACC__
    asm volatile("prefetch.global.L2 [%0];" ::"l"(at));
#else
    (void)at;
#endif
}
