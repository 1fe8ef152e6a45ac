// attention.cuh: the two products of attention, for any head size, by a block of 256 threads that owns up to 16 rows.
//
// The weights of the rows stay in shared memory, [rows,padded]: one number for each of the T tokens, filled up to whole
// tiles of 64. Factors pass through a tile in shared memory as f32. A thread computes 4 rows of one column, so that a
// read of 4 values from the tile of columns meets 16 products; rows are read by all lanes of a warp at once.
#pragma once
#include "bf16.cuh"
#include "reduce.cuh"

constexpr int ATTENTION_THREADS = 256;
constexpr int ATTENTION_BLOCKS = 2; // resident: 128 registers; 3 would spill
constexpr int MOST_ROWS = 16;
constexpr int COLUMNS = 64;        // of a tile
constexpr int DEPTH = 32;          // of a tile of scores
constexpr int PITCH = DEPTH + 4;   // floats: 8 lanes that read 4 each touch all 32 banks once
constexpr int TILE = COLUMNS * 64; // floats; scores need (16 + 64) * PITCH = 2,880
static_assert((MOST_ROWS + COLUMNS) * PITCH <= TILE, "both tiles of scores fit");

// Vectors of a head: `count` of them, `stride` elements apart.
template <class T>
struct Vectors {
    const T* first;
    int64_t stride;
    int count;

    // Zero outside.
    __device__ __forceinline__ float at(int index, int d, int depth) const {
        return index < count && d < depth ? to_float(first[index * stride + d]) : 0.0f;
    }
};

// weights[r][j] = a_r . b_j, zero where either is outside.
template <class T>
__device__ __forceinline__ void product_rows(Vectors<T> a, Vectors<T> b, int depth, int rows, int padded, float* tile,
                                             float* weights) {
    float* tile_a = tile;                    // [16,PITCH]
    float* tile_b = tile + MOST_ROWS * PITCH; // [64,PITCH]
    int column = threadIdx.x % COLUMNS, row = threadIdx.x / COLUMNS;
    for (int from = 0; from < padded; from += COLUMNS) {
        float total[4] = {};
        for (int d0 = 0; d0 < depth; d0 += DEPTH) {
            __syncthreads(); // nobody reads the tile before any more
            int d = threadIdx.x % DEPTH;
            for (int i = threadIdx.x / DEPTH; i < MOST_ROWS; i += ATTENTION_THREADS / DEPTH) {
                tile_a[i * PITCH + d] = a.at(i, d0 + d, depth);
            }
            for (int i = threadIdx.x / DEPTH; i < COLUMNS; i += ATTENTION_THREADS / DEPTH) {
                tile_b[i * PITCH + d] = b.at(from + i, d0 + d, depth);
            }
            __syncthreads(); // the tile is there
            float part[4] = {};
#pragma unroll 2
            for (int k = 0; k < DEPTH; k += 4) {
                float4 y = *(const float4*)(tile_b + column * PITCH + k);
#pragma unroll
                for (int m = 0; m < 4; m++) {
                    float4 x = *(const float4*)(tile_a + (row + 4 * m) * PITCH + k);
                    part[m] += x.x * y.x + x.y * y.y + x.z * y.z + x.w * y.w;
                }
            }
            for (int m = 0; m < 4; m++) total[m] += part[m];
        }
        for (int m = 0; m < 4; m++) {
            if (row + 4 * m < rows) weights[(row + 4 * m) * padded + from + column] = total[m];
        }
    }
    __syncthreads(); // all weights are there
}

// write(r, d, sum_j weights[r][j] b_j[d]) for r < rows.
template <class T, class F>
__device__ __forceinline__ void weighted_rows(const float* weights, Vectors<T> b, int depth, int rows, int padded,
                                              float* tile, F write) {
    int column = threadIdx.x % COLUMNS, row = threadIdx.x / COLUMNS;
    for (int d0 = 0; d0 < depth; d0 += COLUMNS) {
        float total[4] = {};
        for (int from = 0; from < padded; from += COLUMNS) {
            __syncthreads(); // nobody reads the tile before any more; the weights are there
            for (int i = row; i < COLUMNS; i += 4) tile[i * COLUMNS + column] = b.at(from + i, d0 + column, depth);
            __syncthreads(); // the tile is there
            float part[4] = {};
#pragma unroll 2
            for (int j = 0; j < COLUMNS; j += 4) {
                const float* y = tile + j * COLUMNS + column;
#pragma unroll
                for (int m = 0; m < 4; m++) {
                    if (row + 4 * m >= rows) break;
                    float4 x = *(const float4*)(weights + (row + 4 * m) * padded + from + j);
                    part[m] += x.x * y[0] + x.y * y[COLUMNS] + x.z * y[2 * COLUMNS] + x.w * y[3 * COLUMNS];
                }
            }
            for (int m = 0; m < 4; m++) total[m] += part[m];
        }
        for (int m = 0; m < 4; m++) {
            if (row + 4 * m < rows && d0 + column < depth) write(row + 4 * m, d0 + column, total[m]);
        }
    }
}
