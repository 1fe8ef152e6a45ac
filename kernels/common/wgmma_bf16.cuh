// wgmma_bf16.cuh: bf16 products of matrices in shared memory by four warps on the tensor cores of sm_90, d += A B^T with A
// [64,16] and B [8, 32, 64, 96, 128 or 192,16], from operands in either order of their axes.
//
// An operand lies in lines of LINE = 64 or 128 bytes, eight lines one behind the other and the next eight `eight_bytes`
// further, from any multiple of LINE bytes on. The 16-byte parts of a line are at part ^ (address / 128 % (LINE / 16)): where
// the copy engine puts them, whatever lines an operand begins with. With the depth fastest a line is a row of the matrix;
// with the other axis fastest a line is LINE / 2 of its rows at one depth, and the next rows come `block_bytes` further.
// d[N / 2] of warp w, lane l, with g = l / 4 and t = l % 4: d[4 j + i] = D[16 w + g + i / 2 * 8][8 j + 2 t + i % 2].
// Products go on while the threads do, as in wgmma.cuh.
// Numerics   as mma.cuh. The stand-in multiplies when it is asked.
// Reference  PTX ISA 9.0, 9.7.15 "Asynchronous warpgroup level matrix instructions", "Matrix descriptor".
#pragma once
#include "tile_load.cuh"
#include "wgmma.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

// A number that is the same in all lanes of a warp. From a reduction the compiler knows it to be, and counts on in the registers
// of the whole warp, of which products read.
__device__ __forceinline__ unsigned same_in_warp(unsigned number) {
#ifdef __CUDACC__
    return __reduce_or_sync(~0u, number);
#else
    return number;
#endif
}

// One operand of a product: DEPTH fastest or OUTER fastest.
template <int LINE, Fastest FASTEST>
struct ProductOperand {
    static_assert(LINE == 64 || LINE == 128, "a line is as long as its swizzle");
    static constexpr int TRANSPOSED = FASTEST == Fastest::OUTER;
#ifdef __CUDACC__
    unsigned low, high;

    // Bits 0-13 address / 16; 16-29 from one block to the next / 16, unused with the depth fastest; 32-45 from eight lines
    // to the next / 16; 62-63 swizzle of 128 or 64 bytes.
    __device__ __forceinline__ explicit ProductOperand(const void* shared, int eight_bytes = 8 * LINE, int block_bytes = 16)
        : low(same_in_warp(((unsigned)__cvta_generic_to_shared(shared) & 0x3ffff) >> 4) | (unsigned)(block_bytes >> 4) << 16),
          high((unsigned)(eight_bytes >> 4) | (LINE == 128 ? 1u : 2u) << 30) {}

    // The same, `bytes` further: lines, or 32 bytes of a line for the next 16 in depth.
    __device__ __forceinline__ uint64_t at(int bytes) const {
        return (uint64_t)high << 32 | (low + (unsigned)(bytes >> 4));
    }
#else
    const unsigned char* lines;
    int eight_bytes, block_bytes;

    explicit ProductOperand(const void* shared, int eight_bytes = 8 * LINE, int block_bytes = 16)
        : lines(static_cast<const unsigned char*>(shared)), eight_bytes(eight_bytes), block_bytes(block_bytes) {
        if (reinterpret_cast<uintptr_t>(shared) % LINE != 0) standin::current->block->fail("wgmma: between lines");
    }

    ProductOperand at(int bytes) const {
        ProductOperand moved = *this;
        moved.lines += bytes;
        return moved;
    }

    // 16 values in depth of one row.
    void read(int row, float (&to)[16]) const {
        const int per_line = LINE / 2;
        for (int k = 0; k < 16; k++) {
            auto at = reinterpret_cast<uintptr_t>(lines);
            int line = TRANSPOSED ? k : row, inner = TRANSPOSED ? row % per_line : k;
            at += line / 8 * (intptr_t)eight_bytes + line % 8 * LINE + inner * 2;
            if (TRANSPOSED) at += row / per_line * (intptr_t)block_bytes;
            uint16_t bits;
            std::memcpy(&bits, reinterpret_cast<void*>(standin::EncodedTensorMap::swizzled(at, LINE == 128 ? 3 : 2)), 2);
            to[k] = __uint_as_float((unsigned)bits << 16);
        }
    }
#endif
};

// What this thread stored in shared memory is there for products after the next barrier.
__device__ __forceinline__ void fence_shared() {
#ifdef __CUDACC__
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// Until at most PENDING of the latest groups are still going on; with 0 the sums pass through, so that nobody reads them before.
template <int PENDING, int COUNT>
__device__ __forceinline__ void wait_products(float (&d)[COUNT]) {
#ifdef __CUDACC__
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
    if constexpr (PENDING == 0) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) asm volatile("" : "+f"(d[i])::"memory");
    }
#else
    (void)d;
#endif
}

#ifdef __CUDACC__
#define SUMS4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define SUMS16(i) SUMS4(i), SUMS4(i + 4), SUMS4(i + 8), SUMS4(i + 12)

template <int A_TRANSPOSED, int B_TRANSPOSED>
__device__ __forceinline__ void wgmma_bf16(float (&d)[4], uint64_t a, uint64_t b, int adds) {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %6, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3}, "
        "%4, %5, adds, 1, 1, %7, %8;\n"
        "}"
        : SUMS4(0)
        : "l"(a), "l"(b), "r"(adds), "n"(A_TRANSPOSED), "n"(B_TRANSPOSED));
}

template <int A_TRANSPOSED, int B_TRANSPOSED>
__device__ __forceinline__ void wgmma_bf16(float (&d)[16], uint64_t a, uint64_t b, int adds) {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %18, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, "
        "%16, %17, adds, 1, 1, %19, %20;\n"
        "}"
        : SUMS16(0)
        : "l"(a), "l"(b), "r"(adds), "n"(A_TRANSPOSED), "n"(B_TRANSPOSED));
}

template <int A_TRANSPOSED, int B_TRANSPOSED>
__device__ __forceinline__ void wgmma_bf16(float (&d)[32], uint64_t a, uint64_t b, int adds) {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
        "%32, %33, adds, 1, 1, %35, %36;\n"
        "}"
        : SUMS16(0), SUMS16(16)
        : "l"(a), "l"(b), "r"(adds), "n"(A_TRANSPOSED), "n"(B_TRANSPOSED));
}

template <int A_TRANSPOSED, int B_TRANSPOSED>
__device__ __forceinline__ void wgmma_bf16(float (&d)[48], uint64_t a, uint64_t b, int adds) {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %50, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47}, "
        "%48, %49, adds, 1, 1, %51, %52;\n"
        "}"
        : SUMS16(0), SUMS16(16), SUMS16(32)
        : "l"(a), "l"(b), "r"(adds), "n"(A_TRANSPOSED), "n"(B_TRANSPOSED));
}

template <int A_TRANSPOSED, int B_TRANSPOSED>
__device__ __forceinline__ void wgmma_bf16(float (&d)[64], uint64_t a, uint64_t b, int adds) {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "%64, %65, adds, 1, 1, %67, %68;\n"
        "}"
        : SUMS16(0), SUMS16(16), SUMS16(32), SUMS16(48)
        : "l"(a), "l"(b), "r"(adds), "n"(A_TRANSPOSED), "n"(B_TRANSPOSED));
}

template <int A_TRANSPOSED, int B_TRANSPOSED>
__device__ __forceinline__ void wgmma_bf16(float (&d)[96], uint64_t a, uint64_t b, int adds) {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %98, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n192k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
        "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
        "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95}, "
        "%96, %97, adds, 1, 1, %99, %100;\n"
        "}"
        : SUMS16(0), SUMS16(16), SUMS16(32), SUMS16(48), SUMS16(64), SUMS16(80)
        : "l"(a), "l"(b), "r"(adds), "n"(A_TRANSPOSED), "n"(B_TRANSPOSED));
}

#undef SUMS16
#undef SUMS4
#else
template <int A_TRANSPOSED, int B_TRANSPOSED, int COUNT, class A, class B>
void wgmma_bf16(float (&d)[COUNT], const A& a, const B& b, int adds) {
    static_assert(A::TRANSPOSED == A_TRANSPOSED && B::TRANSPOSED == B_TRANSPOSED, "the operands' order");
    int warp = threadIdx.x / 32 % 4, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    bool truncating = standin::current->block->launch->truncating;
    float rows[2][16], column[16];
    for (int half = 0; half < 2; half++) a.read(16 * warp + g + 8 * half, rows[half]);
    for (int c = 0; c < COUNT / 2; c++) { // of this thread
        b.read(c / 2 * 8 + 2 * t + c % 2, column);
        for (int half = 0; half < 2; half++) {
            float& sum = d[c / 2 * 4 + half * 2 + c % 2];
            if (!adds) sum = 0;
            for (int k = 0; k < 16; k++) {
                double exact = sum + (double)rows[half][k] * column[k];
                sum = truncating ? standin::toward_zero(exact) : (float)exact;
            }
        }
    }
}
#endif

#endif
