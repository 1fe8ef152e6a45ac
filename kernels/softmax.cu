// softmax.cu: softmax over the innermost dimension, forward and backward.
//
// Math         y = exp(x - max) / sum exp(x - max)      dx = y (dy - sum_c dy y)
// Shapes       x, y, dy, dx [rows,C]
// Layout       C fastest
// Requires     nothing
// Tiling       `_warp`: a row per warp, 8 rows a block; otherwise a row per block of 256. The planner takes warps up to
//              C = 1024, where a block would have less than 4 values per thread.
// Numerics     expf (2 ulp); sums of 16 in f32, f64 from there on
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         one read and one write; the second and third pass over a row hit the first-level cache
// Reference    SoftmaxReference (double)
#include "rows.cuh"

struct SoftmaxArgs {
    const void* x;  // [rows,columns]; backward: y
    const void* dy; // [rows,columns], backward only
    void* y;        // [rows,columns]; backward: dx
    int64_t rows;
    int columns;
};
LAYOUT(SoftmaxArgs, x, dy, y, rows, columns)

template <class T, bool BY_WARP>
__device__ __forceinline__ void softmax(const SoftmaxArgs& a) {
    Row<BY_WARP> row;
    if (row.index >= a.rows) return;
    const T* x = (const T*)a.x + row.index * a.columns;
    T* y = (T*)a.y + row.index * a.columns;
    SoftmaxRow of = softmax_row<T>(row, x, a.columns);
    for (int c = row.lane; c < a.columns; c += row.lanes) y[c] = from_float<T>(expf(to_float(x[c]) - of.max) / of.sum);
}

KERNEL(softmax_f32, SoftmaxArgs, 256) { softmax<float, false>(a); }
KERNEL(softmax_bf16, SoftmaxArgs, 256) { softmax<bf16, false>(a); }
KERNEL(softmax_f32_warp, SoftmaxArgs, 256) { softmax<float, true>(a); }
KERNEL(softmax_bf16_warp, SoftmaxArgs, 256) { softmax<bf16, true>(a); }

template <class T, bool BY_WARP>
__device__ __forceinline__ void softmax_backward(const SoftmaxArgs& a) {
    Row<BY_WARP> row;
    if (row.index >= a.rows) return;
    const T* y = (const T*)a.x + row.index * a.columns;
    const T* dy = (const T*)a.dy + row.index * a.columns;
    T* dx = (T*)a.y + row.index * a.columns;
    float dot = (float)row.sum_of(a.columns, [&](int c) { return to_float(dy[c]) * to_float(y[c]); });
    for (int c = row.lane; c < a.columns; c += row.lanes) {
        dx[c] = from_float<T>(to_float(y[c]) * (to_float(dy[c]) - dot));
    }
}

KERNEL(softmax_backward_f32, SoftmaxArgs, 256) { softmax_backward<float, false>(a); }
KERNEL(softmax_backward_bf16, SoftmaxArgs, 256) { softmax_backward<bf16, false>(a); }
KERNEL(softmax_backward_f32_warp, SoftmaxArgs, 256) { softmax_backward<float, true>(a); }
KERNEL(softmax_backward_bf16_warp, SoftmaxArgs, 256) { softmax_backward<bf16, true>(a); }
