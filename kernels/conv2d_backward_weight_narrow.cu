// conv2d_backward_weight_narrow.cu: the gradients of a 3x3 convolution with few filters (a head) or channels (a stem).
//
// Math         head   dw[k,r,s,c] = sum_{n,h,w} x[n,h,w,c] dy[n, h-r+1, w-s+1, k], zero outside
//              stem   dw[k,r,s,c] = sum_{n,p,q} dy[n,p,q,k] x[n, p+r-1, q+s-1, c]
//              Of the two tensors, `wide` is read once; the nine neighbours of each pixel in `narrow` multiply it.
//              dbias[k] = sum_{n,p,q} dy[n,p,q,k]
// Shapes       x [N,H,W,C], dy [N,H,W,K] f32 or bf16   dw [K,3,3,C], dbias [K] f32
// Layout       C and K fastest
// Requires     stride 1, padding 1; the channels of `wide` a multiple of 16 bytes and at most 128 times that, its address
//              16-byte aligned
// Tiling       one channel of `narrow` per block (grid x). A thread takes 16 bytes of 6 rows of a column at once: nine sums
//              for each of 8 (in f32 4) channels, 6 loads on their way and the neighbours of 6 rows are 168 registers, so
//              3 blocks of 128 threads a multiprocessor, and 36 KB on their way; 1 us at 4.3 TB/s wants 32. 8 rows
//              spill. The neighbours come from L1. The threads' sums meet in shared memory at the end
// Numerics     f32 sums over a thread's columns, then over threads, then over splits
// Determinism  run-to-run, and the same on every device: the number of splits depends on the shapes alone
// Cost         18*N*H*W*K*C flop as multiply-adds; `wide` is read once from memory, for further channels of `narrow` from
//              L2. N=512, 32x32, C=32, K=1: 0.3 GFLOP, 35 MB in bf16: 8 us at 4.3 TB/s
// Reference    Conv2dReference.backwardWeight (double)
#include "conv2d.cuh"
#include "packed.cuh"
#include "tile_store.cuh"

constexpr int NARROW_THREADS = 128, NARROW_ROWS = 6;
constexpr int NARROW_PITCH = NARROW_THREADS + 4; // of a row of sums: 4 chunks of 8 rows lie in different banks

template <class T, bool HEAD>
struct NarrowSums {
    static constexpr int CHUNK = PACKED<T>;

    int wide, narrows, narrow; // channels of either, and which of them
    int chunks, slots, slot, chunk;
    const T* wide_base;
    const T* narrow_base;
    float sum[3][3][CHUNK] = {}; // by the neighbour's row and column
    float bias[HEAD ? 1 : CHUNK] = {};

    __device__ __forceinline__ explicit NarrowSums(const Conv2dArgs& a)
        : wide(HEAD ? a.channels : a.filters), narrows(HEAD ? a.filters : a.channels), narrow(blockIdx.x),
          chunks(wide / CHUNK), slots(NARROW_THREADS / chunks), slot(threadIdx.x / chunks), chunk(threadIdx.x % chunks),
          wide_base((const T*)(HEAD ? a.x : a.y)), narrow_base((const T*)(HEAD ? a.y : a.x)) {}

    // A column of up to NARROW_ROWS rows.
    __device__ __forceinline__ void add_column(const Conv2dArgs& a, const Walk& at) {
        int first = at.middle * NARROW_ROWS, column = at.low;
        int64_t corner = (int64_t)at.high * a.height * a.width + column;
        const T* from = wide_base + corner * wide + chunk * CHUNK;
        const T* around = narrow_base + corner * narrows + narrow;
        uint4 values[NARROW_ROWS];
        float near[NARROW_ROWS + 2][3]; // rows first-1 to first+NARROW_ROWS, columns column-1 to column+1
#pragma unroll
        for (int i = 0; i < NARROW_ROWS; i++) {
            int h = first + i;
            values[i] = h < a.height ? *reinterpret_cast<const uint4*>(from + h * (a.width * wide)) : make_uint4(0, 0, 0, 0);
        }
#pragma unroll
        for (int i = 0; i < NARROW_ROWS + 2; i++) {
            int h = first + i - 1;
            const T* here = around + h * (a.width * narrows);
            bool inside = (unsigned)h < (unsigned)a.height;
            near[i][0] = inside && column > 0 ? to_float(here[-narrows]) : 0.0f;
            near[i][1] = inside ? to_float(here[0]) : 0.0f;
            near[i][2] = inside && column + 1 < a.width ? to_float(here[narrows]) : 0.0f;
        }
#pragma unroll
        for (int i = 0; i < NARROW_ROWS; i++) {
            if (first + i < a.height) add_pixel(values[i], near[i], near[i + 1], near[i + 2]);
        }
    }

    __device__ __forceinline__ void add_pixel(uint4 packed, const float (&above)[3], const float (&here)[3],
                                              const float (&below)[3]) {
        float value[CHUNK];
        unpack(packed, value);
#pragma unroll
        for (int e = 0; e < CHUNK; e++) {
#pragma unroll
            for (int column = 0; column < 3; column++) {
                sum[0][column][e] += value[e] * above[column];
                sum[1][column][e] += value[e] * here[column];
                sum[2][column][e] += value[e] * below[column];
            }
            if constexpr (!HEAD) bias[e] += value[e];
        }
        if constexpr (HEAD) bias[0] += here[1];
    }

    // Adds up what the threads of each chunk hold in `mine`, and gives (chunk, index, sum) to `store`.
    template <int COUNT, class F>
    __device__ __forceinline__ void fold(const float (&mine)[COUNT], float* parts, F store) const {
        __syncthreads(); // nobody reads the sums before any more
#pragma unroll
        for (int i = 0; i < COUNT; i++) parts[i * NARROW_PITCH + threadIdx.x] = mine[i];
        __syncthreads(); // all threads' sums are there
        for (int at = threadIdx.x; at < COUNT * chunks; at += NARROW_THREADS) {
            int index = at / chunks, of = at - index * chunks;
            const float* part = parts + index * NARROW_PITCH + of;
            float total = 0;
#pragma unroll 8
            for (int i = 0; i < slots; i++) total += part[i * chunks];
            store(of, index, total);
        }
    }

    __device__ __forceinline__ void store(const ProductResult<float>& to, float* parts) const {
#pragma unroll
        for (int row = 0; row < 3; row++) {
            float mine[3 * CHUNK];
#pragma unroll
            for (int i = 0; i < 3 * CHUNK; i++) mine[i] = sum[row][i / CHUNK][i % CHUNK];
            fold(mine, parts, [&](int of, int index, float total) {
                int tap = 3 * row + index / CHUNK, channel = of * CHUNK + index % CHUNK;
                if (HEAD) to.y[(int64_t)narrow * to.columns + (8 - tap) * wide + channel] = total;
                else to.y[(int64_t)channel * to.columns + tap * narrows + narrow] = total;
            });
        }
        if (to.row_sums == nullptr || (!HEAD && narrow != 0)) return;
        fold(bias, parts, [&](int of, int index, float total) {
            if (!HEAD) to.row_sums[of * CHUNK + index] = total;
            else if (of == 0) to.row_sums[narrow] = total; // every chunk has met every pixel
        });
    }
};

template <class T, bool HEAD>
__device__ __forceinline__ void conv2d_backward_weight_narrow(const Conv2dArgs& a) {
    __shared__ float parts[3 * PACKED<T> * NARROW_PITCH];
    int bands = (a.height + NARROW_ROWS - 1) / NARROW_ROWS, units = a.images * bands * a.width;
    int split = blockIdx.y, begin = split * a.depth_per_split, end = min(begin + a.depth_per_split, units);
    NarrowSums<T, HEAD> sums(a);
    if (sums.slot < sums.slots) {
        for (int unit = begin + sums.slot; unit < end; unit += sums.slots) {
            sums.add_column(a, Walk::of(unit, bands, a.width));
        }
    }
    sums.store(split_result((float*)a.w, a.bias, a.partial, split, a.filters, 9 * a.channels), parts);
}

KERNEL_RESIDENT(conv2d_backward_weight_head_f32, Conv2dArgs, NARROW_THREADS, 3) {
    conv2d_backward_weight_narrow<float, true>(a);
}
KERNEL_RESIDENT(conv2d_backward_weight_head_bf16, Conv2dArgs, NARROW_THREADS, 3) {
    conv2d_backward_weight_narrow<bf16, true>(a);
}
KERNEL_RESIDENT(conv2d_backward_weight_stem_f32, Conv2dArgs, NARROW_THREADS, 3) {
    conv2d_backward_weight_narrow<float, false>(a);
}
KERNEL_RESIDENT(conv2d_backward_weight_stem_bf16, Conv2dArgs, NARROW_THREADS, 3) {
    conv2d_backward_weight_narrow<bf16, false>(a);
}
