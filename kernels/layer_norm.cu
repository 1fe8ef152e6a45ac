// layer_norm.cu: layer normalisation over the innermost dimension, forward and backward.
//
// Math         mean = sum x / C   rstd = 1/sqrt(sum (x-mean)^2 / C + eps)   xhat = (x-mean)*rstd
//              y = xhat*gamma[c] + beta[c]
//              dx = rstd*(dy*gamma - sum(dy*gamma)/C - xhat*sum(dy*gamma*xhat)/C)
//              dgamma[c] = sum_rows dy*xhat   dbeta[c] = sum_rows dy
// Shapes       x, y, dy, dx [rows,C]   gamma, beta, dgamma, dbeta [C] f32   mean, rstd [rows] f32
//              sums [2,chunks,C] f32: dgamma and dbeta of a chunk of rows, added up by `norm_parameters`
// Layout       C fastest
// Requires     nothing
// Tiling       as softmax.cu. _sums: a block owns 32 channels of a chunk of rows, 8 rows at a time
// Numerics     two passes; sums of 16 in f32, f64 from there on. E[x^2]-mean^2 was rejected: see group_norm.cu.
//              dy*gamma is rounded before the mean is taken off, as the mean's terms are: a row of one gives 0
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         one read and one write, the second and third pass over a row hit the first-level cache; backward reads
//              dy and x twice: once for dx, once for dgamma and dbeta
// Reference    LayerNormReference (double). Ba et al. 2016, arXiv:1607.06450
#include "rows.cuh"

struct LayerNormArgs {
    const void* x;      // [rows,columns]
    const float* gamma; // [columns]
    const float* beta;  // [columns]
    void* y;            // [rows,columns]
    float* mean;        // [rows]
    float* rstd;        // [rows]
    int64_t rows;
    int columns;
    float eps;
};
LAYOUT(LayerNormArgs, x, gamma, beta, y, mean, rstd, rows, columns, eps)

template <class T, bool BY_WARP>
__device__ __forceinline__ void layer_norm(const LayerNormArgs& a) {
    Row<BY_WARP> row;
    if (row.index >= a.rows) return;
    const T* x = (const T*)a.x + row.index * a.columns;
    T* y = (T*)a.y + row.index * a.columns;
    float mean = (float)(row.sum_of(a.columns, [&](int c) { return to_float(x[c]); }) / a.columns);
    double variance = row.sum_of(a.columns, [&](int c) {
        float centred = to_float(x[c]) - mean;
        return centred * centred;
    });
    float rstd = (float)(1.0 / sqrt(variance / a.columns + a.eps));
    if (row.lane == 0) {
        a.mean[row.index] = mean;
        a.rstd[row.index] = rstd;
    }
    for (int c = row.lane; c < a.columns; c += row.lanes) {
        y[c] = from_float<T>((to_float(x[c]) - mean) * rstd * a.gamma[c] + a.beta[c]);
    }
}

KERNEL(layer_norm_f32, LayerNormArgs, 256) { layer_norm<float, false>(a); }
KERNEL(layer_norm_bf16, LayerNormArgs, 256) { layer_norm<bf16, false>(a); }
KERNEL(layer_norm_f32_warp, LayerNormArgs, 256) { layer_norm<float, true>(a); }
KERNEL(layer_norm_bf16_warp, LayerNormArgs, 256) { layer_norm<bf16, true>(a); }

struct LayerNormBackwardArgs {
    const void* dy;     // [rows,columns]
    const void* x;      // [rows,columns]
    const float* gamma; // [columns]
    const float* mean;  // [rows]
    const float* rstd;  // [rows]
    void* dx;           // [rows,columns]
    float* sums;        // [2,chunks,columns]
    int64_t rows;
    int64_t chunk; // rows of a chunk
    int chunks;
    int columns;
};
LAYOUT(LayerNormBackwardArgs, dy, x, gamma, mean, rstd, dx, sums, rows, chunk, chunks, columns)

template <class T, bool BY_WARP>
__device__ __forceinline__ void layer_norm_backward(const LayerNormBackwardArgs& a) {
    Row<BY_WARP> row;
    if (row.index >= a.rows) return;
    const T* x = (const T*)a.x + row.index * a.columns;
    const T* dy = (const T*)a.dy + row.index * a.columns;
    T* dx = (T*)a.dx + row.index * a.columns;
    float mean = a.mean[row.index], rstd = a.rstd[row.index];
    double sum[2] = {};
    blocked_sums<2>(row.lane, a.columns, row.lanes, sum, [&](int64_t c, float(&part)[2]) {
        float dxhat = to_float(dy[c]) * a.gamma[c];
        part[0] += dxhat;
        part[1] += dxhat * ((to_float(x[c]) - mean) * rstd);
    });
    float low = (float)(row.sum(sum[0]) / a.columns);
    float high = (float)(row.sum(sum[1]) / a.columns);
    for (int c = row.lane; c < a.columns; c += row.lanes) {
        float xhat = (to_float(x[c]) - mean) * rstd;
        dx[c] = from_float<T>(rstd * (__fmul_rn(to_float(dy[c]), a.gamma[c]) - low - xhat * high));
    }
}

KERNEL(layer_norm_backward_f32, LayerNormBackwardArgs, 256) { layer_norm_backward<float, false>(a); }
KERNEL(layer_norm_backward_bf16, LayerNormBackwardArgs, 256) { layer_norm_backward<bf16, false>(a); }
KERNEL(layer_norm_backward_f32_warp, LayerNormBackwardArgs, 256) { layer_norm_backward<float, true>(a); }
KERNEL(layer_norm_backward_bf16_warp, LayerNormBackwardArgs, 256) { layer_norm_backward<bf16, true>(a); }

// dgamma and dbeta of a chunk of rows.
template <class T>
__device__ __forceinline__ void layer_norm_backward_sums(const LayerNormBackwardArgs& a) {
    __shared__ double scratch[256];
    int tiles = (a.columns + 31) / 32;
    int64_t chunk = blockIdx.x / tiles;
    int column = (int)(blockIdx.x % tiles) * 32 + threadIdx.x % 32;
    double sum[2] = {};
    if (column < a.columns) {
        int64_t begin = chunk * a.chunk, end = min(begin + a.chunk, a.rows);
        blocked_sums<2>(begin + threadIdx.x / 32, end, 8, sum, [&](int64_t r, float(&part)[2]) {
            float dy = to_float(((const T*)a.dy)[r * a.columns + column]);
            part[0] += dy * ((to_float(((const T*)a.x)[r * a.columns + column]) - a.mean[r]) * a.rstd[r]);
            part[1] += dy;
        });
    }
    fold_columns<2>(sum, 32, scratch);
    if (threadIdx.x < 32 && column < a.columns) {
        a.sums[chunk * a.columns + column] = (float)sum[0];
        a.sums[(a.chunks + chunk) * a.columns + column] = (float)sum[1];
    }
}

KERNEL(layer_norm_backward_sums_f32, LayerNormBackwardArgs, 256) { layer_norm_backward_sums<float>(a); }
KERNEL(layer_norm_backward_sums_bf16, LayerNormBackwardArgs, 256) { layer_norm_backward_sums<bf16>(a); }
