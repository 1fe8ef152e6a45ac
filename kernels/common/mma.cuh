// mma.cuh: products of small matrices by a warp on tensor cores, d += a b, f32 sums (mma.sync and ldmatrix, sm_80).
//
// Lane l holds, with g = l / 4 and t = l % 4:
//   m16n8k16 bf16  a[0] = A[g][2t..]  a[1] = A[g+8][2t..]  a[2] = A[g][2t+8..]  a[3] = A[g+8][2t+8..]   (2 values each)
//                  b[0] = B[2t..][g]  b[1] = B[2t+8..][g]                       d as below
//   m16n8k8 tf32   a[0] = A[g][t]     a[1] = A[g+8][t]     a[2] = A[g][t+4]     a[3] = A[g+8][t+4]
//                  b[0] = B[t][g]     b[1] = B[t+4][g]
//   m16n8k32 s8    as bf16 with twice as many values of one byte, and 32-bit integers for sums
//   all            d[0] = D[g][2t]    d[1] = D[g][2t+1]    d[2] = D[g+8][2t]    d[3] = D[g+8][2t+1]
// Numerics   the device adds in an unspecified order and may truncate; the stand-in adds in ascending k, each sum
//            rounded to nearest, or toward zero if its setting `truncate` says so. s8 is exact, modulo 2^32.
// Reference  PTX ISA 9.0, 9.7.14.5 "Matrix multiply-accumulate operation using mma instruction", figures 71 to 86.
#pragma once
#include "bf16.cuh"

#ifndef __CUDACC__
namespace standin {

struct MmaOperands {
    float* d;
    const unsigned* a;
    const unsigned* b;
};

inline float toward_zero(double x) {
    float rounded = static_cast<float>(x);
    return std::fabs(rounded) > std::fabs(x) ? std::nextafterf(rounded, 0.0f) : rounded;
}

// K of the product; PACKED values of A and B per register.
template <int K, int PACKED>
inline void mma_on_warp(void** pointers, unsigned mask) {
    if (mask != ~0u) current->block->fail("a tensor-core product needs all 32 lanes");
    constexpr int HALF = K / 2, SPREAD = HALF / 4; // columns of half the depth; values of a register
    static_assert(SPREAD == PACKED, "four lanes hold half the depth");
    auto value = [](unsigned word, int i) {
        return PACKED == 2 ? __uint_as_float(i == 0 ? word << 16 : word & 0xffff0000u) : __uint_as_float(word & 0xffffe000u);
    };
    float a[16][K], b[K][8];
    for (int lane = 0; lane < 32; lane++) {
        const auto& held = *static_cast<MmaOperands*>(pointers[lane]);
        int g = lane / 4, t = lane % 4;
        for (int i = 0; i < PACKED; i++) {
            for (int r = 0; r < 4; r++) a[g + r % 2 * 8][t * PACKED + r / 2 * HALF + i] = value(held.a[r], i);
            for (int r = 0; r < 2; r++) b[t * PACKED + r * HALF + i][g] = value(held.b[r], i);
        }
    }
    for (int lane = 0; lane < 32; lane++) {
        const auto& held = *static_cast<MmaOperands*>(pointers[lane]);
        for (int r = 0; r < 4; r++) {
            int row = lane / 4 + r / 2 * 8, column = lane % 4 * 2 + r % 2;
            float sum = held.d[r];
            if (current->block->launch->truncating) {
                for (int k = 0; k < K; k++) sum = toward_zero(sum + (double)a[row][k] * b[k][column]);
            } else {
                for (int k = 0; k < K; k++) sum += a[row][k] * b[k][column];
            }
            held.d[r] = sum;
        }
    }
}

struct MmaIntegers {
    int* d;
    const unsigned* a;
    const unsigned* b;
};

inline void mma_s8_on_warp(void** pointers, unsigned mask) {
    if (mask != ~0u) current->block->fail("a tensor-core product needs all 32 lanes");
    int a[16][32], b[32][8];
    for (int lane = 0; lane < 32; lane++) {
        const auto& held = *static_cast<MmaIntegers*>(pointers[lane]);
        int g = lane / 4, t = lane % 4;
        for (int i = 0; i < 4; i++) {
            for (int r = 0; r < 4; r++) a[g + r % 2 * 8][t * 4 + r / 2 * 16 + i] = static_cast<int8_t>(held.a[r] >> 8 * i);
            for (int r = 0; r < 2; r++) b[t * 4 + r * 16 + i][g] = static_cast<int8_t>(held.b[r] >> 8 * i);
        }
    }
    for (int lane = 0; lane < 32; lane++) {
        const auto& held = *static_cast<MmaIntegers*>(pointers[lane]);
        for (int r = 0; r < 4; r++) {
            int row = lane / 4 + r / 2 * 8, column = lane % 4 * 2 + r % 2;
            unsigned sum = held.d[r];
            for (int k = 0; k < 32; k++) sum += static_cast<unsigned>(a[row][k] * b[k][column]);
            held.d[r] = static_cast<int>(sum);
        }
    }
}

struct MatrixLoad {
    const void* row;
    unsigned* registers;
    int count;
    bool transposed;
};

// `count` 8x8 matrices of 16-bit values; lane 8 m + i brings the address of row i of matrix m.
inline void load_matrices(void** pointers, unsigned mask) {
    if (mask != ~0u) current->block->fail("ldmatrix needs all 32 lanes");
    uint16_t matrix[4][8][8];
    int count = static_cast<MatrixLoad*>(pointers[0])->count;
    bool transposed = static_cast<MatrixLoad*>(pointers[0])->transposed;
    for (int lane = 0; lane < 8 * count; lane++) {
        const void* row = static_cast<MatrixLoad*>(pointers[lane])->row;
        if (reinterpret_cast<uintptr_t>(row) % 16 != 0) current->block->fail("ldmatrix: a row that is not 16-byte aligned");
        std::memcpy(matrix[lane / 8][lane % 8], row, 16);
    }
    for (int lane = 0; lane < 32; lane++) {
        unsigned* registers = static_cast<MatrixLoad*>(pointers[lane])->registers;
        int g = lane / 4, t = lane % 4 * 2;
        for (int m = 0; m < count; m++) {
            unsigned low = transposed ? matrix[m][t][g] : matrix[m][g][t];
            unsigned high = transposed ? matrix[m][t + 1][g] : matrix[m][g][t + 1];
            registers[m] = low | high << 16;
        }
    }
}

} // namespace standin
#endif

__device__ __forceinline__ void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef __CUDACC__
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    standin::MmaOperands held {d, a, b};
    standin::current->block->warp_operation(~0u, &held, standin::mma_on_warp<16, 2>, "mma");
#endif
}

// The same with half of the depth: the first two registers of a, the first of b.
__device__ __forceinline__ void mma_bf16_half(float (&d)[4], const unsigned (&a)[4], unsigned b) {
#ifdef __CUDACC__
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(b));
#else
    mma_bf16(d, {a[0], a[1], 0, 0}, {b, 0});
#endif
}

__device__ __forceinline__ void mma_bf16_half(float (&d)[4], const unsigned (&a)[4], unsigned b, const float4& begin) {
#ifdef __CUDACC__
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%7,%8,%9,%10};"
                 : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(b), "f"(begin.x), "f"(begin.y), "f"(begin.z), "f"(begin.w));
#else
    d[0] = begin.x, d[1] = begin.y, d[2] = begin.z, d[3] = begin.w;
    mma_bf16_half(d, a, b);
#endif
}

// d = a b + begin.
__device__ __forceinline__ void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const float4& begin) {
#ifdef __CUDACC__
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};"
                 : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(begin.x), "f"(begin.y), "f"(begin.z),
                   "f"(begin.w));
#else
    d[0] = begin.x, d[1] = begin.y, d[2] = begin.z, d[3] = begin.w;
    mma_bf16(d, a, b);
#endif
}

// a and b hold f32 bits rounded by to_tf32 or tf32_bits; the 13 low ones are not looked at.
__device__ __forceinline__ void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef __CUDACC__
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    standin::MmaOperands held {d, a, b};
    standin::current->block->warp_operation(~0u, &held, standin::mma_on_warp<8, 1>, "mma");
#endif
}

__device__ __forceinline__ void mma_s8(int (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef __CUDACC__
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    standin::MmaIntegers held {d, a, b};
    standin::current->block->warp_operation(~0u, &held, standin::mma_s8_on_warp, "mma");
#endif
}

// 10 bits of mantissa, rounded to nearest, ties away from zero (cvt.rna).
__device__ __forceinline__ unsigned to_tf32(float x) {
#ifdef __CUDACC__
    unsigned y;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
    return y;
#else
    unsigned u = __float_as_uint(x);
    if ((u & 0x7f800000u) == 0x7f800000u) return u;
    return (u + 0x1000u) & 0xffffe000u;
#endif
}

// As to_tf32, with other bits in the 13 places that products do not look at: one instruction less.
__device__ __forceinline__ unsigned tf32_bits(float x) {
    unsigned u = __float_as_uint(x);
    return fabsf(x) < __int_as_float(0x7f800000) ? u + 0x1000u : u;
}

// COUNT 8x8 matrices of 16-bit values from shared memory; lane 8 m + i gives row i of matrix m. TRANSPOSED swaps rows
// and columns of each.
template <int COUNT, bool TRANSPOSED = false>
__device__ __forceinline__ void load_matrix(unsigned (&registers)[COUNT], const void* row) {
    static_assert(COUNT == 2 || COUNT == 4, "two or four matrices");
#ifdef __CUDACC__
    unsigned from = (unsigned)__cvta_generic_to_shared(row);
    if constexpr (COUNT == 4 && TRANSPOSED) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                     : "r"(from) : "memory");
    } else if constexpr (COUNT == 4) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                     : "r"(from) : "memory");
    } else if constexpr (TRANSPOSED) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                     : "=r"(registers[0]), "=r"(registers[1]) : "r"(from) : "memory");
    } else {
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
                     : "=r"(registers[0]), "=r"(registers[1]) : "r"(from) : "memory");
    }
#else
    standin::MatrixLoad load {row, registers, COUNT, TRANSPOSED};
    standin::current->block->warp_operation(~0u, &load, standin::load_matrices, "ldmatrix");
#endif
}

// Four 8x8 matrices of bf16, each as a product's sums lie in registers, to shared memory: one beside, below and across the
// other, rows `pitch` values apart, matrix m at row m % 2 * 8 and column m / 2 * 8. Rows aligned to 16 bytes.
__device__ __forceinline__ void store_matrix(bf16* to, int pitch, const unsigned (&words)[4]) {
    int lane = threadIdx.x % 32;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    unsigned row = (unsigned)__cvta_generic_to_shared(to + lane % 16 * pitch + lane / 16 * 8);
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1,%2,%3,%4};" ::"r"(row), "r"(words[0]), "r"(words[1]),
                 "r"(words[2]), "r"(words[3])
                 : "memory");
#else
#pragma unroll
    for (int m = 0; m < 4; m++) *(unsigned*)(to + (m % 2 * 8 + lane / 4) * pitch + m / 2 * 8 + lane % 4 * 2) = words[m];
#endif
}
