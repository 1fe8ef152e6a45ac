// tensor_tile.cuh: a tile of a matrix product on tensor cores, in bf16 or, for f32 values, in TF32.
//
// Requires     loads of 16 bytes: the fastest extents of both operands are multiples of 16 bytes and so are the bases
// Tiling       ROWS x COLUMNS per block, WARP_ROWS x WARP_COLUMNS per warp, depth 64 bytes (32 bf16, 16 f32); STAGES
//              tiles in shared memory, of which all but one are on their way while one is multiplied
// Layout       in shared memory a tile lies as in device memory, so 16 bytes stay together. Rows are padded so that the
//              8 rows that an ldmatrix or a fragment touches lie in different banks:
//              depth fastest   [outer][64 bytes + 16]            20 words: 0 20 8 28 16 4 24 12 mod 32
//              outer fastest   [depth][outer + 16 or 32 bytes]   bf16 4 words mod 32, ldmatrix; f32 8 words, 4 rows of 8
// Numerics     f32 sums in the order of the device's tensor cores; TF32 rounds both factors to 10 bits, to nearest
// Determinism  a fixed order
#pragma once
#include "async_copy.cuh"
#include "mma.cuh"
#include "tile_load.cuh"
#include "tile_store.cuh"

// One operand's tile in shared memory.
template <class T, Fastest FASTEST, int OUTERS, int DEPTHS>
struct TensorOperandTile {
    static_assert(FASTEST != Fastest::EITHER, "a tensor-core kernel knows its layout");
    static constexpr bool DEPTH_FASTEST = FASTEST == Fastest::DEPTH;
    static constexpr int PAD = DEPTH_FASTEST || sizeof(T) == 2 ? 16 : 32; // bytes
    static constexpr int PITCH = (DEPTH_FASTEST ? DEPTHS : OUTERS) * (int)sizeof(T) + PAD;
    static constexpr int BYTES = PITCH * (DEPTH_FASTEST ? OUTERS : DEPTHS);

    template <class Loader>
    __device__ __forceinline__ static void load(unsigned char* shared, const Loader& loader) {
        if (!loader.places.active()) return;
#pragma unroll
        for (int i = 0; i < Loader::LOADS; i++) {
            int outer = loader.places.outer + i * loader.places.outer_step;
            int depth = loader.places.depth + i * loader.places.depth_step;
            int at = DEPTH_FASTEST ? outer * PITCH + depth * (int)sizeof(T) : depth * PITCH + outer * (int)sizeof(T);
            Found<T> found = loader.find(i);
            copy_async<16>(shared + at, found.inside ? found.at : loader.base, found.inside);
        }
    }

    // Four 8x8 matrices (in TF32 8x4) of 16-bit values around (outer, depth): 8 further along outer for one bit of the
    // matrix's number, 16 bytes of depth further for the other.
    template <bool OUTER_FIRST>
    __device__ __forceinline__ static void fragments(unsigned (&values)[4], const unsigned char* shared, int outer,
                                                     int depth) {
        constexpr int HALF = 16 / (int)sizeof(T);
        int lane = threadIdx.x % 32;
        if constexpr (DEPTH_FASTEST || sizeof(T) == 2) {
            int matrix = lane / 8, row = lane % 8;
            int outer_half = OUTER_FIRST ? matrix % 2 : matrix / 2, depth_half = OUTER_FIRST ? matrix / 2 : matrix % 2;
            if constexpr (DEPTH_FASTEST) {
                int o = outer + 8 * outer_half + row, d = depth + HALF * depth_half;
                load_matrix(values, shared + o * PITCH + d * (int)sizeof(T));
            } else {
                int o = outer + 8 * outer_half, d = depth + 8 * depth_half + row;
                load_matrix<4, true>(values, shared + d * PITCH + o * (int)sizeof(T));
            }
        } else { // ldmatrix transposes 16-bit values only
#pragma unroll
            for (int matrix = 0; matrix < 4; matrix++) {
                int outer_half = OUTER_FIRST ? matrix % 2 : matrix / 2, depth_half = OUTER_FIRST ? matrix / 2 : matrix % 2;
                int o = outer + 8 * outer_half + lane / 4, d = depth + HALF * depth_half + lane % 4;
                values[matrix] = *reinterpret_cast<const unsigned*>(shared + d * PITCH + o * (int)sizeof(T));
            }
        }
        if constexpr (sizeof(T) == 4) {
#pragma unroll
            for (int i = 0; i < 4; i++) values[i] = to_tf32(__uint_as_float(values[i]));
        }
    }
};

template <class T, int ROWS_, int COLUMNS_, int WARP_ROWS, int WARP_COLUMNS>
struct TensorTile {
    static constexpr int ROWS = ROWS_, COLUMNS = COLUMNS_, DEPTH = 64 / sizeof(T), CHUNK = 16 / sizeof(T);
    static constexpr int WARPS_ACROSS = COLUMNS / WARP_COLUMNS, THREADS = ROWS / WARP_ROWS * WARPS_ACROSS * 32;
    static constexpr int STAGES = 3; // two tiles on their way: 4 stages of 128x64 would leave 3 blocks, not 4, of 227 KB
    static constexpr int STEP = 32 / sizeof(T); // depth of one mma
    static constexpr int DOWN = WARP_ROWS / 16, ACROSS = WARP_COLUMNS / 8;
    static_assert(WARP_ROWS % 16 == 0 && WARP_COLUMNS % 32 == 0, "whole mma tiles; store wants four of them");

    float sum[DOWN][ACROSS][4] = {}, row_sum[DOWN][4] = {};

    __device__ __forceinline__ static int warp_row() { return (int)threadIdx.x / 32 / WARPS_ACROSS * WARP_ROWS; }
    __device__ __forceinline__ static int warp_column() { return (int)threadIdx.x / 32 % WARPS_ACROSS * WARP_COLUMNS; }

    __device__ __forceinline__ static void product(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
        if constexpr (sizeof(T) == 2) mma_bf16(d, a, b);
        else mma_tf32(d, a, b);
    }

    // `sum_rows` is the same for the whole block: the sums are a product with ones, by the warps of the first columns.
    template <class Left, class Right>
    __device__ __forceinline__ void multiply(Left& left, Right& right, int depth, bool sum_rows) {
        using Rows = TensorOperandTile<T, Left::FASTEST, ROWS, DEPTH>;
        using Columns = TensorOperandTile<T, Right::FASTEST, COLUMNS, DEPTH>;
        constexpr int STAGE_BYTES = Rows::BYTES + Columns::BYTES;
        DYNAMIC_SHARED(unsigned char, shared);
        int tiles = (depth + DEPTH - 1) / DEPTH;
        auto load = [&](int tile) {
            if (tile < tiles) {
                unsigned char* stage = shared + tile % STAGES * STAGE_BYTES;
                Rows::load(stage, left);
                Columns::load(stage + Rows::BYTES, right);
                left.advance();
                right.advance();
            }
            commit_copies(); // an empty group too: the count of groups is the count of tiles
        };
        for (int tile = 0; tile < STAGES - 1; tile++) load(tile);
        bool ones = sum_rows && warp_column() == 0;
        for (int tile = 0; tile < tiles; tile++) {
            wait_copies<STAGES - 2>();
            __syncthreads(); // this tile is there, and nobody reads the one before, which is loaded over
            load(tile + STAGES - 1);
            multiply_stage<Rows, Columns>(shared + tile % STAGES * STAGE_BYTES, ones);
        }
        wait_copies<0>();
    }

    template <class Rows, class Columns>
    __device__ __forceinline__ void multiply_stage(const unsigned char* stage, bool ones) {
#pragma unroll
        for (int k = 0; k < DEPTH; k += STEP) {
            unsigned a[DOWN][4], b[ACROSS / 2][4];
#pragma unroll
            for (int i = 0; i < DOWN; i++) Rows::template fragments<true>(a[i], stage, warp_row() + 16 * i, k);
#pragma unroll
            for (int j = 0; j < ACROSS / 2; j++) {
                Columns::template fragments<false>(b[j], stage + Rows::BYTES, warp_column() + 16 * j, k);
            }
#pragma unroll
            for (int i = 0; i < DOWN; i++) {
#pragma unroll
                for (int j = 0; j < ACROSS; j++) {
                    unsigned right[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
                    product(sum[i][j], a[i], right);
                }
            }
            if (ones) {
                constexpr unsigned ONE = sizeof(T) == 2 ? 0x3f803f80u : 0x3f800000u;
                const unsigned right[2] = {ONE, ONE};
#pragma unroll
                for (int i = 0; i < DOWN; i++) product(row_sum[i], a[i], right);
            }
        }
    }

    template <class Out>
    __device__ __forceinline__ void store(const ProductResult<Out>& to, int row, int column) const {
        int lane = threadIdx.x % 32;
        column += warp_column();
        bool whole = to.aligned();
#pragma unroll
        for (int i = 0; i < DOWN; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int at = row + warp_row() + 16 * i + 8 * half + lane / 4;
                Out* line = to.y + (int64_t)at * to.columns;
#pragma unroll
                for (int j = 0; j < ACROSS; j += 4) {
                    if constexpr (sizeof(Out) == 2) {
                        store_four(to, line, at, column + 8 * j, sum[i], j, half, whole);
                    } else {
#pragma unroll
                        for (int n = j; n < j + 4; n++) {
                            int c = column + 8 * n + lane % 4 * 2;
                            float two[2] = {sum[i][n][2 * half], sum[i][n][2 * half + 1]};
                            two[0] += c < to.columns ? to.bias_of(c) : 0.0f;
                            two[1] += c + 1 < to.columns ? to.bias_of(c + 1) : 0.0f;
                            if (at < to.rows) store_run<2>(line + c, two, to.columns - c, whole);
                        }
                    }
                }
            }
        }
    }

    // Four mma tiles of a row in bf16: 32 columns, of which a lane has 2 of every 8. The four lanes of a row exchange
    // them until each has 8 neighbours, 16 bytes, to store at once: whole sectors of 32 bytes are written.
    __device__ __forceinline__ void store_four(const ProductResult<bf16>& to, bf16* line, int row, int column,
                                               const float (&tiles)[ACROSS][4], int first, int half, bool whole) const {
        int t = threadIdx.x % 4;
        unsigned words[4];
#pragma unroll
        for (int n = 0; n < 4; n++) {
            int c = column + 8 * n + 2 * t;
            float low = tiles[first + n][2 * half], high = tiles[first + n][2 * half + 1];
            low += c < to.columns ? to.bias_of(c) : 0.0f;
            high += c + 1 < to.columns ? to.bias_of(c + 1) : 0.0f;
            words[n] = pack_bf16(low, high);
        }
        if (whole) { // the same for all threads
            transpose_quad(words, t);
            int c = column + 8 * t;
            if (row < to.rows && c < to.columns) {
                *reinterpret_cast<uint4*>(line + c) = make_uint4(words[0], words[1], words[2], words[3]);
            }
            return;
        }
#pragma unroll
        for (int n = 0; n < 4; n++) {
            int c = column + 8 * n + 2 * t;
            if (row < to.rows && c < to.columns) line[c] = {(uint16_t)(words[n] & 0xffffu)};
            if (row < to.rows && c + 1 < to.columns) line[c + 1] = {(uint16_t)(words[n] >> 16)};
        }
    }

    template <class Out>
    __device__ __forceinline__ void store_row_sums(const ProductResult<Out>& to, int row) const {
        int lane = threadIdx.x % 32;
        if (warp_column() != 0 || lane % 4 != 0) return; // all columns of the product with ones are equal
#pragma unroll
        for (int i = 0; i < DOWN; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int at = row + warp_row() + 16 * i + 8 * half + lane / 4;
                if (at < to.rows) to.row_sums[at] = row_sum[i][2 * half];
            }
        }
    }
};
