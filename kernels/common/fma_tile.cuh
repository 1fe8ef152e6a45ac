// fma_tile.cuh: a tile of a matrix product by ordinary multiply-adds, for every shape and alignment.
//
// Tiling       ROWS x COLUMNS values per block, depth 16, ROW_RUN x COLUMN_RUN of them per thread in registers; the next
//              tile is on its way to registers while this one is multiplied, and goes into the other of two buffers
// Numerics     fma in f32; every 64 terms the sum goes into a second accumulator, so that the error of a long sum grows
//              with the number of blocks
// Determinism  a fixed order
#pragma once
#include "tile_load.cuh"
#include "tile_store.cuh"

template <class T, int ROWS_, int COLUMNS_, int ROW_RUN, int COLUMN_RUN>
struct FmaTile {
    static constexpr int ROWS = ROWS_, COLUMNS = COLUMNS_, DEPTH = 16, CHUNK = 1;
    static constexpr int ACROSS = COLUMNS / COLUMN_RUN, THREADS = ROWS / ROW_RUN * ACROSS;
    static constexpr int BLOCK_TILES = 64 / DEPTH;
    // Four more, so that rows stay aligned to float4 and the 16 depths of an outer index lie in 8 banks, not one.
    static constexpr int ROW_PITCH = ROWS + 4, COLUMN_PITCH = COLUMNS + 4;

    float total[ROW_RUN][COLUMN_RUN] = {}, row_total[ROW_RUN] = {};

    __device__ __forceinline__ static int first_row() { return threadIdx.x / ACROSS * ROW_RUN; }
    __device__ __forceinline__ static int first_column() { return threadIdx.x % ACROSS * COLUMN_RUN; }

    template <class Loader>
    __device__ __forceinline__ static void fetch(float (&values)[Loader::LOADS], const Loader& loader) {
#pragma unroll
        for (int i = 0; i < Loader::LOADS; i++) {
            Found<T> found = loader.find(i);
            values[i] = loader.places.active() && found.inside ? to_float(*found.at) : 0.0f;
        }
    }

    template <int PITCH, class Loader>
    __device__ __forceinline__ static void put(float* shared, const float (&values)[Loader::LOADS], const Loader& loader) {
        if (!loader.places.active()) return;
#pragma unroll
        for (int i = 0; i < Loader::LOADS; i++) {
            int outer = loader.places.outer + i * loader.places.outer_step;
            int depth = loader.places.depth + i * loader.places.depth_step;
            shared[depth * PITCH + outer] = values[i];
        }
    }

    template <int COUNT>
    __device__ __forceinline__ static void take(float (&values)[COUNT], const float* shared) {
        if constexpr (COUNT % 4 == 0) {
#pragma unroll
            for (int i = 0; i < COUNT; i += 4) {
                float4 four = *reinterpret_cast<const float4*>(shared + i);
                values[i] = four.x, values[i + 1] = four.y, values[i + 2] = four.z, values[i + 3] = four.w;
            }
        } else {
            static_assert(COUNT == 2, "runs of 2, 4 or 8");
            float2 two = *reinterpret_cast<const float2*>(shared);
            values[0] = two.x, values[1] = two.y;
        }
    }

    // `sum_rows` is the same for the whole block.
    template <class Left, class Right>
    __device__ __forceinline__ void multiply(Left& left, Right& right, int depth, bool sum_rows) {
        __shared__ __align__(16) float rows[2][DEPTH * ROW_PITCH];
        __shared__ __align__(16) float columns[2][DEPTH * COLUMN_PITCH];
        float from_left[Left::LOADS], from_right[Right::LOADS];
        float sum[ROW_RUN][COLUMN_RUN] = {}, row_sum[ROW_RUN] = {};
        int tiles = (depth + DEPTH - 1) / DEPTH;
        fetch(from_left, left);
        fetch(from_right, right);
        put<ROW_PITCH>(rows[0], from_left, left);
        put<COLUMN_PITCH>(columns[0], from_right, right);
        __syncthreads(); // the first tile is there
        for (int tile = 0; tile < tiles; tile++) {
            int buffer = tile & 1;
            if (tile + 1 < tiles) {
                left.advance();
                right.advance();
                fetch(from_left, left);
                fetch(from_right, right);
            }
#pragma unroll
            for (int k = 0; k < DEPTH; k++) {
                float a[ROW_RUN], b[COLUMN_RUN];
                take(a, rows[buffer] + k * ROW_PITCH + first_row());
                take(b, columns[buffer] + k * COLUMN_PITCH + first_column());
#pragma unroll
                for (int i = 0; i < ROW_RUN; i++) {
#pragma unroll
                    for (int j = 0; j < COLUMN_RUN; j++) sum[i][j] = __fmaf_rn(a[i], b[j], sum[i][j]);
                }
                if (sum_rows) {
#pragma unroll
                    for (int i = 0; i < ROW_RUN; i++) row_sum[i] += a[i];
                }
            }
            if ((tile + 1) % BLOCK_TILES == 0 || tile + 1 == tiles) {
#pragma unroll
                for (int i = 0; i < ROW_RUN; i++) {
                    row_total[i] += row_sum[i];
                    row_sum[i] = 0;
#pragma unroll
                    for (int j = 0; j < COLUMN_RUN; j++) total[i][j] += sum[i][j], sum[i][j] = 0;
                }
            }
            if (tile + 1 < tiles) {
                put<ROW_PITCH>(rows[buffer ^ 1], from_left, left);
                put<COLUMN_PITCH>(columns[buffer ^ 1], from_right, right);
            }
            __syncthreads(); // the next tile is there, and nobody reads this one any more
        }
    }

    template <class Out>
    __device__ __forceinline__ void store(const ProductResult<Out>& to, int row, int column) const {
        row += first_row();
        column += first_column();
        bool whole = to.aligned();
        float bias[COLUMN_RUN];
#pragma unroll
        for (int j = 0; j < COLUMN_RUN; j++) bias[j] = column + j < to.columns ? to.bias_of(column + j) : 0.0f;
#pragma unroll
        for (int i = 0; i < ROW_RUN; i++) {
            if (row + i >= to.rows) break;
            float values[COLUMN_RUN];
#pragma unroll
            for (int j = 0; j < COLUMN_RUN; j++) values[j] = total[i][j] + bias[j];
            store_run<COLUMN_RUN>(to.y + (int64_t)(row + i) * to.columns + column, values, to.columns - column, whole);
        }
    }

    // By the block that has the first columns.
    template <class Out>
    __device__ __forceinline__ void store_row_sums(const ProductResult<Out>& to, int row) const {
        if (first_column() != 0) return;
#pragma unroll
        for (int i = 0; i < ROW_RUN; i++) {
            if (row + first_row() + i < to.rows) to.row_sums[row + first_row() + i] = row_total[i];
        }
    }
};
