// packed.cuh: 16 bytes of a tensor at a time, as f32.
#pragma once
#include "bf16.cuh"

template <class T>
constexpr int PACKED = 16 / sizeof(T); // 4 or 8 values

__device__ __forceinline__ void unpack(uint4 words, float (&x)[4]) {
    x[0] = __uint_as_float(words.x), x[1] = __uint_as_float(words.y);
    x[2] = __uint_as_float(words.z), x[3] = __uint_as_float(words.w);
}

__device__ __forceinline__ void unpack(uint4 words, float (&x)[8]) {
    unsigned word[4] = {words.x, words.y, words.z, words.w};
    for (int i = 0; i < 4; i++) {
        x[2 * i] = __uint_as_float(word[i] << 16);
        x[2 * i + 1] = __uint_as_float(word[i] & 0xffff0000u);
    }
}

__device__ __forceinline__ uint4 pack(const float (&x)[4]) {
    return make_uint4(__float_as_uint(x[0]), __float_as_uint(x[1]), __float_as_uint(x[2]), __float_as_uint(x[3]));
}

__device__ __forceinline__ uint4 pack(const float (&x)[8]) {
    return make_uint4(pack_bf16(x[0], x[1]), pack_bf16(x[2], x[3]), pack_bf16(x[4], x[5]), pack_bf16(x[6], x[7]));
}
