// bias.cu: adds the bias to a product that a vendor's library computed; our own products add it in their epilogue.
//
// Math         y[m,k] += bias[k]
// Shapes       y [M,K] f32 or bf16, changed in place; bias [K] f32
// Layout       K fastest.
// Requires     nothing; 16 bytes at a time where K is a multiple of as many values and both are aligned to 16 bytes.
// Tiling       one thread per 16 bytes of y. The bias stays in the cache.
// Numerics     the sum in f32, then rounded to the type of y, which the product was rounded to before: twice in bf16.
// Determinism  run-to-run: every value is one thread's.
// Cost         y is read and written: memory-bound.
// Reference    LinearReference, Conv2dReference (double)
#include "packed.cuh"

struct BiasArgs {
    void* y;
    const float* bias;
    int64_t n; // M * K
    int columns; // K
    int packed;
};
LAYOUT(BiasArgs, y, bias, n, columns, packed)

template <class T>
__device__ __forceinline__ void add_bias(const BiasArgs& a) {
    constexpr int SIZE = PACKED<T>;
    int64_t first = (blockIdx.x * (int64_t)blockDim.x + threadIdx.x) * SIZE;
    if (first >= a.n) return;
    if (a.packed) {
        float y[SIZE];
        uint4* at = (uint4*)((T*)a.y + first);
        unpack(*at, y);
        const float* bias = a.bias + first % a.columns;
#pragma unroll
        for (int i = 0; i < SIZE; i += 4) {
            float part[4];
            unpack(*(const uint4*)(bias + i), part);
            for (int j = 0; j < 4; j++) y[i + j] += part[j];
        }
        *at = pack(y);
        return;
    }
    for (int64_t i = first; i < first + SIZE && i < a.n; i++) {
        T* y = (T*)a.y + i;
        *y = from_float<T>(to_float(*y) + a.bias[i % a.columns]);
    }
}

KERNEL_ALONE(add_bias_f32, BiasArgs, 256) { add_bias<float>(a); }
KERNEL_ALONE(add_bias_bf16, BiasArgs, 256) { add_bias<bf16>(a); }
