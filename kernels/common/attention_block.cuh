// attention_block.cuh: what a block of attention_block_sm90.cu does with an image before and behind attention: its group norm, and
// products of a warp's tokens with filters, all of which lie in shared memory.
#pragma once
#include "attention_queries.cuh"
#include "packed.cuh"
#include "row_words.cuh"

struct AttentionBlockArgs {
    const void* x;      // [N,T,C]
    const float* gamma; // [C]
    const float* beta;  // [C]
    const void* w_qkv;  // [3,heads,D,C]
    const float* b_qkv; // [3,heads,D] or null
    const void* w_out;  // [C,heads,D]
    const float* b_out; // [C] or null
    void* y;            // [N,T,C], or x
    // What a gradient reads, or null:
    void* normed;   // [N,T,C]
    float* mean;    // [N,G]
    float* rstd;    // [N,G]
    void* qkv;      // [N,T,3,heads,D]
    void* attended; // [N,T,heads,D]
    float* lse;     // [N,heads,T]
    int images;
    float eps;
    float scale; // 1 / sqrt D
};
LAYOUT(AttentionBlockArgs, x, gamma, beta, w_qkv, b_qkv, w_out, b_out, y, normed, mean, rstd, qkv, attended, lse, images, eps,
       scale)

// Tokens of an image and their channels, heads of D values, groups of PER_GROUP channels.
template <int TOKENS_, int CHANNELS_, int DEPTH_, int PER_GROUP_>
struct BlockShape {
    static constexpr int TOKENS = TOKENS_, CHANNELS = CHANNELS_, DEPTH = DEPTH_, PER_GROUP = PER_GROUP_;
    static constexpr int HEADS = CHANNELS / DEPTH, GROUPS = CHANNELS / PER_GROUP;
    static constexpr int ROW = PITCH<bf16, CHANNELS>;   // of a tile of tokens or filters
    static constexpr int TILE = TOKENS * ROW;           // elements
    static constexpr int VECTOR = DEPTH < 16 ? 16 : DEPTH; // as the kernels of attention have a head's
    static constexpr Vectors ARE = DEPTH < 16 ? Vectors::HALF : Vectors::WHOLE;
    static constexpr int HEAD_TILE = TOKENS * PITCH<bf16, VECTOR>;
    static constexpr int TILES = DEPTH / 8; // columns of a product, of a head's vectors
    static_assert(CHANNELS % 32 == 0 && DEPTH % 8 == 0 && CHANNELS % DEPTH == 0, "whole steps of products");
};

// A warp's tokens times filters: sums[s][n] of tokens 16 s.. and filters 8 n... Both in shared memory, in rows of CHANNELS.
template <int CHANNELS, int SIXTEENS, int TILES>
struct TokenSums {
    static_assert(CHANNELS % 32 == 0, "two steps of a product at a time");
    float of[SIXTEENS][TILES][4];

    // Begins with what is added to every token.
    __device__ __forceinline__ explicit TokenSums(const float* bias) {
        int t = threadIdx.x % 4;
#pragma unroll
        for (int n = 0; n < TILES; n++) {
            float2 its = *(const float2*)(bias + 8 * n + 2 * t);
            for (int s = 0; s < SIXTEENS; s++) of[s][n][0] = of[s][n][2] = its.x, of[s][n][1] = of[s][n][3] = its.y;
        }
    }

    // left(a, s, k): channels 16 k to 16 k + 15 of tokens 16 s to 16 s + 15. UNROLLED pairs of these at once.
    template <int UNROLLED, class F>
    __device__ __forceinline__ void add(F left, const bf16* filters) {
        int lane = threadIdx.x % 32;
        const bf16* row = filters + lane % 8 * PITCH<bf16, CHANNELS> + lane / 8 * 8;
#pragma unroll UNROLLED
        for (int k = 0; k < CHANNELS / 16; k += 2) {
            unsigned a[SIXTEENS][2][4];
            for (int s = 0; s < SIXTEENS; s++) left(a[s][0], s, k), left(a[s][1], s, k + 1);
#pragma unroll
            for (int n = 0; n < TILES; n++) {
                unsigned b[4];
                load_matrix(b, row + 8 * n * PITCH<bf16, CHANNELS> + 16 * k);
                for (int s = 0; s < SIXTEENS; s++) {
                    mma_bf16(of[s][n], a[s][0], {b[0], b[1]});
                    mma_bf16(of[s][n], a[s][1], {b[2], b[3]});
                }
            }
        }
    }

    // Rounded; `first` of the tiles.
    template <int COUNT>
    __device__ __forceinline__ RowWords<COUNT> words(int s, int first) const {
        RowWords<COUNT> words;
        for (int n = 0; n < COUNT; n++) {
            for (int r = 0; r < 2; r++) words.of[n][r] = pack_bf16(of[s][first + n][2 * r], of[s][first + n][2 * r + 1]);
        }
        return words;
    }

    // The largest squared length of this warp's rows, of COUNT tiles from `first` on; its bits, NaN above all.
    template <int COUNT>
    __device__ __forceinline__ unsigned longest(int first) const {
        bool odd = threadIdx.x % 2 == 1;
        float largest = 0;
        unsigned bits = 0;
#pragma unroll
        for (int s = 0; s < SIXTEENS; s++) {
            float low = 0, high = 0; // of rows g and g + 8
            for (int n = 0; n < COUNT; n++) {
                const float(&sum)[4] = of[s][first + n];
                low = fmaf(sum[0], sum[0], fmaf(sum[1], sum[1], low));
                high = fmaf(sum[2], sum[2], fmaf(sum[3], sum[3], high));
            }
            // Even lanes go on with row g, odd ones with g + 8.
            largest = (odd ? high : low) + __shfl_xor_sync(~0u, odd ? low : high, 1);
            largest += __shfl_xor_sync(~0u, largest, 2);
            bits = max(bits, __float_as_uint(largest) & 0x7fffffffu);
        }
        return __reduce_max_sync(~0u, bits);
    }
};

// Mean of so many numbers and the sum of their squared distances to it. Two of equally many become one; Chan, Golub and LeVeque 1983,
// "Algorithms for computing the sample variance", eq. 2.1.
struct Moments {
    float mean, squares;

    __device__ __forceinline__ void join(const Moments& other, float count) {
        float apart = other.mean - mean;
        squares = squares + other.squares + apart * apart * (0.5f * count);
        mean = 0.5f * (mean + other.mean);
    }

    __device__ __forceinline__ void join_lanes(int lanes, float count) {
        join({__shfl_xor_sync(~0u, mean, lanes), __shfl_xor_sync(~0u, squares, lanes)}, count);
    }
};

// The group norm of an image by THREADS threads. A thread has 8 channels of every STEPth token, which it copies, sums and writes: the
// same ones of each image. A tile [TOKENS,CHANNELS] has x first, then the norm's result.
template <class Shape, int THREADS>
struct BlockNorm {
    static constexpr int COLUMNS = Shape::CHANNELS / 8, STEP = THREADS / COLUMNS, COUNT = Shape::TOKENS / STEP;
    static constexpr int RUN = Shape::PER_GROUP < 8 ? Shape::PER_GROUP : 8, RUNS = 8 / RUN; // of one group
    static constexpr int WARPS = THREADS / 32;
    static constexpr int MET = WARPS * Shape::GROUPS; // moments that meet
    static_assert(COLUMNS <= 32 && Shape::TOKENS % STEP == 0 && 8 % RUN == 0, "every thread has as much");

    int column, token;

    __device__ __forceinline__ BlockNorm() : column(threadIdx.x % COLUMNS), token(threadIdx.x / COLUMNS) {}

    __device__ __forceinline__ int place(int n) const { return (token + n * STEP) * Shape::ROW + column * 8; }
    __device__ __forceinline__ int from(int n) const { return (token + n * STEP) * Shape::CHANNELS + column * 8; }
    __device__ __forceinline__ int group(int run) const { return (column * 8 + run * RUN) / Shape::PER_GROUP; }

    __device__ __forceinline__ void copy(bf16* tile, const bf16* x) const {
#pragma unroll
        for (int n = 0; n < COUNT; n++) copy_async<16>(tile + place(n), x + from(n));
    }

    // Moments of this warp's part of each group, to met [WARPS,GROUPS]. What a thread has copied has arrived.
    __device__ __forceinline__ void begin(const bf16* tile, Moments* met) const {
        float sum[RUNS] = {};
#pragma unroll
        for (int n = 0; n < COUNT; n++) {
            float value[8];
            unpack(*(const uint4*)(tile + place(n)), value);
            for (int v = 0; v < 8; v++) sum[v / RUN] += value[v];
        }
        Moments of[RUNS];
        for (int r = 0; r < RUNS; r++) of[r] = {sum[r] * (1.0f / (COUNT * RUN)), 0};
#pragma unroll
        for (int n = 0; n < COUNT; n++) {
            float value[8];
            unpack(*(const uint4*)(tile + place(n)), value);
            for (int v = 0; v < 8; v++) {
                float apart = value[v] - of[v / RUN].mean;
                of[v / RUN].squares = fmaf(apart, apart, of[v / RUN].squares);
            }
        }
        int count = COUNT * RUN;
#pragma unroll
        for (int lanes = 1; lanes < 32; lanes *= 2) { // those of one group, then of one column
            if (lanes * 8 >= Shape::PER_GROUP && lanes < COLUMNS) continue;
            for (int r = 0; r < RUNS; r++) of[r].join_lanes(lanes, (float)count);
            count *= 2;
        }
        int lane = threadIdx.x % 32;
        if (lane >= COLUMNS || column * 8 % Shape::PER_GROUP != 0) return;
        for (int r = 0; r < RUNS; r++) met[threadIdx.x / 32 * Shape::GROUPS + group(r)] = of[r];
    }

    // When those of all warps are there: y of this thread's vectors. `image` is the image's number.
    __device__ __forceinline__ void finish(const AttentionBlockArgs& a, int image, bf16* tile, const Moments* met) const {
        constexpr int OF_WARP = Shape::TOKENS * Shape::PER_GROUP / WARPS;
        float scale[8], shift[8];
        for (int v = 0; v < 8; v += 4) {
            *(float4*)(scale + v) = *(const float4*)(a.gamma + column * 8 + v);
            *(float4*)(shift + v) = *(const float4*)(a.beta + column * 8 + v);
        }
#pragma unroll
        for (int r = 0; r < RUNS; r++) {
            const Moments* its = met + group(r);
            float mean = 0, squares = 0;
#pragma unroll
            for (int w = 0; w < WARPS; w++) mean += its[w * Shape::GROUPS].mean;
            mean *= 1.0f / WARPS;
#pragma unroll
            for (int w = 0; w < WARPS; w++) {
                Moments of = its[w * Shape::GROUPS];
                squares += fmaf((of.mean - mean) * (of.mean - mean), (float)OF_WARP, of.squares);
            }
            float rstd = rsqrtf(squares * (1.0f / (OF_WARP * WARPS)) + a.eps);
            if (token == 0 && (column * 8 + r * RUN) % Shape::PER_GROUP == 0) {
                int64_t at = (int64_t)image * Shape::GROUPS + group(r);
                if (a.mean != nullptr) a.mean[at] = mean;
                if (a.rstd != nullptr) a.rstd[at] = rstd;
            }
            for (int v = r * RUN; v < (r + 1) * RUN; v++) {
                scale[v] *= rstd;
                shift[v] -= mean * scale[v];
            }
        }
        bf16* normed = a.normed == nullptr ? nullptr : (bf16*)a.normed + (int64_t)image * Shape::TOKENS * Shape::CHANNELS;
#pragma unroll
        for (int n = 0; n < COUNT; n++) {
            float value[8];
            unpack(*(const uint4*)(tile + place(n)), value);
            for (int v = 0; v < 8; v++) value[v] = value[v] * scale[v] + shift[v];
            uint4 y = pack(value);
            *(uint4*)(tile + place(n)) = y;
            if (normed != nullptr) *(uint4*)(normed + from(n)) = y;
        }
    }
};
