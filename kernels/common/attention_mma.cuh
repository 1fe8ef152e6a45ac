// attention_mma.cuh: attention on tensor cores, what attention_mma.cu and attention_backward_mma.cu share.
//
// A block is 4 warps. Vectors of a head lie in shared memory as bf16 tiles of 64 tokens, DEPTH values each, zero behind
// the head's size and behind the last token. PITCH makes the 8 rows of an 8x8 matrix meet 32 different banks, for every
// DEPTH used here. A warp owns 16 tokens and meets 16 others at a time.
#pragma once
#include "async_copy.cuh"
#include "mma.cuh"

constexpr int MMA_THREADS = 128;
constexpr int TOKENS = 64; // of a tile, and of a block
constexpr float LOG2_E = 1.44269504f;

template <int DEPTH>
constexpr int PITCH = DEPTH + 8;

template <int DEPTH>
constexpr int TILE = TOKENS * PITCH<DEPTH>;

// Vectors of a head: `count` tokens, `stride` elements apart, `depth` values each, a multiple of 8.
struct HeadVectors {
    const bf16* first;
    int64_t stride;
    int count;
    int depth;
};

// Starts to copy the tile of 64 tokens from `from` on. The caller commits and waits.
template <int DEPTH>
__device__ __forceinline__ void load_tile(bf16* tile, const HeadVectors& of, int from) {
    constexpr int VECTORS = DEPTH / 8; // 16 bytes each
    for (int i = threadIdx.x; i < TOKENS * VECTORS; i += MMA_THREADS) {
        int row = i / VECTORS, d = i % VECTORS * 8;
        bool valid = from + row < of.count && d < of.depth;
        const bf16* source = valid ? of.first + (from + row) * of.stride + d : of.first;
        copy_async<16>(tile + row * PITCH<DEPTH> + d, source, valid);
    }
}

// 16 tokens of a tile as rows of the left factor: values 16 k to 16 k + 15.
template <int DEPTH>
__device__ __forceinline__ void load_left(unsigned (&a)[4], const bf16* tile, int token, int k) {
    int lane = threadIdx.x % 32, row = token + lane / 8 % 2 * 8 + lane % 8;
    load_matrix(a, tile + row * PITCH<DEPTH> + 16 * k + lane / 16 * 8);
}

// 16 tokens of a tile as rows of the left factor, kept in registers where there is room for them.
template <int DEPTH, bool KEPT>
struct LeftRows {
    unsigned kept[KEPT ? DEPTH / 16 : 1][4];
    const bf16* tile;
    int token;

    __device__ __forceinline__ LeftRows(const bf16* tile, int token) : tile(tile), token(token) {
        if constexpr (KEPT) {
#pragma unroll
            for (int k = 0; k < DEPTH / 16; k++) load_left<DEPTH>(kept[k], tile, token, k);
        }
    }

    // s[j] += rows * (16 tokens of another tile)^T: s[0] for the first 8 of these tokens, s[1] for the others.
    __device__ __forceinline__ void multiply(float (&s)[2][4], const bf16* other, int others) const {
        int lane = threadIdx.x % 32, row = others + lane / 16 * 8 + lane % 8;
#pragma unroll
        for (int k = 0; k < DEPTH / 16; k++) {
            unsigned a[4], b[4];
            if constexpr (KEPT) {
                for (int i = 0; i < 4; i++) a[i] = kept[k][i];
            } else {
                load_left<DEPTH>(a, tile, token, k);
            }
            load_matrix(b, other + row * PITCH<DEPTH> + 16 * k + lane / 8 % 2 * 8);
            mma_bf16(s[0], a, {b[0], b[1]});
            mma_bf16(s[1], a, {b[2], b[3]});
        }
    }
};

// sum += weights * 16 tokens of a tile; sum[i] has values 8 i to 8 i + 7, weights are [16 of this warp,16 tokens].
template <int DEPTH>
__device__ __forceinline__ void add_weighted(float (&sum)[DEPTH / 8][4], const float (&weights)[2][4], const bf16* tile,
                                             int token) {
    unsigned a[4] = {pack_bf16(weights[0][0], weights[0][1]), pack_bf16(weights[0][2], weights[0][3]),
                     pack_bf16(weights[1][0], weights[1][1]), pack_bf16(weights[1][2], weights[1][3])};
    int lane = threadIdx.x % 32, row = token + lane / 8 % 2 * 8 + lane % 8;
#pragma unroll
    for (int k = 0; k < DEPTH / 16; k++) {
        unsigned b[4];
        load_matrix<4, true>(b, tile + row * PITCH<DEPTH> + 16 * k + lane / 16 * 8);
        mma_bf16(sum[2 * k], a, {b[0], b[1]});
        mma_bf16(sum[2 * k + 1], a, {b[2], b[3]});
    }
}

// Writes the 16 tokens of this warp, from `token` on, below `count`: `low` is the factor of row g, `high` of row
// g + 8.
template <int DEPTH>
__device__ __forceinline__ void store_rows(const float (&sum)[DEPTH / 8][4], float low, float high, bf16* first,
                                           int64_t stride, int token, int count, int depth) {
    int lane = threadIdx.x % 32, row = token + lane / 4;
#pragma unroll
    for (int i = 0; i < DEPTH / 8; i++) {
        int d = 8 * i + lane % 4 * 2;
        if (d >= depth) break;
        bf16* to = first + row * stride + d;
        if (row < count) *(unsigned*)to = pack_bf16(sum[i][0] * low, sum[i][1] * low);
        if (row + 8 < count) *(unsigned*)(to + 8 * stride) = pack_bf16(sum[i][2] * high, sum[i][3] * high);
    }
}

__device__ __forceinline__ float quad_sum(float x) {
    x += __shfl_xor_sync(~0u, x, 1);
    return x + __shfl_xor_sync(~0u, x, 2);
}

__device__ __forceinline__ float quad_max(float x) {
    x = fmaxf(x, __shfl_xor_sync(~0u, x, 1));
    return fmaxf(x, __shfl_xor_sync(~0u, x, 2));
}
