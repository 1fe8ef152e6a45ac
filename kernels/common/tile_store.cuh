// tile_store.cuh: where a tile of a matrix product goes.
#pragma once
#include "bf16.cuh"

// y [rows,columns], the sums of the rows of A, and what is added to each column.
template <class Out>
struct ProductResult {
    Out* y;
    const float* bias; // [columns] or null
    float* row_sums;   // [rows] or null
    int rows, columns;

    __device__ __forceinline__ float bias_of(int column) const { return bias == nullptr ? 0.0f : bias[column]; }

    // Rows start at multiples of 16 bytes, so runs of values that begin at such a multiple may be stored at once.
    __device__ __forceinline__ bool aligned() const {
        return (columns * (int)sizeof(Out)) % 16 == 0 && reinterpret_cast<uintptr_t>(y) % 16 == 0;
    }
};

// Of split `split`: into its part of the workspace, or into the result itself if there is no workspace.
__device__ __forceinline__ ProductResult<float> split_result(float* y, float* row_sums, float* partial, int split,
                                                             int rows, int columns) {
    if (partial == nullptr) return {y, nullptr, row_sums, rows, columns};
    int64_t size = (int64_t)rows * columns;
    float* part = partial + split * (size + (row_sums == nullptr ? 0 : rows));
    return {part, nullptr, row_sums == nullptr ? nullptr : part + size, rows, columns};
}

// The tile of this block: column tiles are next to each other, so blocks that read the same rows of A run together.
struct TilePosition {
    int row, column;
    int64_t batch;

    __device__ __forceinline__ static TilePosition of(int rows, int columns, int tile_rows, int tile_columns) {
        int across = (columns + tile_columns - 1) / tile_columns, down = (rows + tile_rows - 1) / tile_rows;
        int line = blockIdx.x / across, batch = line / down;
        return {(line - batch * down) * tile_rows, ((int)blockIdx.x - line * across) * tile_columns, batch};
    }
};

// COUNT neighbours of a row, COUNT 1, 2 or 4; at once if `whole`, else those that are within.
template <int COUNT, class Out>
__device__ __forceinline__ void store_run(Out* to, const float (&values)[COUNT], int within, bool whole) {
    if (whole && within >= COUNT && COUNT > 1) {
        if constexpr (COUNT == 4 && sizeof(Out) == 4) {
            *reinterpret_cast<float4*>(to) = make_float4(values[0], values[1], values[2], values[3]);
        } else if constexpr (COUNT == 2 && sizeof(Out) == 4) {
            *reinterpret_cast<float2*>(to) = make_float2(values[0], values[1]);
        } else if constexpr (COUNT == 4) {
            *reinterpret_cast<uint2*>(to) = make_uint2(pack_bf16(values[0], values[1]), pack_bf16(values[2], values[3]));
        } else if constexpr (COUNT == 2) {
            *reinterpret_cast<unsigned*>(to) = pack_bf16(values[0], values[1]);
        }
        return;
    }
    for (int i = 0; i < COUNT; i++) {
        if (i < within) to[i] = from_float<Out>(values[i]);
    }
}

// words[n] of lane t becomes words[t] of lane n, among four lanes: two rounds, half of the words in each.
__device__ __forceinline__ void transpose_quad(unsigned (&words)[4], int t) {
#pragma unroll
    for (int bit = 1; bit <= 2; bit *= 2) {
#pragma unroll
        for (int n = 0; n < 4; n++) {
            if ((n & bit) != 0) continue;
            bool upper = (t & bit) != 0;
            unsigned sent = upper ? words[n] : words[n | bit];
            unsigned received = __shfl_xor_sync(~0u, sent, bit);
            words[n] = upper ? received : words[n];
            words[n | bit] = upper ? words[n | bit] : received;
        }
    }
}
