// reduce.cu: sum or mean over neighbouring axes, and the sum of squared differences.
//
// Math         y[o,i] = factor / divisor sum_r x[o,r,i]; squared_error: the terms are (x - target)^2
// Shapes       x [outer,reduced,inner]   y [outer,inner]
//              in two stages: partial sums [outer,chunks,inner] f64, chunk k over r in [k chunk, (k+1) chunk), then a
//              second launch over the chunks
// Layout       inner fastest
// Requires     threads per block and `width` powers of two, width at most as many. _packed: 256 threads, one chunk, inner a
//              multiple of 16 bytes, x aligned to that
// Tiling       a block owns `width` columns of one outer index and chunk; its thread t adds up column t % width, so
//              that consecutive threads read consecutive elements. Width is 1 for inner = 1, 32 (a line of f32) from
//              there. _packed: a thread adds up a vector of columns, 8 loads on their way together.
// Numerics     sums of 16 in f32, f64 from there on, rounded once
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         one read of x: memory-bound. bf16 [512,64,128] to [512,128]: 8.5 MB, 2 us at 4.25 TB/s; 14 us on an H200
//              before _packed, with loads of two bytes one after the other
// Reference    ReduceReference, MeanSquaredErrorReference (double)
#include "packed.cuh"
#include "sums.cuh"

struct ReduceArgs {
    const void* x;      // [outer,reduced,inner]
    const void* target; // [outer,reduced,inner], squared_error only
    void* y;            // [outer,chunks,inner]
    int64_t outer;
    int64_t reduced;
    int64_t inner;
    int64_t chunk;
    int64_t divisor;
    float factor;
    int chunks;
    int width;
};
LAYOUT(ReduceArgs, x, target, y, outer, reduced, inner, chunk, divisor, factor, chunks, width)

__device__ __forceinline__ void store(double* y, double x) { *y = x; }
__device__ __forceinline__ void store(float* y, double x) { *y = (float)x; }
__device__ __forceinline__ void store(bf16* y, double x) { *y = from_float<bf16>((float)x); }

// What a block of the grid owns: columns from `column`, one per thread and lane, of an outer index and a chunk.
struct ReduceBlock {
    int64_t first, end; // of r
    int64_t column;     // this thread's
    int64_t start;      // element of x at r = 0
    int64_t result;     // element of y
    unsigned lane, lanes;

    __device__ __forceinline__ ReduceBlock(const ReduceArgs& a) {
        int64_t tiles = (a.inner + a.width - 1) / a.width;
        int64_t block = blockIdx.x, rest = block / tiles, outer = rest / a.chunks, chunk = rest % a.chunks;
        lane = threadIdx.x / a.width, lanes = blockDim.x / a.width;
        column = block % tiles * a.width + threadIdx.x % a.width;
        first = chunk * a.chunk;
        end = min(first + a.chunk, a.reduced);
        start = outer * a.reduced * a.inner + column;
        result = rest * a.inner + column;
    }
};

// value(element) is a term.
template <class Out, class F>
__device__ __forceinline__ void reduce_terms(const ReduceArgs& a, F value) {
    __shared__ double scratch[1024];
    ReduceBlock block(a);
    double sum[1] = {};
    if (block.column < a.inner) {
        blocked_sums<1>(block.first + block.lane, block.end, block.lanes, sum,
                        [&](int64_t r, float(&part)[1]) { part[0] += value(block.start + r * a.inner); });
    }
    fold_columns<1>(sum, a.width, scratch);
    if (block.lane == 0 && block.column < a.inner) {
        store((Out*)a.y + block.result, sum[0] * a.factor / (double)a.divisor);
    }
}

template <class T, class Out>
__device__ __forceinline__ void reduce(const ReduceArgs& a) {
    reduce_terms<Out>(a, [&](int64_t i) { return to_float(((const T*)a.x)[i]); });
}

KERNEL(reduce_f32, ReduceArgs, 1024) { reduce<float, float>(a); }
KERNEL_ROOMY(reduce_bf16, ReduceArgs, 1024, 1) { reduce<bf16, bf16>(a); }
KERNEL(reduce_partial_f32, ReduceArgs, 1024) { reduce<float, double>(a); }
KERNEL_ROOMY(reduce_partial_bf16, ReduceArgs, 1024, 1) { reduce<bf16, double>(a); }

// 256 threads, `width` columns in whole vectors: of each column the sums of `lanes` threads, which meet in two steps.
template <class T>
__device__ __forceinline__ void reduce_packed(const ReduceArgs& a) {
    constexpr int V = PACKED<T>, THREADS = 256, AT_ONCE = 8;
    __shared__ double scratch[V * (THREADS + 32)]; // [V,lanes,columns], a pad after each V
    int columns = a.width / V, lanes = THREADS / columns, pad = THREADS + columns;
    int tiles = (int)((a.inner + a.width - 1) / a.width);
    unsigned outer = blockIdx.x / tiles, tile = blockIdx.x - outer * tiles;
    int lane = threadIdx.x / columns, vectors = (int)(a.inner / V) - (int)tile * columns; // that are there
    const T* x = (const T*)a.x + outer * a.reduced * a.inner + (int64_t)tile * a.width + threadIdx.x % columns * V;
    double total[V] = {};
    for (int64_t r = lane; r < a.reduced; r += AT_ONCE * lanes) {
        uint4 row[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++) {
            bool there = r + i * lanes < a.reduced && (int)(threadIdx.x % columns) < vectors;
            row[i] = there ? *(const uint4*)(x + (r + i * lanes) * a.inner) : make_uint4(0, 0, 0, 0);
        }
        float part[V] = {};
        for (int i = 0; i < AT_ONCE; i++) {
            float value[V];
            unpack(row[i], value);
            for (int v = 0; v < V; v++) part[v] += value[v];
        }
        for (int v = 0; v < V; v++) total[v] += part[v];
    }
    for (int v = 0; v < V; v++) scratch[v * pad + threadIdx.x] = total[v];
    __syncthreads(); // the sums of all threads are there
    int subsets = THREADS / a.width, subset = threadIdx.x / a.width, v = threadIdx.x % a.width / columns;
    double sum = 0;
#pragma unroll 4
    for (int l = subset; l < lanes; l += subsets) sum += scratch[v * pad + l * columns + threadIdx.x % columns];
    __syncthreads(); // they were read
    scratch[threadIdx.x] = sum;
    __syncthreads(); // the sums of all subsets are there
    if ((int)threadIdx.x >= a.width || (int)(threadIdx.x % columns) >= vectors) return;
    for (int s = 1; s < subsets; s++) sum += scratch[s * a.width + threadIdx.x];
    T* y = (T*)a.y + outer * a.inner + (int64_t)tile * a.width + threadIdx.x % columns * V + v;
    store(y, sum * a.factor / (double)a.divisor);
}

KERNEL(reduce_packed_f32, ReduceArgs, 256) { reduce_packed<float>(a); }
KERNEL(reduce_packed_bf16, ReduceArgs, 256) { reduce_packed<bf16>(a); }

// The second stage: x is [outer,chunks,inner] f64, `reduced` the number of chunks.
template <class Out>
__device__ __forceinline__ void reduce_total(const ReduceArgs& a) {
    __shared__ double scratch[1024];
    ReduceBlock block(a);
    double sum[1] = {};
    if (block.column < a.inner) {
        for (int64_t r = block.lane; r < a.reduced; r += block.lanes) {
            sum[0] += ((const double*)a.x)[block.start + r * a.inner];
        }
    }
    fold_columns<1>(sum, a.width, scratch);
    if (block.lane == 0 && block.column < a.inner) {
        store((Out*)a.y + block.result, sum[0] * a.factor / (double)a.divisor);
    }
}

KERNEL(reduce_total_f32, ReduceArgs, 1024) { reduce_total<float>(a); }
KERNEL(reduce_total_bf16, ReduceArgs, 1024) { reduce_total<bf16>(a); }

template <class T, class Target>
__device__ __forceinline__ void squared_error(const ReduceArgs& a) {
    reduce_terms<double>(a, [&](int64_t i) {
        float error = to_float(((const T*)a.x)[i]) - to_float(((const Target*)a.target)[i]);
        return error * error;
    });
}

KERNEL(squared_error_f32_f32, ReduceArgs, 1024) { squared_error<float, float>(a); }
KERNEL(squared_error_f32_bf16, ReduceArgs, 1024) { squared_error<float, bf16>(a); }
KERNEL(squared_error_bf16_f32, ReduceArgs, 1024) { squared_error<bf16, float>(a); }
KERNEL(squared_error_bf16_bf16, ReduceArgs, 1024) { squared_error<bf16, bf16>(a); }
