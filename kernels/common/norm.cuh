// norm.cuh: what group_norm.cu and group_norm_backward.cu share: how a block owns a slice of the channels of an image.
#pragma once
#include "async_copy.cuh"
#include "packed.cuh"
#include "sums.cuh"

constexpr int GROUP_NORM_THREADS = 256;
constexpr int PIXELS_AT_ONCE = 32; // of a thread, summed in f32 before they meet its others

// Relative error: 2^-22, and 1 ulp. Subnormals count as zero, which spares the instructions that scale them.
__device__ __forceinline__ float fast_exp2(float x) {
#ifdef __CUDACC__
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return std::exp2(x);
#endif
}

__device__ __forceinline__ float fast_reciprocal(float x) {
#ifdef __CUDACC__
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return 1.0f / x;
#endif
}

// Relative error: 4 ulp + 1.2 |z| 2^-24. silu(z) is exact where it is large or zero.
__device__ __forceinline__ float sigmoid(float z) { return fast_reciprocal(1.0f + fast_exp2(z * -1.44269504f)); }

// Derivative of z sigmoid(z).
__device__ __forceinline__ float silu_slope(float z) {
    float s = sigmoid(z);
    return s + s * (z - s * z);
}

// 16 bytes to device memory at once. Left to itself, the compiler splits some such stores into four.
__device__ __forceinline__ void store_packed(void* to, uint4 x) {
#ifdef __CUDACC__
    asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(x.x), "r"(x.y), "r"(x.z), "r"(x.w) : "memory");
#else
    *(uint4*)to = x;
#endif
}

// Calls f with a number that the compiler knows: 1 for SiLU, say. A branch per value would keep the exponentials of a vector
// from being on their way together.
template <int N>
struct Constant {
    static constexpr int value = N;
};

template <class F>
__device__ __forceinline__ void with(int condition, F f) {
    if (condition != 0) {
        f(Constant<1> {});
    } else {
        f(Constant<0> {});
    }
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

    // The vectors of this thread, AT_ONCE at a time, so that their loads are on their way together:
    // visit(pixels, places), of which those beyond `end` are not there.
    template <int AT_ONCE, class F>
    __device__ __forceinline__ void each_batch(int64_t from, int64_t end, F visit) const {
        if (!active) return;
        int place = threadIdx.x;
        for (int64_t p = from + row; p < end; p += AT_ONCE * rows, place += AT_ONCE * blockDim.x) visit(p, place);
    }

    // K sums per channel over this thread's pixels: add(pixel, place, end, part) adds to part[k][v] those of AT_ONCE
    // pixels from there on that are before the end. A staged slice has at most 24 vectors per thread, and needs no
    // second level of sums.
    template <bool STAGED, int AT_ONCE, int K, class F>
    __device__ __forceinline__ void sums(int64_t pixels, float (*sum)[V], F add) const {
        if constexpr (STAGED) {
            each_batch<AT_ONCE>(0, pixels, [&](int64_t p, int place) { add(p, place, pixels, sum); });
        } else {
            int64_t at_once = (int64_t)PIXELS_AT_ONCE * rows;
            for (int64_t from = 0; from < pixels; from += at_once) {
                float part[K][V] = {};
                int64_t end = min(from + at_once, pixels);
                each_batch<AT_ONCE>(from, end, [&](int64_t p, int) { add(p, 0, end, part); });
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
