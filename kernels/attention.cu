// attention.cu: multi-head self-attention with exact softmax, forward, for any number of tokens and head size.
//
// Math         s_ij = q_i . k_j / sqrt D   lse_i = max_j s_ij + log sum_j exp(s_ij - max)
//              y_i = sum_j exp(s_ij - lse_i) v_j
// Shapes       qkv [N,T,3,heads,D]   y [N,T,heads,D]   lse [N,heads,T] f32, saved for backward
// Layout       D fastest
// Requires     rows at most 16; the scores of `rows` queries fit in shared memory: 4 bytes each
// Tiling       a block owns `rows` queries of a head, 16 up to T = 1,280, and all their scores, so that the softmax is
//              the plain one of two passes; keys and values stream through a tile of 64
// Numerics     products in f32, sums of 32 (scores) or 64 (values) before they meet the others. expf and logf (2 ulp)
// Determinism  run-to-run: fixed order, no atomics
// Cost         4 T^2 D flop per head on the FP32 units, at about a quarter of their rate: 5 shared reads of 4 values
//              per 16 products. The path for what tensor cores do not take
// Reference    AttentionReference (double). Vaswani et al. 2017, arXiv:1706.03762, eq. 1
#include "attention.cuh"

struct AttentionArgs {
    const void* qkv; // [N,T,3,heads,D]
    void* y;         // [N,T,heads,D]
    float* lse;      // [N,heads,T]
    int tokens;
    int heads;
    int depth;   // D
    int rows;    // of a block
    int padded;  // tokens, filled up to whole tiles of 64
    float scale; // 1 / sqrt D
};
LAYOUT(AttentionArgs, qkv, y, lse, tokens, heads, depth, rows, padded, scale)

// From scaled scores to exp(score - max), in place; a warp per row. total[r]: their sum.
__device__ __forceinline__ void softmax_rows(const AttentionArgs& a, int count, float* scores, float* total,
                                             float* lse) {
    int lane = threadIdx.x % 32;
    for (int r = threadIdx.x / 32; r < count; r += ATTENTION_THREADS / 32) {
        float* row = scores + r * a.padded;
        float max = -__int_as_float(0x7f800000), sum = 0;
        for (int j = lane; j < a.tokens; j += 32) max = fmaxf(max, row[j]);
        max = warp_max(max) * a.scale;
        for (int j = lane; j < a.padded; j += 32) {
            row[j] = j < a.tokens ? expf(row[j] * a.scale - max) : 0.0f;
            sum += row[j];
        }
        sum = warp_sum(sum);
        if (lane == 0) {
            total[r] = sum;
            lse[r] = max + logf(sum);
        }
    }
}

template <class T>
__device__ __forceinline__ void attention(const AttentionArgs& a) {
    DYNAMIC_SHARED(float, tile);        // [TILE]
    float* total = tile + TILE;         // [MOST_ROWS]
    float* weights = total + MOST_ROWS; // [rows,padded]
    int blocks = (a.tokens + a.rows - 1) / a.rows;
    int first = (int)(blockIdx.x % blocks) * a.rows, head = (int)(blockIdx.x / blocks % a.heads);
    int64_t image = blockIdx.x / blocks / a.heads;
    int count = min(a.rows, a.tokens - first);
    int64_t width = (int64_t)a.heads * a.depth, stride = 3 * width;
    const T* qkv = (const T*)a.qkv + image * a.tokens * stride + head * a.depth;
    Vectors<T> queries {qkv + first * stride, stride, count};
    Vectors<T> keys {qkv + width, stride, a.tokens};
    Vectors<T> values {qkv + 2 * width, stride, a.tokens};

    product_rows(queries, keys, a.depth, a.rows, a.padded, tile, weights);
    softmax_rows(a, count, weights, total, a.lse + (image * a.heads + head) * a.tokens + first);
    T* y = (T*)a.y + (image * a.tokens + first) * width + head * a.depth;
    weighted_rows(weights, values, a.depth, count, a.padded, tile, [&](int r, int d, float sum) {
        y[r * width + d] = from_float<T>(sum / total[r]);
    });
}

KERNEL_RESIDENT(attention_f32, AttentionArgs, ATTENTION_THREADS, ATTENTION_BLOCKS) { attention<float>(a); }
KERNEL_RESIDENT(attention_bf16, AttentionArgs, ATTENTION_THREADS, ATTENTION_BLOCKS) { attention<bf16>(a); }
