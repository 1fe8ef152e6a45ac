// attention_mma.cuh: attention on tensor cores in bf16 and TF32, what attention_mma.cu and attention_backward_*.cu share.
//
// A block is 4 warps and owns 64 tokens of a head, a warp 16 of them, which meet 16 others at a time. Vectors of a head
// lie in shared memory in rows of DEPTH values, zero behind the head's size and behind the last token, and 16 bytes of
// padding: so the 8 rows of a matrix that ldmatrix reads meet 32 different banks, for every DEPTH used here. An element
// T is bf16, or float of which tensor cores take the upper 19 bits (TF32). 16 bytes are a CHUNK of elements; ldmatrix,
// which moves 4 bytes a lane, brings two values in bf16 and one in TF32, and products are of 2 chunks in both.
#pragma once
#include "async_copy.cuh"
#include "mma.cuh"

constexpr int MMA_THREADS = 128;
constexpr int TOKENS = 64; // of a block
constexpr float LOG2_E = 1.44269504f, LN_2 = 0.693147181f;

struct AttentionMmaArgs {
    const void* qkv; // [N,T,3,heads,D]
    void* y;         // [N,T,heads,D]
    float* lse;      // [N,heads,T]
    int tokens;
    int heads;
    int depth;   // D
    float scale; // 1 / sqrt D
    int ahead;   // images, `attention_head` only: as attention_head.cuh
};
LAYOUT(AttentionMmaArgs, qkv, y, lse, tokens, heads, depth, scale, ahead)

template <class T>
constexpr int CHUNK = 16 / (int)sizeof(T);

template <class T, int DEPTH>
constexpr int PITCH = DEPTH + CHUNK<T>;

template <class T, int DEPTH>
constexpr int OWN_TILE = TOKENS * PITCH<T, DEPTH>;

// Tokens of a tile that passes. Of long vectors 64 would need more than the 99 KiB that sm_86 has for a block.
template <class T, int DEPTH>
constexpr int PASSING = DEPTH * (int)sizeof(T) >= 256 ? 32 : 64;

// Vectors of a head: `count` tokens, `stride` elements apart, `depth` values each, a multiple of 4. Those of an image
// are fewer than 2^31 elements: 64-bit products were a tenth of a small head's instructions.
template <class T>
struct HeadVectors {
    T* first;
    int stride;
    int count;
    int depth;
};

// Where a head, counted in [N,heads], lies in the tensors of an attention.
struct HeadPlace {
    int image, tokens, depth, width;
    int64_t in_qkv, in_y, in_numbers;

    template <class Args>
    __device__ __forceinline__ HeadPlace(const Args& a, unsigned head) : tokens(a.tokens), depth(a.depth) {
        int64_t of_image = head / a.heads;
        image = (int)of_image;
        int in_image = (int)(head % a.heads);
        width = a.heads * depth;
        in_qkv = of_image * tokens * 3 * width + in_image * depth;
        in_y = of_image * tokens * width + in_image * depth;
        in_numbers = (int64_t)head * tokens;
    }

    // Queries (0), keys (1) or values (2) of qkv [N,T,3,heads,D].
    template <class T>
    __device__ __forceinline__ HeadVectors<T> part(T* qkv, int part) const {
        return {qkv + in_qkv + part * width, 3 * width, tokens, depth};
    }

    // Those of y [N,T,heads,D].
    template <class T>
    __device__ __forceinline__ HeadVectors<T> vectors(T* y) const {
        return {y + in_y, width, tokens, depth};
    }

    // Those of lse [N,heads,T], a number for each token.
    template <class T>
    __device__ __forceinline__ T* numbers(T* lse) const {
        return lse + in_numbers;
    }
};

// Starts to copy ROWS tokens from `from` on, BYTES at a time. The caller commits and waits.
template <int DEPTH, int ROWS, int BYTES, class T>
__device__ __forceinline__ void load_rows(T* tile, const HeadVectors<const T>& of, int from) {
    constexpr int VALUES = BYTES / (int)sizeof(T), VECTORS = DEPTH / VALUES, STEP = MMA_THREADS / VECTORS;
    static_assert(ROWS % STEP == 0, "every thread copies as much");
    int row = (int)threadIdx.x / VECTORS, d = (int)threadIdx.x % VECTORS * VALUES;
    int left = d < of.depth ? of.count - from - row : 0; // rows from this thread's first on
    const T* source = of.first + ((from + row) * of.stride + d);
    T* to = tile + row * PITCH<T, DEPTH> + d;
#pragma unroll
    for (int n = 0; n < ROWS / STEP; n++, source += STEP * of.stride) {
        copy_async<BYTES>(to + n * STEP * PITCH<T, DEPTH>, source, n * STEP < left);
    }
}

// Short vectors may end in half a chunk; for longer ones the second loop would cost registers.
template <int DEPTH, int ROWS, class T>
__device__ __forceinline__ void load_tile(T* tile, const HeadVectors<const T>& of, int from) {
    if (sizeof(T) == 4 || DEPTH > 32 || of.depth % CHUNK<T> == 0) {
        load_rows<DEPTH, ROWS, 16>(tile, of, from);
    } else {
        if constexpr (sizeof(T) == 2 && DEPTH <= 32) load_rows<DEPTH, ROWS, 8>(tile, of, from);
    }
}

// Rounds to TF32 what this thread has copied, after it waited for it and before the others read it.
template <int DEPTH, int ROWS>
__device__ __forceinline__ void round_tile(float* tile) {
    constexpr int VECTORS = DEPTH / 4;
#pragma unroll
    for (int n = 0; n < ROWS * VECTORS / MMA_THREADS; n++) {
        int i = n * MMA_THREADS + (int)threadIdx.x;
        float4* at = (float4*)(tile + i / VECTORS * PITCH<float, DEPTH> + i % VECTORS * 4);
        float4 x = *at;
        *at = {__uint_as_float(tf32_bits(x.x)), __uint_as_float(tf32_bits(x.y)), __uint_as_float(tf32_bits(x.z)),
               __uint_as_float(tf32_bits(x.w))};
    }
}

template <int DEPTH, int ROWS>
__device__ __forceinline__ void round_tile(bf16*) {}

// Pairs of tiles, of vectors u and v, that pass through shared memory: with two stages, one pair is copied while
// another is used. Log-sum-exp and delta of u's tokens, if there are any, lie in the padding of its tile.
template <class T, int DEPTH, int STAGES, int ROWS = PASSING<T, DEPTH>>
struct PassingTiles {
    static constexpr int TILE = ROWS * PITCH<T, DEPTH>;
    static_assert(2 * ROWS <= MMA_THREADS, "a thread for each log-sum-exp and each delta");

    T* room; // [STAGES,2,TILE]
    HeadVectors<const T> u, v;
    const float* lse = nullptr; // [T]
    const float* delta = nullptr;

    __device__ __forceinline__ void load(int tile) const {
        T* pair = room + tile % STAGES * 2 * TILE;
        load_tile<DEPTH, ROWS>(pair, u, tile * ROWS);
        load_tile<DEPTH, ROWS>(pair + TILE, v, tile * ROWS);
        if (lse != nullptr && threadIdx.x < 2 * ROWS) {
            int row = (int)threadIdx.x % ROWS, second = (int)threadIdx.x / ROWS, token = tile * ROWS + row;
            const float* from = second ? delta : lse;
            bool valid = token < u.count;
            copy_async<4>((float*)(pair + row * PITCH<T, DEPTH> + DEPTH) + second, valid ? from + token : from, valid);
        }
        commit_copies();
    }

    // Log-sum-exp (which 0) or delta (1) of a row of u's tile; zero behind the last token.
    __device__ __forceinline__ static float number(const T* tile, int row, int which) {
        return ((const float*)(tile + row * PITCH<T, DEPTH> + DEPTH))[which];
    }

    // Loads the first pair. Before each(), and before anything else that is loaded is waited for.
    __device__ __forceinline__ void begin() const { load(0); }

    // visit(first token, tile of u, tile of v) for every pair of tiles.
    template <class F>
    __device__ __forceinline__ void each(F visit) const {
        int tiles = (u.count + ROWS - 1) / ROWS;
        for (int tile = 0; tile < tiles; tile++) {
            T* pair = room + tile % STAGES * 2 * TILE;
            if (STAGES == 1 && tile > 0) {
                __syncthreads(); // nobody reads the tiles before any more
                load(tile);
            }
            wait_copies<0>();
            round_tile<DEPTH, ROWS>(pair);
            round_tile<DEPTH, ROWS>(pair + TILE);
            __syncthreads(); // this pair is there, and nobody reads the one before any more
            if (STAGES == 2 && tile + 1 < tiles) load(tile + 1);
            visit(tile * ROWS, (const T*)pair, (const T*)pair + TILE);
        }
    }
};

__device__ __forceinline__ void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], bf16) {
    mma_bf16(d, a, b);
}

__device__ __forceinline__ void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], float) {
    mma_tf32(d, a, b);
}

// 16 tokens of a tile as rows of the left factor: chunks 2 k and 2 k + 1.
template <int DEPTH, class T>
__device__ __forceinline__ void load_left(unsigned (&a)[4], const T* tile, int token, int k) {
    int lane = threadIdx.x % 32, row = token + lane / 8 % 2 * 8 + lane % 8;
    load_matrix(a, tile + row * PITCH<T, DEPTH> + (2 * k + lane / 16) * CHUNK<T>);
}

// 16 tokens of a tile as rows of the left factor, kept in registers where there is room for them.
template <class T, int DEPTH, bool KEPT>
struct LeftRows {
    static constexpr int PRODUCTS = DEPTH / (2 * CHUNK<T>);
    unsigned kept[KEPT ? PRODUCTS : 1][4];
    const T* tile;
    int token;

    __device__ __forceinline__ LeftRows(const T* tile, int token) : tile(tile), token(token) {
        if constexpr (KEPT) {
#pragma unroll
            for (int k = 0; k < PRODUCTS; k++) load_left<DEPTH>(kept[k], tile, token, k);
        }
    }

    // s[j] += rows * (16 tokens of another tile)^T: s[0] for the first 8 of these tokens, s[1] for the others.
    __device__ __forceinline__ void multiply(float (&s)[2][4], const T* other, int others) const {
        int lane = threadIdx.x % 32, row = others + lane / 16 * 8 + lane % 8;
#pragma unroll
        for (int k = 0; k < PRODUCTS; k++) {
            unsigned a[4], b[4];
            if constexpr (KEPT) {
                for (int i = 0; i < 4; i++) a[i] = kept[k][i];
            } else {
                load_left<DEPTH>(a, tile, token, k);
            }
            load_matrix(b, other + row * PITCH<T, DEPTH> + (2 * k + lane / 8 % 2) * CHUNK<T>);
            mma(s[0], a, {b[0], b[1]}, T());
            mma(s[1], a, {b[2], b[3]}, T());
        }
    }
};

// VALUES neighbours of a row, read at once.
template <int VALUES>
struct Neighbours {
    unsigned bits[VALUES];

    __device__ __forceinline__ explicit Neighbours(const float* from) {
        if constexpr (VALUES == 4) {
            uint4 x = *(const uint4*)from;
            bits[0] = x.x, bits[1] = x.y, bits[2] = x.z, bits[3] = x.w;
        } else {
            uint2 x = *(const uint2*)from;
            bits[0] = x.x, bits[1] = x.y;
        }
    }
};

// The sums of 16 tokens' vectors, in a warp. Which value of a vector sum[i][0] of lane (g, t) is: in bf16 8 i + 2 t,
// sum[i][1] the next. In TF32, where ldmatrix does not transpose, a lane reads WIDTH neighbours of a row at once, and
// they belong to as many products: 8 WIDTH (i / WIDTH) + 2 t WIDTH + i % WIDTH, sum[i][1] WIDTH further.
template <class T, int DEPTH>
struct VectorSums {
    static constexpr int WIDTH = DEPTH % 32 == 0 ? 4 : 2;
    float sum[DEPTH / 8][4];

    // += weights * 16 tokens of a tile; `a` are the weights as left factor: [16 of this warp,16 tokens].
    __device__ __forceinline__ void add(const unsigned (&a)[2][4], const float* tile, int token) {
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int h = 0; h < 2; h++) {
            // Row t of the right factor is token 2 t, row t + 4 token 2 t + 1: 2 t rows further are 8 t banks further.
            const float* row = tile + (token + 8 * h + lane % 4 * 2) * PITCH<T, DEPTH> + lane / 4 * WIDTH;
#pragma unroll
            for (int k = 0; k < DEPTH / 8; k += WIDTH) {
                Neighbours<WIDTH> even(row + 8 * k), odd(row + 8 * k + PITCH<T, DEPTH>);
                for (int i = 0; i < WIDTH; i++) mma_tf32(sum[k + i], a[h], {even.bits[i], odd.bits[i]});
            }
        }
    }

    __device__ __forceinline__ void add(const unsigned (&a)[4], const bf16* tile, int token) {
        int lane = threadIdx.x % 32, row = token + lane / 8 % 2 * 8 + lane % 8;
#pragma unroll
        for (int k = 0; k < DEPTH / 16; k++) {
            unsigned b[4];
            load_matrix<4, true>(b, tile + row * PITCH<T, DEPTH> + 16 * k + lane / 16 * 8);
            mma_bf16(sum[2 * k], a, {b[0], b[1]});
            mma_bf16(sum[2 * k + 1], a, {b[2], b[3]});
        }
    }

    // As a product yields them: w[j] of the tokens 8 j to 8 j + 7.
    __device__ __forceinline__ void add_weighted(const float (&w)[2][4], const float* tile, int token) {
        unsigned a[2][4];
        for (int h = 0; h < 2; h++) {
            for (int i = 0; i < 4; i++) a[h][i] = tf32_bits(w[h][i % 2 * 2 + i / 2]);
        }
        add(a, tile, token);
    }

    __device__ __forceinline__ void add_weighted(const float (&w)[2][4], const bf16* tile, int token) {
        add({pack_bf16(w[0][0], w[0][1]), pack_bf16(w[0][2], w[0][3]), pack_bf16(w[1][0], w[1][1]),
             pack_bf16(w[1][2], w[1][3])},
            tile, token);
    }

    // Writes the 16 tokens of this warp, from `token` on: `low` is the factor of row g, `high` of row g + 8.
    __device__ __forceinline__ void store(float low, float high, const HeadVectors<bf16>& to, int token) const {
        int lane = threadIdx.x % 32, row = token + lane / 4;
#pragma unroll
        for (int i = 0; i < DEPTH / 8; i++) {
            int d = 8 * i + lane % 4 * 2;
            if (d >= to.depth) break;
            bf16* at = to.first + row * to.stride + d;
            if (row < to.count) *(unsigned*)at = pack_bf16(sum[i][0] * low, sum[i][1] * low);
            if (row + 8 < to.count) *(unsigned*)(at + 8 * to.stride) = pack_bf16(sum[i][2] * high, sum[i][3] * high);
        }
    }

    __device__ __forceinline__ void store(float low, float high, const HeadVectors<float>& to, int token) const {
        int lane = threadIdx.x % 32, row = token + lane / 4;
#pragma unroll
        for (int i = 0; i < DEPTH / 8; i += WIDTH) {
#pragma unroll
            for (int n = 0; n < 2 * WIDTH; n += 4) { // of the 2 WIDTH neighbours that this lane has
                int d = 8 * i + lane % 4 * 2 * WIDTH + n;
                if (d >= to.depth) continue;
                float x[2][4];
                for (int e = 0; e < 4; e++) {
                    int at = i + (n + e) % WIDTH, second = (n + e) / WIDTH;
                    x[0][e] = sum[at][second] * low;
                    x[1][e] = sum[at][2 + second] * high;
                }
                float* at = to.first + row * to.stride + d;
                if (row < to.count) *(float4*)at = {x[0][0], x[0][1], x[0][2], x[0][3]};
                if (row + 8 < to.count) *(float4*)(at + 8 * to.stride) = {x[1][0], x[1][1], x[1][2], x[1][3]};
            }
        }
    }
};

// 2^x to 2 ulp; what is below 2^-126 becomes zero. exp2f would scale twice to keep it.
__device__ __forceinline__ float power_of_2(float x) {
#ifdef __CUDACC__
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return x < -126.0f ? 0.0f : exp2f(x);
#endif
}

__device__ __forceinline__ float quad_sum(float x) {
    x += __shfl_xor_sync(~0u, x, 1);
    return x + __shfl_xor_sync(~0u, x, 2);
}

__device__ __forceinline__ float quad_max(float x) {
    x = fmaxf(x, __shfl_xor_sync(~0u, x, 1));
    return fmaxf(x, __shfl_xor_sync(~0u, x, 2));
}
