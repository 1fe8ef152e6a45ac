// cross_entropy.cu: softmax and negative log-likelihood of a label, forward and backward.
//
// Math         loss = weight sum_m (max_m + log sum_v exp(x[m,v] - max_m) - x[m,label[m]])
//              dx[m,v] = weight dloss (exp(x[m,v] - max_m) / sum_m - [v == label[m]])
// Shapes       logits x, dlogits dx [M,V]   label [M] i32   dloss [1] f32   losses [M] f32: terms of the sum over m,
//              added up by `reduce_f32`
// Layout       V fastest
// Requires     a label outside [0,V) gives NaN: its term of the loss, and its whole row of the gradient
// Tiling       as softmax.cu
// Numerics     expf and logf (2 ulp); sums of 16 in f32, f64 from there on; a term is rounded to f32
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         one read of the logits, backward one write; the second pass over a row hits the first-level cache
// Reference    CrossEntropyReference (double)
#include "rows.cuh"

struct CrossEntropyArgs {
    const void* logits;   // [rows,columns]
    const int32_t* label; // [rows]
    const float* dloss;   // [1], backward only
    void* y;              // losses [rows] f32; backward: dlogits [rows,columns]
    int64_t rows;
    int columns;
    float weight; // backward only
};
LAYOUT(CrossEntropyArgs, logits, label, dloss, y, rows, columns, weight)

template <class T, bool BY_WARP>
__device__ __forceinline__ void cross_entropy(const CrossEntropyArgs& a) {
    Row<BY_WARP> row;
    if (row.index >= a.rows) return;
    const T* x = (const T*)a.logits + row.index * a.columns;
    SoftmaxRow of = softmax_row<T>(row, x, a.columns);
    if (row.lane != 0) return;
    int label = a.label[row.index];
    bool valid = label >= 0 && label < a.columns;
    float right = valid ? to_float(x[label]) : __int_as_float(0x7fc00000);
    ((float*)a.y)[row.index] = logf(of.sum) + (of.max - right);
}

KERNEL(cross_entropy_f32, CrossEntropyArgs, 256) { cross_entropy<float, false>(a); }
KERNEL(cross_entropy_bf16, CrossEntropyArgs, 256) { cross_entropy<bf16, false>(a); }
KERNEL(cross_entropy_f32_warp, CrossEntropyArgs, 256) { cross_entropy<float, true>(a); }
KERNEL(cross_entropy_bf16_warp, CrossEntropyArgs, 256) { cross_entropy<bf16, true>(a); }

template <class T, bool BY_WARP>
__device__ __forceinline__ void cross_entropy_backward(const CrossEntropyArgs& a) {
    Row<BY_WARP> row;
    if (row.index >= a.rows) return;
    const T* x = (const T*)a.logits + row.index * a.columns;
    T* dx = (T*)a.y + row.index * a.columns;
    SoftmaxRow of = softmax_row<T>(row, x, a.columns);
    int label = a.label[row.index];
    bool valid = label >= 0 && label < a.columns;
    float factor = valid ? a.weight * a.dloss[0] : __int_as_float(0x7fc00000);
    for (int c = row.lane; c < a.columns; c += row.lanes) {
        float p = expf(to_float(x[c]) - of.max) / of.sum;
        dx[c] = from_float<T>(factor * (c == label ? p - 1.0f : p));
    }
}

KERNEL(cross_entropy_backward_f32, CrossEntropyArgs, 256) { cross_entropy_backward<float, false>(a); }
KERNEL(cross_entropy_backward_bf16, CrossEntropyArgs, 256) { cross_entropy_backward<bf16, false>(a); }
KERNEL(cross_entropy_backward_f32_warp, CrossEntropyArgs, 256) { cross_entropy_backward<float, true>(a); }
KERNEL(cross_entropy_backward_bf16_warp, CrossEntropyArgs, 256) { cross_entropy_backward<bf16, true>(a); }
