// move.cu: operations that move data: concatenation and slices of an axis, nearest-x2 upsampling, average pooling,
// repetition along an axis, and rows of a table; forward and backward.
//
// Math         copy_rows      y[o, begin + i] = x[o, first + i], 0 <= i < width, for every outer index o; elsewhere y
//                             is untouched, or zero with `clear`
//              upsample       y[n,h,w,c] = x[n,h/2,w/2,c]; backward: the sum of the four
//              average_pool   y[n,h,w,c] = mean of x over size x size pixels; backward: dy / size^2 to each
//              broadcast      y[o,m,i] = x[o,i]
//              embedding      y[n,:] = table[index[n],:]; backward: dtable[v,:] = sum of dy[n,:] over n with index v
// Shapes       in units of elements; `copy_rows`, `upsample`, `broadcast`, `embedding` move bytes of any type, in units
//              of 16, 4, 2 or 1 bytes, and all numbers are in such units; the other kernels may take 16 bytes of
//              channels at a time, and `n` and `channels` are then in packs
// Layout       C fastest
// Requires     an index outside the table is clamped to it; units of 16 bytes and packs need aligned addresses
// Tiling       one thread per unit or pack written, blocks of 256: memory-bound, consecutive threads on consecutive ones
// Numerics     sums in f32: of 4 (upsample), size^2 (pool) or the matching rows in ascending n (embedding); rounded once
// Determinism  run-to-run: every element is written by one thread, in a fixed order
// Cost         one read and one write of every element moved; the gradient of `embedding` reads dy once per table row,
//              meant for tables of a few classes
// Reference    ConcatReference, SliceReference, UpsampleReference, AveragePoolReference, BroadcastReference,
//              EmbeddingReference (double)
#include "packed.cuh"

struct CopyRowsArgs {
    const void* x;
    void* y;
    int64_t outer;
    int64_t x_stride; // units from one outer index to the next
    int64_t y_stride;
    int64_t x_first; // unit of the first one copied
    int64_t y_first;
    int64_t width; // units written per outer index; the whole of y_stride with `clear`
    int64_t copied; // units copied per outer index
    int clear;      // writes all of y_stride: zeros outside the copy
};
LAYOUT(CopyRowsArgs, x, y, outer, x_stride, y_stride, x_first, y_first, width, copied, clear)

template <class Unit>
__device__ __forceinline__ void copy_rows(const CopyRowsArgs& a) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.outer * a.width) return;
    int64_t o = i / a.width, at = i - o * a.width;
    int64_t source = a.clear ? at - a.y_first : at;
    int64_t target = a.clear ? at : a.y_first + at;
    Unit value = {};
    if (source >= 0 && source < a.copied) value = ((const Unit*)a.x)[o * a.x_stride + a.x_first + source];
    ((Unit*)a.y)[o * a.y_stride + target] = value;
}

KERNEL(copy_rows_16, CopyRowsArgs, 256) { copy_rows<uint4>(a); }
KERNEL(copy_rows_4, CopyRowsArgs, 256) { copy_rows<uint32_t>(a); }
KERNEL(copy_rows_2, CopyRowsArgs, 256) { copy_rows<uint16_t>(a); }
KERNEL(copy_rows_1, CopyRowsArgs, 256) { copy_rows<uint8_t>(a); }

struct PoolArgs {
    const void* x; // upsample, average_pool: [N,H,W,C]; their backward: dy
    void* y;
    int64_t n; // elements of y
    int height; // of y
    int width;
    int channels;
    int size;
};
LAYOUT(PoolArgs, x, y, n, height, width, channels, size)

struct Pixel {
    int64_t image;
    int row, column, channel;
};

__device__ __forceinline__ Pixel pixel_of(int64_t i, const PoolArgs& a) {
    int64_t pixel = i / a.channels, line = pixel / a.width;
    return {line / a.height, (int)(line % a.height), (int)(pixel % a.width), (int)(i % a.channels)};
}

template <class Unit>
__device__ __forceinline__ void upsample(const PoolArgs& a) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    Pixel p = pixel_of(i, a);
    int64_t source = (p.image * (a.height / 2) + p.row / 2) * (a.width / 2) + p.column / 2;
    ((Unit*)a.y)[i] = ((const Unit*)a.x)[source * a.channels + p.channel];
}

KERNEL(upsample_16, PoolArgs, 256) { upsample<uint4>(a); }
KERNEL(upsample_4, PoolArgs, 256) { upsample<uint32_t>(a); }
KERNEL(upsample_2, PoolArgs, 256) { upsample<uint16_t>(a); }
KERNEL(upsample_1, PoolArgs, 256) { upsample<uint8_t>(a); }

template <class T>
struct Single {
    T value;
};

__device__ __forceinline__ void read(const Single<float>& unit, float (&x)[1]) { x[0] = unit.value; }
__device__ __forceinline__ void read(const Single<bf16>& unit, float (&x)[1]) { x[0] = to_float(unit.value); }
template <int SIZE>
__device__ __forceinline__ void read(const uint4& unit, float (&x)[SIZE]) {
    unpack(unit, x);
}

__device__ __forceinline__ void write(Single<float>& unit, const float (&x)[1]) { unit.value = x[0]; }
__device__ __forceinline__ void write(Single<bf16>& unit, const float (&x)[1]) { unit.value = from_float<bf16>(x[0]); }
template <int SIZE>
__device__ __forceinline__ void write(uint4& unit, const float (&x)[SIZE]) {
    unit = pack(x);
}

// Sum over size x size pixels of x for each element of y, times a factor: average pooling, and upsampling's gradient.
// Unit: SIZE numbers of consecutive channels.
template <class Unit, int SIZE>
__device__ __forceinline__ void pool(const PoolArgs& a, float factor) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    Pixel p = pixel_of(i, a);
    const Unit* x = (const Unit*)a.x;
    int64_t wide = (int64_t)a.width * a.size;
    int64_t first = ((p.image * a.height + p.row) * a.size * wide + (int64_t)p.column * a.size) * a.channels + p.channel;
    float sum[SIZE] = {}, one[SIZE];
    for (int r = 0; r < a.size; r++) {
        for (int c = 0; c < a.size; c++) {
            read(x[first + (r * wide + c) * a.channels], one);
            for (int k = 0; k < SIZE; k++) sum[k] += one[k];
        }
    }
    for (int k = 0; k < SIZE; k++) sum[k] *= factor;
    write(((Unit*)a.y)[i], sum);
}

template <class Unit, int SIZE>
__device__ __forceinline__ void average_pool_backward(const PoolArgs& a, float factor) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    Pixel p = pixel_of(i, a);
    int64_t source = (p.image * (a.height / a.size) + p.row / a.size) * (a.width / a.size) + p.column / a.size;
    float dy[SIZE];
    read(((const Unit*)a.x)[source * a.channels + p.channel], dy);
    for (int k = 0; k < SIZE; k++) dy[k] *= factor;
    write(((Unit*)a.y)[i], dy);
}

#define POOL_KERNELS(name, function, factor)                                                 \
    KERNEL(name##_f32, PoolArgs, 256) { function<Single<float>, 1>(a, factor); }              \
    KERNEL(name##_bf16, PoolArgs, 256) { function<Single<bf16>, 1>(a, factor); }              \
    KERNEL(name##_f32_packed, PoolArgs, 256) { function<uint4, 4>(a, factor); }               \
    KERNEL(name##_bf16_packed, PoolArgs, 256) { function<uint4, 8>(a, factor); }

POOL_KERNELS(average_pool, pool, 1.0f / (a.size * a.size))
POOL_KERNELS(upsample_backward, pool, 1.0f)
POOL_KERNELS(average_pool_backward, average_pool_backward, 1.0f / (a.size * a.size))

struct BroadcastArgs {
    const void* x; // [outer,inner]
    void* y;       // [outer,repeats,inner]
    int64_t outer;
    int64_t repeats;
    int64_t inner;
};
LAYOUT(BroadcastArgs, x, y, outer, repeats, inner)

template <class Unit>
__device__ __forceinline__ void broadcast(const BroadcastArgs& a) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.outer * a.repeats * a.inner) return;
    ((Unit*)a.y)[i] = ((const Unit*)a.x)[i / (a.repeats * a.inner) * a.inner + i % a.inner];
}

KERNEL(broadcast_16, BroadcastArgs, 256) { broadcast<uint4>(a); }
KERNEL(broadcast_4, BroadcastArgs, 256) { broadcast<uint32_t>(a); }
KERNEL(broadcast_2, BroadcastArgs, 256) { broadcast<uint16_t>(a); }
KERNEL(broadcast_1, BroadcastArgs, 256) { broadcast<uint8_t>(a); }

struct EmbeddingArgs {
    const void* x;        // table [rows,columns]; backward: dy [count,columns]
    const int32_t* index; // [count]
    void* y;              // [count,columns]; backward: dtable [rows,columns] f32
    int64_t count;
    int rows;
    int columns;
};
LAYOUT(EmbeddingArgs, x, index, y, count, rows, columns)

template <class Unit>
__device__ __forceinline__ void embedding(const EmbeddingArgs& a) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.count * a.columns) return;
    int row = min(max(a.index[i / a.columns], 0), a.rows - 1);
    ((Unit*)a.y)[i] = ((const Unit*)a.x)[(int64_t)row * a.columns + i % a.columns];
}

KERNEL(embedding_16, EmbeddingArgs, 256) { embedding<uint4>(a); }
KERNEL(embedding_4, EmbeddingArgs, 256) { embedding<uint32_t>(a); }
KERNEL(embedding_2, EmbeddingArgs, 256) { embedding<uint16_t>(a); }
KERNEL(embedding_1, EmbeddingArgs, 256) { embedding<uint8_t>(a); }

template <class T>
__device__ __forceinline__ void embedding_backward(const EmbeddingArgs& a) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= (int64_t)a.rows * a.columns) return;
    int row = (int)(i / a.columns), column = (int)(i % a.columns);
    float sum = 0;
    for (int64_t n = 0; n < a.count; n++) {
        if (min(max(a.index[n], 0), a.rows - 1) == row) sum += to_float(((const T*)a.x)[n * a.columns + column]);
    }
    ((float*)a.y)[i] = sum;
}

KERNEL(embedding_backward_f32, EmbeddingArgs, 256) { embedding_backward<float>(a); }
KERNEL(embedding_backward_bf16, EmbeddingArgs, 256) { embedding_backward<bf16>(a); }
