// norm.cuh: what group_norm.cu and group_norm_backward.cu share: how a block owns a slice of the channels of an image.
#pragma once
#include "async_copy.cuh"
#include "packed.cuh"
#include "sums.cuh"

constexpr int GROUP_NORM_THREADS = 256;
constexpr int PIXELS_AT_ONCE = 32; // of a thread, summed in f32 before they meet its others

// Relative error of __expf: 2 ulp + 1.2 |z| 2^-24, of __fdividef: 2 ulp. Both are exact where silu(z) is large or zero.
__device__ __forceinline__ float sigmoid(float z) { return __fdividef(1.0f, 1.0f + __expf(-z)); }

// Derivative of z sigmoid(z).
__device__ __forceinline__ float silu_slope(float z) {
    float s = sigmoid(z);
    return s * (1.0f + z * (1.0f - s));
}

// One channel of a tensor [pixels,all] that may lie in memory as two side by side, [pixels,first] and [pixels,all-first]:
// where it is at a pixel, and how many values further at the next one. `first` is `all` if there is one.
template <class T>
struct Channel {
    T* at;
    int channels;

    __device__ __forceinline__ Channel(T* base, T* second, int first, int all, int64_t pixel, int channel) {
        bool beyond = channel >= first;
        channels = beyond ? all - first : first;
        at = (beyond ? second : base) + (pixel * channels + (beyond ? channel - first : channel));
    }
};

// A block owns `width` channels, whole groups, of all P pixels of an image. Thread t reads V channels from column t %
// columns of every rows-th pixel: always the same channels, so what belongs to them stays in registers, and consecutive
// threads read consecutive addresses.
template <int V>
struct Slice {
    int width, columns, rows;
    int row;     // first pixel of this thread
    int local;   // first channel of this thread within the slice
    int channel; // ... within the image
    int64_t image;
    bool active; // threads that make no whole row are idle

    __device__ __forceinline__ Slice(int channels, int width) : width(width) {
        columns = width / V;
        rows = blockDim.x / columns;
        row = threadIdx.x / columns;
        local = (int)(threadIdx.x % columns) * V;
        active = row < rows;
        int slices = channels / width;
        image = blockIdx.x / slices;
        channel = (int)(blockIdx.x % slices) * width + local;
    }

    // The vectors of this thread, in order: visit(pixel, place in the staged slice).
    template <int AT_ONCE, class F>
    __device__ __forceinline__ void each_pixel(int64_t pixels, F visit) const {
        if (!active) return;
        int place = threadIdx.x;
#pragma unroll AT_ONCE
        for (int64_t p = row; p < pixels; p += rows, place += blockDim.x) visit(p, place);
    }

    // Copies this thread's vectors of x, its first channel at pixel 0, to staged [pixels of a thread,threads]. Nobody
    // else reads them, so wait_copies is enough.
    template <class T>
    __device__ __forceinline__ void stage(const T* x, int64_t pixels, int channels, uint4* staged) const {
        each_pixel<4>(pixels, [&](int64_t p, int place) { copy_async<16>(staged + place, x + p * channels); });
        commit_copies();
    }

    // K sums per channel over this thread's pixels: add(pixel, place, part) adds to part[k][v]. A staged slice has at
    // most 24 vectors per thread, and needs no second level of sums.
    template <bool STAGED, int K, class F>
    __device__ __forceinline__ void sums(int64_t pixels, float (*sum)[V], F add) const {
        if constexpr (STAGED) {
            each_pixel<2>(pixels, [&](int64_t p, int place) { add(p, place, sum); });
        } else {
            int64_t at_once = (int64_t)PIXELS_AT_ONCE * rows;
            for (int64_t from = 0; from < pixels; from += at_once) {
                float part[K][V] = {};
                int64_t end = min(from + at_once, pixels);
                if (active) {
                    for (int64_t p = from + row; p < end; p += rows) add(p, 0, part);
                }
                for (int k = 0; k < K; k++) {
                    for (int v = 0; v < V; v++) sum[k][v] += part[k][v];
                }
            }
        }
    }

    // Subsets of rows that fold_rows leaves.
    __device__ __forceinline__ int subsets() const { return max(1, (int)blockDim.x / width); }

    // From V sums per thread to subsets() sums per channel: folded [subsets,width]. `partial` [threads,V], both shared.
    __device__ __forceinline__ void fold_rows(const float (&sum)[V], float* partial, float* folded) const {
        __syncthreads(); // nobody reads the sums before any more
        if (active) {
            float4* mine = (float4*)(partial + row * width + local);
            for (int v = 0; v < V; v += 4) mine[v / 4] = make_float4(sum[v], sum[v + 1], sum[v + 2], sum[v + 3]);
        }
        __syncthreads(); // all partial sums are there
        int subsets = this->subsets();
        for (int i = threadIdx.x; i < subsets * width; i += blockDim.x) {
            float total = 0;
            for (int r = i / width; r < rows; r += subsets) total += partial[r * width + i % width];
            folded[i] = total;
        }
        __syncthreads(); // all folded sums are there
    }
};
