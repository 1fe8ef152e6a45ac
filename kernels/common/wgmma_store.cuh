// wgmma_store.cuh: the sums of wgmma_bf16.cuh to rows in bf16.
#pragma once
#include "bf16.cuh"
#include "tile_store.cuh"

// One of the two rows of a lane, `half` 0 or 1, COLUMNS values from `to` on, aligned to 16 bytes: to = sums + bias + addend,
// each null or of as many values. Four lanes have a row; each has two of every eight columns, and stores eight. All lanes
// of the warp call it; nothing is read or written where a row is not `inside`.
template <int COLUMNS>
__device__ __forceinline__ void store_row(bf16* to, const float (&sum)[COLUMNS / 2], int half, const float* bias,
                                          const bf16* addend, bool inside) {
    int t = threadIdx.x % 4;
#pragma unroll
    for (int first = 0; first < COLUMNS; first += 32) {
        unsigned words[4] = {};
        if (addend != nullptr) {
            if (inside) {
                uint4 eight = *reinterpret_cast<const uint4*>(addend + first + 8 * t);
                words[0] = eight.x, words[1] = eight.y, words[2] = eight.z, words[3] = eight.w;
            }
            transpose_quad(words, t);
        }
#pragma unroll
        for (int n = 0; n < 4; n++) {
            const float* two = sum + (first / 8 + n) * 4 + 2 * half;
            const float* added = bias + first + 8 * n + 2 * t;
            float low = two[0] + __uint_as_float(words[n] << 16), high = two[1] + __uint_as_float(words[n] & 0xffff0000u);
            if (bias != nullptr) low += added[0], high += added[1];
            words[n] = pack_bf16(low, high);
        }
        transpose_quad(words, t);
        if (inside) *reinterpret_cast<uint4*>(to + first + 8 * t) = make_uint4(words[0], words[1], words[2], words[3]);
    }
}
