// norm_warps.cuh: what group_norm_warps.cu and group_norm_backward_warps.cu share: slices whose sums meet by shuffles.
#pragma once
#include "async_copy.cuh"
#include "group_norm.cuh"
#include "random.cuh"

constexpr int MOST_WARPS = 8;    // of a block; OddSlice has more
constexpr int MOST_COLUMNS = 16; // vectors of a pixel, of a slice

// Sums of a lane, for the other warps.
template <int SUMS>
struct alignas(16) Met {
    float of[SUMS];
};

// Norms go through the images from the last to the first, convolutions and linear layers from the first to the last: what one
// has written last, and is still in L2, the next reads first.
__device__ __forceinline__ unsigned from_the_last(unsigned i, unsigned count) { return count - 1 - i; }

// A thread has 8 values of bf16 of a pixel: runs of RUN values, each of one group. RUN 4 is for groups of 4, 8, 16, ...
// channels, 1 and 2 for groups of 1 and 2.
//
// A slice of 16, 32, 64 or 128 channels of an image: whole groups, and one group if wider than 16; of 8 channels where
// groups of 1 or 2 leave no more. Lane l of a warp reads vector l % columns of every rows-th pixel. A block of several
// warps owns one slice; where 32 vectors times PER_THREAD are all that there is, every warp owns one, and no barrier is
// needed.
template <int R>
struct WarpSlice {
    static constexpr int RUN = R, RUNS = 8 / R;
    static constexpr bool RUN_IS_GROUP = R < 4;

    int columns; // vectors of a pixel: 1, 2, 4, 8 or 16
    int pixels, rows, row;
    int per_group;
    int first;   // channel of the slice within the image
    int channel; // first of this thread
    int warps;   // of the slice
    int warp, lane;
    unsigned image;

    WarpSlice() = default;

    // `slice`: of an image, in blocks.
    __device__ __forceinline__ WarpSlice(int64_t pixels, int width, int per_group, int per_thread, int slice, unsigned image)
        : columns(width / 8), pixels((int)pixels), per_group(per_group), image(image) {
        int shift = __ffs(columns) - 1;
        lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
        if (this->pixels << shift <= 32 * per_thread) {
            slice = slice * warps + warp;
            warp = 0, warps = 1;
        }
        rows = 32 * warps >> shift;
        row = (32 * warp + lane) >> shift;
        first = slice * width;
        channel = first + (lane & (columns - 1)) * 8;
    }

    // Of this thread, in vectors.
    __device__ __forceinline__ int column() const { return (channel - first) / 8; }

    // Of a run of this thread: its group, and whether it is the first of it.
    __device__ __forceinline__ int group(int run) const { return (channel + run * RUN) >> (__ffs(per_group) - 1); }
    __device__ __forceinline__ bool is_first(int run) const { return ((channel + run * RUN) & (per_group - 1)) == 0; }

    // sum / (values of a group), rounded as a division is, for less than one per call.
    struct Mean {
        float count, inverse;

        __device__ __forceinline__ float operator()(float sum) const {
            float mean = sum * inverse;
            return __fmaf_rn(__fmaf_rn(-mean, count, sum), inverse, mean);
        }
    };
    __device__ __forceinline__ Mean mean() const {
        float count = (float)pixels * (float)per_group;
        return {count, fast_reciprocal(count)};
    }

    // Whether this thread has a vector k.
    __device__ __forceinline__ bool is_there(int k) const { return row + k * rows < pixels; }

    // The numbers of this thread's channels: gamma or beta.
    __device__ __forceinline__ void of_channels(const float* all, float (&mine)[8]) const {
        for (int v = 0; v < 8; v += 4) {
            float4 four = *(const float4*)(all + channel + v);
            mine[v] = four.x, mine[v + 1] = four.y, mine[v + 2] = four.z, mine[v + 3] = four.w;
        }
    }

    // Numbers that meet, of N sums of each run.
    template <int N>
    __device__ __forceinline__ int meeting() const { return 2 * warps * N * RUNS; }

    // From N sums of a thread's values per run to those of the run's group. `numbers` [meeting], shared.
    template <int N>
    __device__ __forceinline__ void sum_groups(float (&sum)[N][RUNS], float* numbers) const {
        if (RUN == 4 && per_group > RUN) {
            for (int n = 0; n < N; n++) sum[n][0] += sum[n][1];
            if (per_group > 8) {
                for (int n = 0; n < N; n++) sum[n][0] += __shfl_xor_sync(~0u, sum[n][0], 1);
            }
            for (int distance = 2; distance < 32; distance *= 2) {
                for (int n = 0; n < N; n++) sum[n][0] += __shfl_xor_sync(~0u, sum[n][0], distance);
            }
            for (int n = 0; n < N; n++) sum[n][1] = sum[n][0];
        } else {
            for (int distance = RUN == 4 ? 2 : 1; distance < 32; distance *= 2) {
                if (RUN < 4 && distance < columns) continue; // that lane has other channels
                for (int i = 0; i < N * RUNS; i++) sum[i / RUNS][i % RUNS] += __shfl_xor_sync(~0u, sum[i / RUNS][i % RUNS], distance);
            }
        }
        if (warps == 1) return;
        auto* met = (Met<N * RUNS>*)numbers;
        Met<N * RUNS> mine;
        for (int i = 0; i < N * RUNS; i++) mine.of[i] = sum[i / RUNS][i % RUNS], sum[i / RUNS][i % RUNS] = 0;
        if (lane < 2) met[2 * warp + lane] = mine;
        __syncthreads(); // the sums of all warps are there
#pragma unroll(N * RUNS > 4 ? 1 : 2)
        for (int w = 0; w < warps; w++) {
            Met<N * RUNS> one = met[2 * w + lane % 2];
            for (int i = 0; i < N * RUNS; i++) sum[i / RUNS][i % RUNS] += one.of[i];
        }
    }
};

// The same for slices of 24, 48 or 96 channels: up to eight groups of 3, 6, 12, ... RUN is 1 for groups of 3, 2 for groups of 6.
// Threads are a multiple of 96, so that each stays with its column; a block of at least three warps owns one slice.
template <int R>
struct OddSlice : WarpSlice<R> {
    using Base = WarpSlice<R>;
    using Base::RUN, Base::RUNS, Base::columns, Base::pixels, Base::rows, Base::row, Base::per_group, Base::first, Base::channel;
    using Base::warps, Base::warp, Base::lane, Base::image;

    static constexpr bool RUN_IS_GROUP = false;
    static constexpr int ONE = 1 << 16;
    int part_of_channel; // of ONE, rounded up: exact up to 96 channels

    __device__ __forceinline__ OddSlice(int64_t all_pixels, int width, int channels_of_group, int, int slice, unsigned of_image) {
        columns = width / 8, pixels = (int)all_pixels, per_group = channels_of_group, image = of_image;
        lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
        rows = blockDim.x / columns, row = threadIdx.x / columns;
        first = slice * width;
        channel = first + ((int)threadIdx.x - row * columns) * 8;
        part_of_channel = ONE / per_group + 1;
    }

    // First channel of this thread within the slice.
    __device__ __forceinline__ int local() const { return channel - first; }

    // Groups of the slice, and that of a run among them.
    __device__ __forceinline__ int parts() const { return columns * 8 * part_of_channel / ONE; }
    __device__ __forceinline__ int part(int run) const { return (local() + run * RUN) * part_of_channel / ONE; }
    __device__ __forceinline__ int group(int run) const { return first / per_group + part(run); }
    __device__ __forceinline__ bool is_first(int run) const { return local() + run * RUN == part(run) * per_group; }

    // Lanes of a warp that share one of two numbers of a group.
    __device__ __forceinline__ int lanes_of_sum() const { return 16 / max(parts(), 2); }

    template <int N>
    __device__ __forceinline__ int meeting() const { return warps * columns * RUNS * N; }

    // As above. `numbers` [meeting]: of warps and runs of the slice.
    template <int N>
    __device__ __forceinline__ void sum_groups(float (&sum)[N][RUNS], float* numbers) const {
        static_assert(N == 2, "the lanes of a warp");
        // To the first lane of each column.
        for (int distance = 24, lanes = 32; distance >= columns; lanes = distance, distance /= 2) {
            for (int i = 0; i < N * RUNS; i++) {
                float other = __shfl_down_sync(~0u, sum[i / RUNS][i % RUNS], distance);
                if (lane + distance < lanes) sum[i / RUNS][i % RUNS] += other;
            }
        }
        int runs = columns * RUNS;
        if (lane < columns) {
            float2* mine = (float2*)numbers + warp * runs + local() / RUN;
            for (int r = 0; r < RUNS; r++) mine[r] = make_float2(sum[0][r], sum[1][r]);
        }
        __syncthreads(); // the sums of all warps are there
        int each = lanes_of_sum(), which = lane / each, of_group = per_group / RUN; // `which`: [parts,N]
        float total = 0;
        if (which / N < parts()) {
            for (int w = lane % each; w < warps; w += each) {
                const float* of_warp = numbers + (w * runs + which / N * of_group) * N + which % N;
                for (int r = 0; r < of_group; r++) total += of_warp[r * N];
            }
        }
        for (int distance = 1; distance < each; distance *= 2) total += __shfl_xor_sync(~0u, total, distance);
        for (int r = 0; r < RUNS; r++) {
            for (int n = 0; n < N; n++) sum[n][r] = __shfl_sync(~0u, total, (part(r) * N + n) * each);
        }
    }
};

// By what a dropout multiplies a thread's channels. One register, if `kept` is an argument of the kernel.
struct Dropout {
    const float& kept; // 1 if there is none
    unsigned mask;     // bit v: channel v is kept

    template <class Args>
    __device__ __forceinline__ Dropout(const Args& a, unsigned mask) : kept(a.kept), mask(mask) {}

    template <class Args, class S>
    __device__ __forceinline__ Dropout(const Args& a, const S& slice, bool possible = true)
        : kept(a.kept), mask(0xff) {
        if (possible && a.step != nullptr) mask = words(a, slice);
    }

    template <class Args, class S>
    __device__ __forceinline__ static unsigned words(const Args& a, const S& slice) {
        uint32_t word[8];
        int64_t element = a.first_word + (int64_t)slice.image * a.channels + slice.channel;
        element_words(a.seed, element, 8, a.step[0], a.purpose, word);
        unsigned mask = 0;
        for (int v = 0; v < 8; v++) mask |= (word[v] >= a.threshold ? 1u : 0u) << v;
        return mask;
    }

    __device__ __forceinline__ float factor(int v) const { return (mask >> v & 1) != 0 ? kept : 0.0f; }
};

// Where a thread's vectors of a tensor [N,P,all] are, the first of an image in values, and how many values from one to the next
// and from image to image. The tensor may be two, side by side: `beyond` tells which one it is.
struct Vectors {
    int first, step, image_step;
    bool beyond;

    template <class S>
    __device__ __forceinline__ Vectors(const S& slice, int channels, int of_first) {
        beyond = slice.channel >= of_first;
        int of_this = beyond ? channels - of_first : of_first;
        int channel = beyond ? slice.channel - of_first : slice.channel;
        first = slice.row * of_this + channel;
        step = slice.rows * of_this;
        image_step = slice.pixels * of_this;
    }
    template <class S>
    __device__ __forceinline__ Vectors(const S& slice, int channels) : Vectors(slice, channels, channels) {}

    // Whether this thread's tensor is there, of two that may be null.
    __device__ __forceinline__ bool has(const void* x, const void* x2) const { return (beyond ? x2 : x) != nullptr; }

    __device__ __forceinline__ int64_t in_image(unsigned image) const { return (int64_t)image * image_step + first; }
    __device__ __forceinline__ const bf16* of(const void* x, const void* x2, unsigned image) const {
        return (const bf16*)(beyond ? x2 : x) + in_image(image);
    }
    __device__ __forceinline__ bf16* of(void* x, void* x2, unsigned image) const {
        return (bf16*)(beyond ? x2 : x) + in_image(image);
    }
};

// A thread's vectors begin to come to L2, by threads of every second vector, as a sector holds two (where a pixel
// begins within a sector one may be left out).
template <class S>
__device__ __forceinline__ void prefetch_vectors(const S& slice, const bf16* first, int step, int count) {
    if (slice.column() % 2 != 0) return;
#pragma unroll 1
    for (int k = 0; k < count; k++) prefetch_line(first + k * step);
}
