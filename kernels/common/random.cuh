// random.cuh: the CUDA twin of dev.rote.random.Philox and Draw, bit for bit. Under g++ it needs -ffp-contract=off.
// Under g++ it gives the bits of the Java code (4 million normals), on a GPU those of the CPU device (CudaTrainingTest).
#pragma once
#include <stdint.h>
#ifdef __CUDA_ARCH__
#define RR_FMA(a, b, c) __fmaf_rn(a, b, c)
#define RR_MUL(a, b) __fmul_rn(a, b)
#define RR_ADD(a, b) __fadd_rn(a, b)
#define RR_SQRT(a) __fsqrt_rn(a)
#define RR_BITS(a) __float_as_int(a)
#define RR_FLOAT(a) __int_as_float(a)
#else
#include <math.h>
#include <string.h>
#define RR_FMA(a, b, c) fmaf(a, b, c)
#define RR_MUL(a, b) ((a) * (b))
#define RR_ADD(a, b) ((a) + (b))
#define RR_SQRT(a) sqrtf(a)
static inline int RR_BITS(float a) { int i; memcpy(&i, &a, 4); return i; }
static inline float RR_FLOAT(int i) { float a; memcpy(&a, &i, 4); return a; }
#endif
#ifdef __CUDACC__
#define RR_FN static __device__ __host__ __forceinline__
#else
#define RR_FN static inline
#endif

// w[4]: Philox4x32-10 of key (seed low, high), counter (block low, high, step, purpose)
RR_FN void philox(uint64_t seed, uint64_t block, uint32_t step, uint32_t purpose, uint32_t w[4]) {
    uint32_t x0 = (uint32_t)block, x1 = (uint32_t)(block >> 32), x2 = step, x3 = purpose;
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int r = 0; r < 10; r++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * x0, p1 = (uint64_t)0xCD9E8D57u * x2;
        x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)p1;
        x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    w[0] = x0; w[1] = x1; w[2] = x2; w[3] = x3;
}

// The words of `count` elements from `element` on, both multiples of 4.
RR_FN void element_words(uint64_t seed, int64_t element, int count, int step, int purpose, uint32_t* words) {
    for (int i = 0; i < count; i += 4) {
        philox(seed, (uint64_t)(element + i) / 4, (uint32_t)step, (uint32_t)purpose, words + i);
    }
}

RR_FN uint32_t draw_below(uint32_t word, uint32_t n) { return (uint32_t)(((uint64_t)word * n) >> 32); }

RR_FN float draw_uniform(uint32_t word) { return RR_MUL(RR_ADD((float)(int)(word >> 9), 0.5f), 0x1p-23f); }

// Two standard normals from two words: Box-Muller
RR_FN void draw_normals(uint32_t radius_word, uint32_t angle_word, float* z_cos, float* z_sin) {
    float low = RR_MUL(RR_ADD((float)(int)(radius_word & 0xffffu), 0.5f), 0x1p-32f);
    float u = RR_FMA((float)(int)(radius_word >> 16), 0x1p-16f, low);
    int bits = RR_BITS(u);
    int exponent = (bits - 0x3f3504f3) >> 23;
    float f = RR_ADD(RR_FLOAT(bits - exponent * (1 << 23)), -1.0f);
    float p = RR_FMA(-0x1.38c9dep-4f, f, 0x1.055ec6p-3f);
    p = RR_FMA(p, f, -0x1.0d8242p-3f);
    p = RR_FMA(p, f, 0x1.22d92ep-3f);
    p = RR_FMA(p, f, -0x1.54728ap-3f);
    p = RR_FMA(p, f, 0x1.99a01cp-3f);
    p = RR_FMA(p, f, -0x1.000226p-2f);
    p = RR_FMA(p, f, 0x1.555554p-2f);
    p = RR_FMA(p, f, -0.5f);
    float ln = RR_FMA((float)exponent, 0x1.62e430p-1f, RR_FMA(p, RR_MUL(f, f), f));
    float radius = RR_SQRT(RR_MUL(-2.0f, ln));

    uint32_t turned = angle_word + 0x20000000u;
    float x = RR_MUL((float)(int)(angle_word - (turned & 0xC0000000u)), 0x1p-29f);
    float q = RR_MUL(x, x);
    float s = RR_MUL(RR_FMA(RR_FMA(RR_FMA(-0x1.33198ep-15f, q, 0x1.4680a4p-9f), q, -0x1.4abc24p-4f), q, 0x1.921fb6p-1f), x);
    float c = RR_FMA(RR_FMA(RR_FMA(RR_FMA(0x1.d4f44ap-19f, q, -0x1.55b2b2p-12f), q, 0x1.03c1b0p-6f), q, -0x1.3bd3ccp-2f), q, 1.0f);
    int odd = (turned & 0x40000000u) != 0;
    float a = odd ? s : c, b = odd ? c : s;
    *z_cos = RR_MUL(radius, ((turned + 0x40000000u) & 0x80000000u) ? -a : a);
    *z_sin = RR_MUL(radius, (turned & 0x80000000u) ? -b : b);
}

// Image index of a sample: position is within its epoch, keys[4] = philox(seed, epoch, 0, 3 /* ORDER */)
RR_FN uint32_t epoch_index(uint32_t position, uint32_t n, const uint32_t keys[4]) {
    int bits = 7;
    while (bits < 31 && (1u << bits) < n) bits++;
    int low = bits / 2, high = bits - low;
    uint32_t v = position;
    do {
        uint32_t left = v >> low, right = v & ((1u << low) - 1);
        int left_bits = high;
        for (int r = 0; r < 12; r++) {
            uint32_t h = right ^ (keys[r & 3] + (uint32_t)r * 0x9E3779B9u);
            h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
            h = (h ^ (h >> 13)) * 0xC2B2AE35u;
            h ^= h >> 16;
            uint32_t mixed = left ^ (h & ((1u << left_bits) - 1));
            left = right;
            right = mixed;
            left_bits = bits - left_bits;
        }
        v = (left << low) | right;
    } while (v >= n);
    return v;
}
