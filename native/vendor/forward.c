// forward.c: a libcublas.so.12 that hands every call to libcublas.so.13.
//
// JCublas 12.6, the newest there is, was linked with cuBLAS 12: its library asks for the soname libcublas.so.12 and for
// symbols of that version. A machine with CUDA 13 has libcublas.so.13 alone, whose functions take the same arguments.
// Loaded before JCublas, this library answers to the old name. build.sh makes `symbols.inc` (one FORWARD(name) per
// function that JCublas imports) and the version script from cublas-symbols.txt.
//
// A function is one jump through a pointer, so registers and stack reach cuBLAS as the caller set them. What cuBLAS 13
// lacks answers NOT_SUPPORTED.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

#ifndef __x86_64__
#error "JCublas has a library for x86-64 alone"
#endif

enum { NOT_SUPPORTED = 15 }; // CUBLAS_STATUS_NOT_SUPPORTED

static int missing(void) { return NOT_SUPPORTED; }

#define FORWARD(name)                                                           \
    __attribute__((visibility("hidden"), used)) void* at_##name = (void*)missing; \
    __asm__(".text\n.globl " #name "\n.type " #name ",@function\n" #name        \
            ":\n endbr64\n jmpq *at_" #name "(%rip)\n.size " #name ",.-" #name "\n");
#include "symbols.inc"
#undef FORWARD

static const struct {
    const char* name;
    void** at;
} FUNCTIONS[] = {
#define FORWARD(name) {#name, &at_##name},
#include "symbols.inc"
#undef FORWARD
};

// Whoever loads this library has loaded cuBLAS before, so its name is enough.
__attribute__((constructor)) static void bind(void) {
    void* library = dlopen("libcublas.so.13", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "rote: cuBLAS is not forwarded: %s\n", dlerror());
        return;
    }
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof FUNCTIONS[0]; i++) {
        void* function = dlsym(library, FUNCTIONS[i].name);
        if (function != NULL) *FUNCTIONS[i].at = function;
    }
}
