// attention_backward.cu: gradient of multi-head self-attention, for any number of tokens and head size.
//
// Math         p_ij = exp(q_i . k_j / sqrt D - lse_i)   delta_i = dy_i . y_i
//              ds_ij = p_ij (dy_i . v_j - delta_i) / sqrt D
//              dq_i = sum_j ds_ij k_j   dk_j = sum_i ds_ij q_i   dv_j = sum_i p_ij dy_i
// Shapes       qkv, dqkv [N,T,3,heads,D]   dy, y [N,T,heads,D]   lse, delta [N,heads,T] f32, delta in scratch memory
// Layout       D fastest
// Requires     _delta first. Rows at most 16; 8 bytes of shared memory for each row and token
// Tiling       _delta: `lanes` per query and head, 16 bytes each, four times; a warp where a vector is not so many pieces.
//              _queries: a block owns `rows` queries of a head; _keys: `rows` keys
//              and values; 16 up to T = 640, 8 up to T = 1,280. Each keeps p and ds of its rows in shared memory
// Numerics     as attention.cu; p from the saved log-sum-exp
// Determinism  run-to-run: every gradient is written by one block, in a fixed order; no atomics
// Cost         14 T^2 D flop per head instead of 10, since both kernels compute scores, on the FP32 units. The path for
//              what tensor cores do not take
// Reference    AttentionReference (double). Dao et al. 2022, arXiv:2205.14135, appendix B.2
#include "attention.cuh"
#include "packed.cuh"

struct AttentionDeltaArgs {
    const void* dy; // [N,T,heads,D]
    const void* y;  // [N,T,heads,D]
    float* delta;   // [N,heads,T]
    int64_t images;
    int tokens;
    int heads;
    int depth; // D
    int lanes; // a power of two that share a vector in pieces of 16 bytes, or 0
};
LAYOUT(AttentionDeltaArgs, dy, y, delta, images, tokens, heads, depth, lanes)

constexpr int DELTA_ROUNDS = 4;

// i in [N,T,heads].
__device__ __forceinline__ void write_delta(const AttentionDeltaArgs& a, int64_t i, float delta) {
    int64_t head = i % a.heads, token = i / a.heads % a.tokens, image = i / a.heads / a.tokens;
    a.delta[(image * a.heads + head) * a.tokens + token] = delta;
}

// All loads of a thread are on their way before the first is used.
template <class T>
__device__ __forceinline__ void attention_delta_packed(const AttentionDeltaArgs& a) {
    constexpr int SIZE = PACKED<T>;
    int each = ATTENTION_THREADS / a.lanes, lane = (int)threadIdx.x & (a.lanes - 1); // vectors of the block at once
    int64_t first = blockIdx.x * (int64_t)(DELTA_ROUNDS * each) + threadIdx.x / a.lanes;
    int64_t all = a.images * a.tokens * a.heads;
    uint4 dy[DELTA_ROUNDS], y[DELTA_ROUNDS];
#pragma unroll
    for (int n = 0; n < DELTA_ROUNDS; n++) {
        int64_t i = first + n * each;
        dy[n] = y[n] = make_uint4(0, 0, 0, 0);
        if (i < all) dy[n] = ((const uint4*)a.dy)[i * a.lanes + lane], y[n] = ((const uint4*)a.y)[i * a.lanes + lane];
    }
#pragma unroll
    for (int n = 0; n < DELTA_ROUNDS; n++) {
        float left[SIZE], right[SIZE], sum = 0;
        unpack(dy[n], left);
        unpack(y[n], right);
        for (int d = 0; d < SIZE; d++) sum += left[d] * right[d];
        for (int distance = a.lanes / 2; distance > 0; distance /= 2) sum += __shfl_xor_sync(~0u, sum, distance);
        int64_t i = first + n * each;
        if (lane == 0 && i < all) write_delta(a, i, sum);
    }
}

template <class T>
__device__ __forceinline__ void attention_delta(const AttentionDeltaArgs& a) {
    if (a.lanes > 0) {
        attention_delta_packed<T>(a);
        return;
    }
    int64_t i = blockIdx.x * (int64_t)(ATTENTION_THREADS / 32) + threadIdx.x / 32; // in [N,T,heads]
    if (i >= a.images * a.tokens * a.heads) return;
    float sum = 0;
    for (int d = threadIdx.x % 32; d < a.depth; d += 32) {
        sum += to_float(((const T*)a.dy)[i * a.depth + d]) * to_float(((const T*)a.y)[i * a.depth + d]);
    }
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) write_delta(a, i, sum);
}

KERNEL(attention_delta_f32, AttentionDeltaArgs, ATTENTION_THREADS) { attention_delta<float>(a); }
KERNEL(attention_delta_bf16, AttentionDeltaArgs, ATTENTION_THREADS) { attention_delta<bf16>(a); }

struct AttentionBackwardArgs {
    const void* dy;     // [N,T,heads,D]
    const void* qkv;    // [N,T,3,heads,D]
    const float* lse;   // [N,heads,T]
    const float* delta; // [N,heads,T]
    void* dqkv;         // [N,T,3,heads,D]
    int tokens;
    int heads;
    int depth;   // D
    int rows;    // of a block
    int padded;  // tokens, filled up to whole tiles of 64
    float scale; // 1 / sqrt D
};
LAYOUT(AttentionBackwardArgs, dy, qkv, lse, delta, dqkv, tokens, heads, depth, rows, padded, scale)

// A block's head, and its rows: queries, or keys and values.
template <class T>
struct HeadBlock {
    int first, count;
    int64_t width, stride; // of y, and of qkv
    const T *qkv, *dy;     // the head at token 0
    T* dqkv;
    const float *lse, *delta;

    __device__ __forceinline__ HeadBlock(const AttentionBackwardArgs& a) {
        int blocks = (a.tokens + a.rows - 1) / a.rows;
        first = (int)(blockIdx.x % blocks) * a.rows;
        count = min(a.rows, a.tokens - first);
        int head = (int)(blockIdx.x / blocks % a.heads);
        int64_t image = blockIdx.x / blocks / a.heads;
        width = (int64_t)a.heads * a.depth, stride = 3 * width;
        qkv = (const T*)a.qkv + image * a.tokens * stride + head * a.depth;
        dqkv = (T*)a.dqkv + image * a.tokens * stride + head * a.depth;
        dy = (const T*)a.dy + image * a.tokens * width + head * a.depth;
        lse = a.lse + (image * a.heads + head) * a.tokens;
        delta = a.delta + (image * a.heads + head) * a.tokens;
    }

    // Queries (part 0), keys (1) or values (2) from a token on.
    __device__ __forceinline__ Vectors<T> part(int part, int from, int count) const {
        return {qkv + from * stride + part * width, stride, count};
    }

    __device__ __forceinline__ Vectors<T> gradients(int from, int count) const {
        return {dy + from * width, width, count};
    }

    __device__ __forceinline__ void write(int part, int row, int d, float value) const {
        dqkv[(first + row) * stride + part * width + d] = from_float<T>(value);
    }
};

// From products q.k and dy.v to p and ds, in place. BY_QUERY: rows are queries, else columns are.
template <bool BY_QUERY, class T>
__device__ __forceinline__ void slopes(const AttentionBackwardArgs& a, const HeadBlock<T>& of, float* p, float* ds) {
    for (int i = threadIdx.x; i < of.count * a.padded; i += ATTENTION_THREADS) {
        int row = i / a.padded, column = i % a.padded;
        float weight = 0, slope = 0;
        if (column < a.tokens) {
            int query = BY_QUERY ? of.first + row : column;
            weight = expf(p[i] * a.scale - of.lse[query]);
            slope = weight * (ds[i] - of.delta[query]) * a.scale;
        }
        p[i] = weight;
        ds[i] = slope;
    }
}

template <class T>
__device__ __forceinline__ void attention_backward_queries(const AttentionBackwardArgs& a) {
    DYNAMIC_SHARED(float, tile);       // [TILE]
    float* p = tile + TILE;            // [rows,padded]
    float* ds = p + a.rows * a.padded; // [rows,padded]
    HeadBlock<T> of(a);
    Vectors<T> keys = of.part(1, 0, a.tokens);
    product_rows(of.part(0, of.first, of.count), keys, a.depth, a.rows, a.padded, tile, p);
    product_rows(of.gradients(of.first, of.count), of.part(2, 0, a.tokens), a.depth, a.rows, a.padded, tile, ds);
    slopes<true>(a, of, p, ds);
    weighted_rows(ds, keys, a.depth, of.count, a.padded, tile, [&](int r, int d, float x) { of.write(0, r, d, x); });
}

KERNEL_RESIDENT(attention_backward_queries_f32, AttentionBackwardArgs, ATTENTION_THREADS, ATTENTION_BLOCKS) {
    attention_backward_queries<float>(a);
}
KERNEL_RESIDENT(attention_backward_queries_bf16, AttentionBackwardArgs, ATTENTION_THREADS, ATTENTION_BLOCKS) {
    attention_backward_queries<bf16>(a);
}

template <class T>
__device__ __forceinline__ void attention_backward_keys(const AttentionBackwardArgs& a) {
    DYNAMIC_SHARED(float, tile);       // [TILE]
    float* p = tile + TILE;            // [rows,padded], columns are queries
    float* ds = p + a.rows * a.padded; // [rows,padded]
    HeadBlock<T> of(a);
    Vectors<T> queries = of.part(0, 0, a.tokens), gradients = of.gradients(0, a.tokens);
    product_rows(of.part(1, of.first, of.count), queries, a.depth, a.rows, a.padded, tile, p);
    product_rows(of.part(2, of.first, of.count), gradients, a.depth, a.rows, a.padded, tile, ds);
    slopes<false>(a, of, p, ds);
    weighted_rows(ds, queries, a.depth, of.count, a.padded, tile, [&](int r, int d, float x) { of.write(1, r, d, x); });
    weighted_rows(p, gradients, a.depth, of.count, a.padded, tile,
                  [&](int r, int d, float x) { of.write(2, r, d, x); });
}

KERNEL_RESIDENT(attention_backward_keys_f32, AttentionBackwardArgs, ATTENTION_THREADS, ATTENTION_BLOCKS) {
    attention_backward_keys<float>(a);
}
KERNEL_RESIDENT(attention_backward_keys_bf16, AttentionBackwardArgs, ATTENTION_THREADS, ATTENTION_BLOCKS) {
    attention_backward_keys<bf16>(a);
}
