// wgmma_store.cuh: the sums of wgmma_bf16.cuh to rows in bf16.
#pragma once
#include "async_copy.cuh"
#include "bf16.cuh"
#include "tile_store.cuh"

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

// One of the two rows of a lane, `half` 0 or 1, in its four lanes: sums + bias, and the addend if one is `added`, rounded;
// bias [COLUMNS] in shared memory or null. A lane has two of every eight columns. All lanes of the warp call it.
template <int COLUMNS>
struct PackedRow {
    unsigned words[COLUMNS / 32][4];

    __device__ __forceinline__ void pack(int block, const float (&sum)[COLUMNS / 2], int half, const float* bias,
                                         const RowAddend<COLUMNS>& addend, bool added) {
        int t = threadIdx.x % 4;
        unsigned more[4] = {};
        if (added) {
            uint4 eight = addend.eight[block];
            more[0] = eight.x, more[1] = eight.y, more[2] = eight.z, more[3] = eight.w;
            transpose_quad(more, t);
        }
#pragma unroll
        for (int n = 0; n < 4; n++) {
            const float* two = sum + (block * 4 + n) * 4 + 2 * half;
            float2 its = make_float2(0, 0);
            if (bias != nullptr) its = *reinterpret_cast<const float2*>(bias + block * 32 + 8 * n + 2 * t);
            float low = two[0] + __uint_as_float(more[n] << 16) + its.x;
            float high = two[1] + __uint_as_float(more[n] & 0xffff0000u) + its.y;
            words[block][n] = pack_bf16(low, high);
        }
    }

    // To memory, the row from `to` on, aligned to 16 bytes; nothing where it is not `inside`. A lane stores eight columns.
    __device__ __forceinline__ void write(int block, bf16* to, bool inside) {
        int t = threadIdx.x % 4;
        transpose_quad(words[block], t);
        uint4 eight = make_uint4(words[block][0], words[block][1], words[block][2], words[block][3]);
        if (inside) *reinterpret_cast<uint4*>(to + block * 32 + 8 * t) = eight;
    }

    __device__ __forceinline__ void pack(const float (&sum)[COLUMNS / 2], int half, const float* bias,
                                         const RowAddend<COLUMNS>& addend, bool added) {
#pragma unroll
        for (int block = 0; block < COLUMNS / 32; block++) pack(block, sum, half, bias, addend, added);
    }

    __device__ __forceinline__ void write(bf16* to, bool inside) {
#pragma unroll
        for (int block = 0; block < COLUMNS / 32; block++) write(block, to, inside);
    }
};

// Both at once, 32 columns after another.
template <int COLUMNS>
__device__ __forceinline__ void store_row(bf16* to, const float (&sum)[COLUMNS / 2], int half, const float* bias,
                                          const RowAddend<COLUMNS>& addend, bool added, bool inside) {
    PackedRow<COLUMNS> row;
#pragma unroll
    for (int block = 0; block < COLUMNS / 32; block++) {
        row.pack(block, sum, half, bias, addend, added);
        row.write(block, to, inside);
    }
}
