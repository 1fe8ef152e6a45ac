// fiber.cpp: see fiber.h. x86-64 and aarch64, Linux.
#include "fiber.h"

#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

extern "C" void standin_switch(void** save, void* to);

#if defined(__x86_64__)
asm(R"(
    .text
    .type standin_switch,@function
    .hidden standin_switch
    .globl standin_switch
standin_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size standin_switch,.-standin_switch
)");
constexpr int SAVED_WORDS = 6;
#elif defined(__aarch64__)
asm(R"(
    .text
    .type standin_switch,%function
    .hidden standin_switch
    .globl standin_switch
standin_switch:
    sub sp, sp, #176
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #176
    ret
    .size standin_switch,.-standin_switch
)");
#else
#error "the driver stand-in switches stacks on x86-64 and aarch64 only"
#endif

namespace standin {

namespace {
constexpr size_t SLAB_STACKS = 64;
} // namespace

StackPool::~StackPool() {
    for (void* slab : slabs) munmap(slab, (SLAB_STACKS + 1) * STACK_BYTES);
}

void StackPool::grow() {
    size_t bytes = (SLAB_STACKS + 1) * STACK_BYTES; // one more, to align the first
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* slab = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (slab == MAP_FAILED) {
        std::perror("rote stand-in: no memory for the stacks of a block");
        std::abort();
    }
    slabs.push_back(slab);
    char* first = bottom_of(static_cast<char*>(slab) + STACK_BYTES - 1);
    for (size_t i = 0; i < SLAB_STACKS; i++) {
        char* bottom = first + i * STACK_BYTES;
        mprotect(bottom, PAGE_BYTES, PROT_NONE);
        all_stacks.push_back(bottom);
        free_stacks.push_back(bottom);
    }
}

char* StackPool::take() {
    if (free_stacks.empty()) grow();
    char* bottom = free_stacks.back();
    free_stacks.pop_back();
#ifdef __SANITIZE_ADDRESS__
    // Abandoned frames leave their red zones behind.
    ASAN_UNPOISON_MEMORY_REGION(bottom + PAGE_BYTES, STACK_BYTES - PAGE_BYTES);
#endif
    return bottom;
}

void StackPool::give(char* bottom) { free_stacks.push_back(bottom); }

void StackPool::reclaim() { free_stacks = all_stacks; }

char* StackPool::bottom_of(void* address) {
    return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(address) & ~(STACK_BYTES - 1));
}

void* prepare_stack(char* bottom, void (*entry)()) {
    // Tops are staggered: equal offsets of many stacks would compete for the same sets of the cache.
    size_t stagger = reinterpret_cast<uintptr_t>(bottom) / STACK_BYTES * 320 % 16384;
    void** top = reinterpret_cast<void**>(bottom + STACK_BYTES - 256 - stagger);
#if defined(__x86_64__)
    *--top = nullptr; // the return address that entry never uses; keeps the ABI's alignment at its first instruction
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < SAVED_WORDS; i++) *--top = nullptr;
#else
    top -= 22;
    for (int i = 0; i < 22; i++) top[i] = nullptr;
    top[11] = reinterpret_cast<void*>(entry); // x30
#endif
    return top;
}

#ifdef __SANITIZE_ADDRESS__
namespace {
thread_local const void* worker_bottom = nullptr;
thread_local size_t worker_bytes = 0;
} // namespace

void remember_worker_stack(void*) {
    pthread_attr_t attributes;
    void* bottom = nullptr;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &bottom, &worker_bytes);
    pthread_attr_destroy(&attributes);
    worker_bottom = bottom;
}

void switch_stack(void** save, void* to) {
    uintptr_t target = reinterpret_cast<uintptr_t>(to), low = reinterpret_cast<uintptr_t>(worker_bottom);
    bool worker = target >= low && target < low + worker_bytes;
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, worker ? worker_bottom : StackPool::bottom_of(to),
                                   worker ? worker_bytes : STACK_BYTES);
    standin_switch(save, to);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
}

void entered_stack() { __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr); }
#else
void remember_worker_stack(void*) {}
void switch_stack(void** save, void* to) { standin_switch(save, to); }
void entered_stack() {}
#endif

} // namespace standin
