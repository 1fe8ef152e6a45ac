// attention_head.cuh: what the kernels share whose blocks have a head to themselves: attention_head.cu,
// attention_backward_head.cu and attention_backward_pairs.cu.
#pragma once
#include "attention_mma.cuh"
#include "tile_store.cuh"

struct AttentionBackwardHeadArgs {
    const void* dy;   // [N,T,heads,D]
    const void* qkv;  // [N,T,3,heads,D]
    const void* y;    // [N,T,heads,D]
    const float* lse; // [N,heads,T]
    void* dqkv;       // [N,T,3,heads,D]
    int tokens;
    int heads;
    int depth;   // D
    float scale; // 1 / sqrt D
    int ahead;   // images, `_whole` only: as prefetch_head
};
LAYOUT(AttentionBackwardHeadArgs, dy, qkv, y, lse, dqkv, tokens, heads, depth, scale, ahead)

// Vectors of up to 8 values in rows for 16: products of half the depth, and of half the columns.
enum class Vectors { WHOLE, HALF };

// 16 tokens of a tile as rows (or, TRANSPOSED, columns' sums) of the right factor. Of half vectors words 0 and 2 (TRANSPOSED: 0
// and 1) are there.
template <int DEPTH, bool TRANSPOSED, Vectors ARE = Vectors::WHOLE>
struct RightTokens {
    static_assert(ARE == Vectors::WHOLE || DEPTH == 16, "half of 16");
    unsigned words[DEPTH / 16][4];

    RightTokens() = default;
    __device__ __forceinline__ RightTokens(const bf16* tile, int token) {
        int lane = threadIdx.x % 32, first = lane / 8 % 2, second = lane / 16;
        if constexpr (ARE == Vectors::HALF) {
            unsigned two[2];
            load_matrix<2, TRANSPOSED>(two, tile + (token + lane % 16) * PITCH<bf16, DEPTH>);
            words[0][0] = two[0], words[0][TRANSPOSED ? 1 : 2] = two[1];
        } else {
            int row = token + (TRANSPOSED ? first : second) * 8 + lane % 8, column = (TRANSPOSED ? second : first) * 8;
#pragma unroll
            for (int k = 0; k < DEPTH / 16; k++) {
                load_matrix<4, TRANSPOSED>(words[k], tile + row * PITCH<bf16, DEPTH> + 16 * k + column);
            }
        }
    }
};

// scores[j] += rows * (16 tokens)^T, j = 0 for the first 8 of these.
template <int DEPTH, Vectors ARE>
__device__ __forceinline__ void multiply_rows(float (&scores)[2][4], const unsigned (&rows)[DEPTH / 16][4],
                                              const RightTokens<DEPTH, false, ARE>& tokens) {
#pragma unroll
    for (int k = 0; k < DEPTH / 16; k++) {
        for (int j = 0; j < 2; j++) {
            if constexpr (ARE == Vectors::HALF) {
                mma_bf16_half(scores[j], rows[k], tokens.words[k][2 * j]);
            } else {
                mma_bf16(scores[j], rows[k], {tokens.words[k][2 * j], tokens.words[k][2 * j + 1]});
            }
        }
    }
}

// scores[j] = begin[j] + the same.
template <int DEPTH, Vectors ARE>
__device__ __forceinline__ void multiply_rows(float (&scores)[2][4], const unsigned (&rows)[DEPTH / 16][4],
                                              const RightTokens<DEPTH, false, ARE>& tokens, const float4 (&begin)[2]) {
    if constexpr (ARE == Vectors::HALF) {
        for (int j = 0; j < 2; j++) mma_bf16_half(scores[j], rows[0], tokens.words[0][2 * j], begin[j]);
    } else {
        for (int j = 0; j < 2; j++) mma_bf16(scores[j], rows[0], {tokens.words[0][2 * j], tokens.words[0][2 * j + 1]}, begin[j]);
#pragma unroll
        for (int k = 1; k < DEPTH / 16; k++) {
            for (int j = 0; j < 2; j++) mma_bf16(scores[j], rows[k], {tokens.words[k][2 * j], tokens.words[k][2 * j + 1]});
        }
    }
}

// sums += weights * 16 tokens.
template <int DEPTH, Vectors ARE>
__device__ __forceinline__ void add_weighted(VectorSums<bf16, DEPTH>& sums, const unsigned (&weights)[4],
                                             const RightTokens<DEPTH, true, ARE>& tokens) {
#pragma unroll
    for (int k = 0; k < DEPTH / 16; k++) {
        for (int j = 0; j < (ARE == Vectors::HALF ? 1 : 2); j++) {
            mma_bf16(sums.sum[2 * k + j], weights, {tokens.words[k][2 * j], tokens.words[k][2 * j + 1]});
        }
    }
}

template <int DEPTH, int COUNT, int BYTES>
__device__ __forceinline__ void load_head_by(bf16* tiles, const HeadVectors<const bf16>& of, int width) {
    constexpr int VALUES = BYTES / 2, PARTS = DEPTH / VALUES;
#pragma unroll
    for (int n = 0; n < PARTS; n++) {
        int part = n * of.count + (int)threadIdx.x, token = part / PARTS, d = part % PARTS * VALUES;
        bool there = d < of.depth;
        const bf16* from = of.first + (there ? token * of.stride + d : 0);
        bf16* to = tiles + token * PITCH<bf16, DEPTH> + d;
#pragma unroll
        for (int i = 0; i < COUNT; i++) copy_async<BYTES>(to + i * of.count * PITCH<bf16, DEPTH>, from + i * width, there);
    }
}

// Starts to copy COUNT tensors of a head, `width` elements apart, to [COUNT,T,PITCH]. As many threads as tokens; D a multiple of 4.
template <int DEPTH, int COUNT>
__device__ __forceinline__ void load_head(bf16* tiles, const HeadVectors<const bf16>& of, int width) {
    if (of.depth % 8 == 0) {
        load_head_by<DEPTH, COUNT, 16>(tiles, of, width);
    } else {
        load_head_by<DEPTH, COUNT, 8>(tiles, of, width);
    }
}

// Starts to bring COUNT tensors of a head to L2, of the image `ahead` before this one, if there is one: about what the next block on
// this multiprocessor reads, as blocks go from the last image to the first. As many threads as tokens.
template <int COUNT>
__device__ __forceinline__ void prefetch_head(const HeadPlace& head, const HeadVectors<const bf16>& of, int width, int ahead) {
    constexpr int SECTOR = 16; // values
    if (head.image < ahead) return;
    const bf16* row = of.first + ((int)threadIdx.x * of.stride - (int64_t)ahead * of.count * of.stride);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
#pragma unroll 1
        for (int d = 0; d < of.depth; d += SECTOR) prefetch_line(row + i * width + d);
    }
}

// Writes 16 tokens from `token` on, all of which are there: `low` is the factor of row g, `high` of row g + 8. A lane stores 16
// bytes of one of its rows at a time, or twice 8; D a multiple of 4.
template <int DEPTH>
__device__ __forceinline__ void store_vectors(const VectorSums<bf16, DEPTH>& of, float low, float high,
                                              const HeadVectors<bf16>& to, int token) {
    constexpr int PARTS = DEPTH / 8; // of 16 bytes, of a row
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
    for (int first = 0; first < 2 * PARTS; first += 4) {
        unsigned words[4];
#pragma unroll
        for (int n = 0; n < 4; n++) {
            int r = (first + n) / PARTS, part = (first + n) % PARTS;
            float factor = r == 0 ? low : high;
            words[n] = pack_bf16(of.sum[part][2 * r] * factor, of.sum[part][2 * r + 1] * factor);
        }
        transpose_quad(words, t);
        int row = token + (first + t) / PARTS * 8 + g, d = (first + t) % PARTS * 8;
        if (d >= to.depth) continue;
        bf16* at = to.first + (row * to.stride + d);
        if (to.depth % 8 == 0) {
            *(uint4*)at = make_uint4(words[0], words[1], words[2], words[3]);
        } else {
            *(uint2*)at = make_uint2(words[0], words[1]);
            if (d + 4 < to.depth) *(uint2*)(at + 4) = make_uint2(words[2], words[3]);
        }
    }
}

// Four neighbours as f32.
__device__ __forceinline__ float4 four(const float* from) { return *(const float4*)from; }

__device__ __forceinline__ float4 four(const uint2& x) {
    return {__uint_as_float(x.x << 16), __uint_as_float(x.x & 0xffff0000u), __uint_as_float(x.y << 16),
            __uint_as_float(x.y & 0xffff0000u)};
}

__device__ __forceinline__ float4 four(const bf16* from) { return four(*(const uint2*)from); }

// numbers[t] = log-sum-exp in units of log 2, numbers[padded + t] = -delta; behind the last token infinity, so that
// weights are zero, and 0.
template <int DEPTH, class T>
__device__ __forceinline__ void find_numbers(float* numbers, int padded, const HeadVectors<const T>& dy,
                                             const HeadVectors<const T>& y, const float* lse) {
    constexpr int LANES = DEPTH / 4; // of a token
    constexpr int STEP = MMA_THREADS / LANES, AT_ONCE = 4; // of a thread, whose loads are all on their way
    int d = (int)threadIdx.x % LANES * 4;
    for (int first = (int)threadIdx.x / LANES; first < padded; first += AT_ONCE * STEP) {
        float4 a[AT_ONCE], b[AT_ONCE];
        float its[AT_ONCE];
#pragma unroll
        for (int n = 0; n < AT_ONCE; n++) {
            int token = first + n * STEP;
            a[n] = b[n] = make_float4(0, 0, 0, 0);
            its[n] = __int_as_float(0x7f800000);
            if (token < dy.count) {
                if (d < dy.depth) a[n] = four(dy.first + token * dy.stride + d), b[n] = four(y.first + token * y.stride + d);
                if (d == 0) its[n] = lse[token] * LOG2_E;
            }
        }
#pragma unroll
        for (int n = 0; n < AT_ONCE; n++) {
            float sum = a[n].x * b[n].x + a[n].y * b[n].y + a[n].z * b[n].z + a[n].w * b[n].w;
#pragma unroll
            for (int lanes = LANES / 2; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(~0u, sum, lanes);
            int token = first + n * STEP;
            if (d == 0 && token < padded) numbers[token] = its[n], numbers[padded + token] = -sum;
        }
    }
}

// Sums of a lane that wait in shared memory for the next keys, at [DEPTH / 8] places, MMA_THREADS apart.
template <class T, int DEPTH>
__device__ __forceinline__ void take_waiting(VectorSums<T, DEPTH>& sums, const float4* at) {
    for (int n = 0; n < DEPTH / 8; n++) {
        float4 x = at[n * MMA_THREADS];
        sums.sum[n][0] = x.x, sums.sum[n][1] = x.y, sums.sum[n][2] = x.z, sums.sum[n][3] = x.w;
    }
}

template <class T, int DEPTH>
__device__ __forceinline__ void leave_waiting(const VectorSums<T, DEPTH>& sums, float4* at) {
    for (int n = 0; n < DEPTH / 8; n++) {
        at[n * MMA_THREADS] = {sums.sum[n][0], sums.sum[n][1], sums.sum[n][2], sums.sum[n][3]};
    }
}
