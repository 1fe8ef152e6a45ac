// group_norm_warps.cu: group normalisation of bf16 tensors in groups of 1, 2, 4, 8, ... or 3, 6, 12, ... channels, optionally
// followed by SiLU and a dropout of channels, forward.
//
// Math         as group_norm.cu; with a dropout y times 1/(1-rate) or 0, by the channel's word, as in random.cu
// Shapes       as group_norm.cu
// Layout       C fastest
// Requires     C/G a power of two; slice 16 channels or one group, at most 128, and C % slice == 0; F a
//              multiple of 8; gamma and beta aligned to 16 bytes. _4: a thread has at most 4 vectors. _odd: C/G 12, 24, 48
//              or 96, slice 24, 48 or 96 channels of at most eight groups; _odd_single, _odd_pair: C/G 3 and 6. _single, _pair:
//              C/G 1 or 2, slice 8 or 16 channels; the others 4 at least
// Tiling       as WarpSlice: 32 bytes of each pixel at least, one sector of device memory. _4: in registers, all loads of
//              a thread on their way before the first is used; a warp owns a slice of up to 128 vectors, so an 8x8 image
//              needs no barrier, and up to 4 warps own one of 512; what about the next block on the multiprocessor reads comes to
//              L2 meanwhile. _staged: in shared memory; blocks take images in turn, and
//              where two have room (64 KiB for 32x32 pixels and 16 channels, three blocks of 256 threads on a
//              multiprocessor) the next comes while one is summed and written. _odd: as OddSlice. One barrier an
//              image. _single, _pair: sums per channel or two of them. Their slices are few, 128 of 32x32x8 in a
//              batch of 128: 4 vectors per thread and up to 8 warps. Images from the last to the first: norm_warps.cuh
// Numerics     one pass in f32 over values less one of their group, the first of its first pixel: no value of n is further
//              than sqrt(n - 1) standard deviations from the mean, so the variance is n*2^-24 off at the worst, and usually a
//              few 2^-24. A thread's values in order, then a tree over lanes, then over the warps in order.
//              z = x*(rstd*gamma) + (beta - mean*rstd*gamma): at a mean of m standard deviations it is m*2^-24
//              off, far below the 2^-9 of x in bf16. The dropout's product is rounded with y, once; its words have the
//              bits of random.cu.
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         one read and one write, 14 instructions per value with SiLU in loops (loops.py), two of them to the unit of
//              exponentials and reciprocals, which needs 9 us for 17 million values: memory-bound. At 4.25 TB/s and batch 512
//              16 us for 32x32 pixels and 32 channels, 8 for 16x16 and 64, 4 for 8x8 and 128, 47 for 32x32 and 96. On an
//              H200, in two passes and with a block to an image, the first took 25.3 us and the last 117: six blocks on a
//              multiprocessor did the same at the same time. Not measured since. A dropout costs about 200 instructions,
//              _4 of every thread, while its vectors are on their way, _staged of one for each column, and one per value.
//              _single, 128 images of 32x32x8: 1 us for the bytes, in two passes 3.6 of one channel a group, 5.2 of two (8.4
//              with group_norm.cu)
// Reference    GroupNormReference (double)
#include "async_copy.cuh"
#include "norm_warps.cuh"

// A value of each run's group, which is taken off before values are summed and squared.
template <class S>
struct Pivots {
    static constexpr int RUN = S::RUN, RUNS = S::RUNS;
    static constexpr bool WHOLE = S::RUN_IS_GROUP; // a vector, of which each run has its own
    alignas(16) bf16 value[WHOLE ? 8 : RUNS];

    __device__ __forceinline__ void load(const GroupNormArgs& a, const S& slice, unsigned image) {
        auto at = [&](int channel) {
            int64_t pixel = (int64_t)image * slice.pixels;
            return Channel<const bf16>((const bf16*)a.x, (const bf16*)a.x2, a.first, a.channels, pixel, channel).at;
        };
        if constexpr (WHOLE) {
            *(uint4*)value = *(const uint4*)at(slice.channel);
        } else {
            for (int r = 0; r < RUNS; r++) value[r] = *at(slice.group(r) * slice.per_group);
        }
    }

    __device__ __forceinline__ void get(float (&pivot)[RUNS]) const {
        for (int r = 0; r < RUNS; r++) pivot[r] = to_float(value[WHOLE ? r * RUN : r]);
    }
};

// Of a thread's values less their pivots, then of their groups'.
template <class S>
struct GroupSums {
    static constexpr int RUN = S::RUN, RUNS = S::RUNS;
    float sum[2][RUNS] = {}; // of the values, and of their squares

    __device__ __forceinline__ void add(uint4 x, const float (&pivot)[RUNS]) {
        float value[8];
        unpack(x, value);
        for (int v = 0; v < 8; v++) {
            float less = value[v] - pivot[v / RUN];
            sum[0][v / RUN] += less;
            sum[1][v / RUN] += less * less;
        }
    }

    // Mean and variance of each run's group.
    __device__ __forceinline__ void finish(const S& slice, const float (&pivot)[RUNS], float* met, float (&mean)[RUNS],
                                           float (&variance)[RUNS]) {
        slice.sum_groups(sum, met);
        auto of_group = slice.mean();
        for (int r = 0; r < RUNS; r++) {
            float less = of_group(sum[0][r]);
            mean[r] = pivot[r] + less;
            float found = of_group(sum[1][r]) - less * less;
            variance[r] = found < 0 ? 0.0f : found; // NaN stays: of squares that overflow
        }
    }
};

// What a thread writes: y of a vector, from x.
template <class S>
struct Normalised {
    static constexpr int RUN = S::RUN, RUNS = S::RUNS;
    float scale[8], shift[8];

    // gamma and beta, on their way while the groups are summed.
    __device__ __forceinline__ Normalised(const GroupNormArgs& a, const S& slice) {
        slice.of_channels(a.gamma, scale);
        slice.of_channels(a.beta, shift);
    }

    // From the groups' statistics, which are also left for backward.
    __device__ __forceinline__ void finish(const GroupNormArgs& a, const S& slice, const float (&mean)[RUNS],
                                           const float (&variance)[RUNS]) {
        float rstd[RUNS];
        for (int r = 0; r < RUNS; r++) {
            rstd[r] = rsqrtf(variance[r] + a.eps);
            if (slice.row == 0 && slice.is_first(r)) {
                int64_t group = (int64_t)slice.image * a.groups + slice.group(r);
                a.mean[group] = mean[r];
                a.rstd[group] = rstd[r];
            }
        }
        for (int v = 0; v < 8; v++) {
            scale[v] *= rstd[v / RUN];
            shift[v] -= mean[v / RUN] * scale[v];
        }
    }

    template <bool SILU, bool DROPS>
    __device__ __forceinline__ void write(uint4 x, const Dropout& dropout, bf16* y) const {
        float value[8];
        unpack(x, value);
        for (int v = 0; v < 8; v++) {
            float z = value[v] * scale[v] + shift[v];
            value[v] = SILU ? z * sigmoid(z) : z;
            if (DROPS) value[v] = __fmaf_rn(value[v], dropout.factor(v), 0.0f); // -0 becomes +0, as in random.cu
        }
        store_packed(y, pack(value));
    }
};

// Calls f with what follows the norm: SiLU or not, a dropout or none.
template <class F>
__device__ __forceinline__ void with_factors(const GroupNormArgs& a, F f) {
    with(a.silu, [&](auto silu) { with(a.step != nullptr, [&](auto drops) { f(silu, drops); }); });
}

// K vectors per thread, in registers.
template <int K, class S>
__device__ __forceinline__ void group_norm_held(const GroupNormArgs& a) {
    constexpr int RUNS = S::RUNS;
    __shared__ Met<2 * RUNS> met[2 * MOST_WARPS];
    S slice(a.pixels, a.slice, a.per_group, K, blockIdx.x, from_the_last(blockIdx.y, gridDim.y));
    Vectors parts(slice, a.channels, a.first), whole(slice, a.channels);
    const bf16* from = parts.of(a.x, a.x2, slice.image);
    uint4 x[K];
    for (int k = 0; k < K; k++) x[k] = slice.is_there(k) ? *(const uint4*)(from + k * parts.step) : make_uint4(0, 0, 0, 0);
    Pivots<S> pivots;
    pivots.load(a, slice, slice.image);
    // While the vectors are on their way, those of about the next block on this multiprocessor begin to come to L2.
    int count = 0; // of this thread
    for (int k = 0; k < K; k++) count += slice.is_there(k);
    if ((int)slice.image >= a.ahead) prefetch_vectors(slice, from - (int64_t)a.ahead * parts.image_step, parts.step, count);
    Dropout dropout(a, slice);
    float pivot[RUNS], mean[RUNS], variance[RUNS];
    pivots.get(pivot);
    GroupSums<S> sums;
    for (int k = 0; k < K; k++) {
        if (slice.is_there(k)) sums.add(x[k], pivot);
    }
    Normalised<S> normalised(a, slice);
    sums.finish(slice, pivot, (float*)met, mean, variance);
    normalised.finish(a, slice, mean, variance);
    bf16* y = whole.of(a.y, a.y, slice.image);
    with_factors(a, [&](auto silu, auto drops) {
        for (int k = 0; k < K; k++) {
            if (!slice.is_there(k)) continue;
            normalised.template write<decltype(silu)::value, decltype(drops)::value>(x[k], dropout, y + k * whole.step);
        }
    });
}

KERNEL_RESIDENT(group_norm_bf16_warps_4, GroupNormArgs, 128, 6) { group_norm_held<4, WarpSlice<4>>(a); }
KERNEL_RESIDENT(group_norm_bf16_warps_4_pair, GroupNormArgs, 128, 4) { group_norm_held<4, WarpSlice<2>>(a); }
KERNEL_RESIDENT(group_norm_bf16_warps_4_single, GroupNormArgs, 128, 4) { group_norm_held<4, WarpSlice<1>>(a); }

// Vectors of a thread that come to shared memory, of one or two images: those of the next while this one's are used.
struct StagedImages {
    uint4* all; // [stages,vectors of a thread,threads], from this thread's
    int count, stage_vectors;
    const int& stages; // an argument of the kernel

    template <class S>
    __device__ __forceinline__ StagedImages(const S& slice, uint4* all, const int& stages, int rounds)
        : all(all + threadIdx.x), stages(stages) {
        count = slice.is_there(rounds - 1) ? rounds : rounds - 1; // of this thread
        stage_vectors = rounds * (int)blockDim.x;
    }

    __device__ __forceinline__ uint4* stage(int turn) const { return all + (stages == 2 ? turn & 1 : 0) * stage_vectors; }

    // Nobody else reads this thread's vectors.
    __device__ __forceinline__ void wait() const {
        if (stages == 2) {
            wait_copies<1>();
        } else {
            wait_copies<0>();
        }
    }

    __device__ __forceinline__ void copy(const bf16* from, int step, int turn) const {
        uint4* to = stage(turn);
#pragma unroll 4
        for (int k = 0; k < count; k++) copy_async<16>(to + k * blockDim.x, from + k * step);
    }
};

// In shared memory, images in turn.
template <class S>
__device__ __forceinline__ void group_norm_staged(const GroupNormArgs& a) {
    constexpr int RUNS = S::RUNS;
    DYNAMIC_SHARED(uint4, all);
    int image = (int)from_the_last(blockIdx.x, a.images), turns = gridDim.x;
    S slice(a.pixels, a.slice, a.per_group, 0, blockIdx.y, image);
    Vectors parts(slice, a.channels, a.first), whole(slice, a.channels);
    StagedImages staged(slice, all, a.stages, a.rounds);
    // Of two turns each, as threads are never further apart: what meets, and the channels of a dropout.
    float* met = (float*)(all + a.stages * staged.stage_vectors);
    int meeting = slice.template meeting<2>();
    unsigned* kept = (unsigned*)(met + 2 * meeting); // [2,MOST_COLUMNS]
    Pivots<S> pivots;
    pivots.load(a, slice, image);
    int ahead = image;
#pragma unroll 1
    for (int turn = 1 - a.stages; image >= 0; turn++) {
        if (ahead >= 0) staged.copy(parts.of(a.x, a.x2, ahead), parts.step, turn + a.stages - 1);
        commit_copies();
        ahead -= turns;
        if (turn < 0) continue;
        slice.image = image;
        uint4* x = staged.stage(turn);
        if (a.step != nullptr && (int)threadIdx.x < slice.columns) kept[(turn & 1) * MOST_COLUMNS + threadIdx.x] = Dropout::words(a, slice);
        staged.wait();
        float pivot[RUNS], mean[RUNS], variance[RUNS];
        pivots.get(pivot);
        GroupSums<S> sums;
#pragma unroll 4
        for (int k = 0; k < staged.count; k++) sums.add(x[k * blockDim.x], pivot);
        sums.finish(slice, pivot, met + (turn & 1) * meeting, mean, variance); // all threads meet
        if (image >= turns) pivots.load(a, slice, image - turns);
        Normalised<S> normalised(a, slice); // the same of each turn, and near
        normalised.finish(a, slice, mean, variance);
        Dropout dropout(a, a.step != nullptr ? kept[(turn & 1) * MOST_COLUMNS + slice.column()] : 0xff);
        with_factors(a, [&](auto silu, auto drops) {
            const uint4 *from = x, *end = x + staged.count * blockDim.x;
            bf16* to = whole.of(a.y, a.y, image);
#pragma unroll 1
            for (; from < end; from += blockDim.x, to += whole.step) {
                normalised.template write<decltype(silu)::value, decltype(drops)::value>(*from, dropout, to);
            }
        });
        image -= turns;
    }
}

KERNEL_RESIDENT(group_norm_bf16_warps_staged, GroupNormArgs, 256, 3) { group_norm_staged<WarpSlice<4>>(a); }
KERNEL_RESIDENT(group_norm_bf16_warps_staged_pair, GroupNormArgs, 256, 2) { group_norm_staged<WarpSlice<2>>(a); }
KERNEL_RESIDENT(group_norm_bf16_warps_staged_single, GroupNormArgs, 256, 2) { group_norm_staged<WarpSlice<1>>(a); }
KERNEL_RESIDENT(group_norm_bf16_warps_staged_odd, GroupNormArgs, 384, 2) { group_norm_staged<OddSlice<4>>(a); }
KERNEL_RESIDENT(group_norm_bf16_warps_staged_odd_pair, GroupNormArgs, 192, 3) { group_norm_staged<OddSlice<2>>(a); }

// Others would spill.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ != 900
constexpr int ODD_SINGLE_BLOCKS = 2;
#else
constexpr int ODD_SINGLE_BLOCKS = 3;
#endif
KERNEL_RESIDENT(group_norm_bf16_warps_staged_odd_single, GroupNormArgs, 192, ODD_SINGLE_BLOCKS) {
    group_norm_staged<OddSlice<1>>(a);
}
