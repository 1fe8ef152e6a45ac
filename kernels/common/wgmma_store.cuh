// wgmma_store.cuh: the sums of wgmma_bf16.cuh to rows in bf16.
#pragma once
#include "bf16.cuh"
#include "tile_store.cuh"

// Starts to bring what is wanted at the end of a product to L2, where the store of a tile would wait for device memory.
__device__ __forceinline__ void prefetch_line(const void* at) {
#ifdef __CUDACC__
    asm volatile("prefetch.global.L2 [%0];" ::"l"(at));
#else
    (void)at;
#endif
}

// Of a row of COLUMNS values, which its tensor has from `row` on: 128 bytes a line.
template <int COLUMNS>
__device__ __forceinline__ void prefetch_row(const bf16* row) {
#pragma unroll
    for (int at = 0; at < COLUMNS; at += 64) prefetch_line(row + at);
}

// What is added to a row, in the lanes that store it: of every 32 values eight. All rows of a lane are loaded before the
// first is stored, or each would wait for its own.
template <int COLUMNS>
struct RowAddend {
    uint4 eight[COLUMNS / 32];

    __device__ __forceinline__ void load(const bf16* from, bool inside) {
#pragma unroll
        for (int n = 0; n < COLUMNS / 32; n++) {
            eight[n] = make_uint4(0, 0, 0, 0);
            if (inside) eight[n] = *reinterpret_cast<const uint4*>(from + 32 * n + threadIdx.x % 4 * 8);
        }
    }
};

// One of the two rows of a lane, `half` 0 or 1, COLUMNS values from `to` on, aligned to 16 bytes: to = sums + bias, and the
// addend if one is `added`; bias [COLUMNS] in shared memory. Four lanes have a row; each has two of every eight columns,
// and stores eight. All lanes of the warp call it; nothing is written where a row is not `inside`.
template <int COLUMNS>
__device__ __forceinline__ void store_row(bf16* to, const float (&sum)[COLUMNS / 2], int half, const float* bias,
                                          const RowAddend<COLUMNS>& addend, bool added, bool inside) {
    int t = threadIdx.x % 4;
#pragma unroll
    for (int first = 0; first < COLUMNS; first += 32) {
        uint4 eight = addend.eight[first / 32];
        unsigned words[4] = {};
        if (added) {
            words[0] = eight.x, words[1] = eight.y, words[2] = eight.z, words[3] = eight.w;
            transpose_quad(words, t);
        }
#pragma unroll
        for (int n = 0; n < 4; n++) {
            const float* two = sum + (first / 8 + n) * 4 + 2 * half;
            float2 more = *reinterpret_cast<const float2*>(bias + first + 8 * n + 2 * t);
            float low = two[0] + __uint_as_float(words[n] << 16) + more.x;
            float high = two[1] + __uint_as_float(words[n] & 0xffff0000u) + more.y;
            words[n] = pack_bf16(low, high);
        }
        transpose_quad(words, t);
        if (inside) *reinterpret_cast<uint4*>(to + first + 8 * t) = make_uint4(words[0], words[1], words[2], words[3]);
    }
}
