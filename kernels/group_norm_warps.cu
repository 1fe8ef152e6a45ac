// group_norm_warps.cu: group normalisation of bf16 tensors in groups of 1, 2, 4, 8, 16, ... channels, optionally followed
// by SiLU and a dropout of channels, forward.
//
// Math         as group_norm.cu; with a dropout y times 1/(1-rate) or 0, by the channel's word, as in random.cu
// Shapes       as group_norm.cu
// Layout       C fastest
// Requires     C/G a power of two; slice 16 channels or one group, at most 128, and C % slice == 0; F a
//              multiple of 8; gamma and beta aligned to 16 bytes. _4: a thread has at most 4 vectors. _odd: C/G 12, 24, 48
//              or 96, slice two groups of 12 or 24, or one group. _single, _pair: C/G 1 or 2, slice 8 or 16 channels; the others 4 at
//              least
// Tiling       as WarpSlice: 32 bytes of each pixel at least, one sector of device memory. _4: in registers, all loads of
//              a thread on their way before the first is used; a warp owns a slice of up to 128 vectors, so an 8x8 image
//              needs no barrier, and up to 4 warps own one of 512. _staged: in shared memory, 32 KiB for 32x32 pixels,
//              six blocks of 128 threads on a multiprocessor. _odd: as OddSlice. Two barriers. _single, _pair: sums per
//              channel or two of them. Their slices are few, 128 of 32x32x8 in a batch of 128: 4 vectors per thread and
//              up to 8 warps.
// Numerics     two passes in f32: sums of a thread's values in order, then a tree over lanes, then over the warps in
//              order. z = x*(rstd*gamma) + (beta - mean*rstd*gamma): at a mean of m standard deviations it is m*2^-24
//              off, far below the 2^-9 of x in bf16. The dropout's product is rounded with y, once; its words have the
//              bits of random.cu.
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         one read and one write, about 17 instructions per value with SiLU: memory-bound. At 4.25 TB/s and batch 512
//              16 us for 32x32 pixels and 32 channels, 8 for 16x16 and 64, 4 for 8x8 and 128, 47 for 32x32 and 96. Measured
//              of the first on an H200: 25.3 us (34.6 with group_norm.cu). A dropout
//              costs about 200 instructions per thread, while its vectors are on their way, and one per value.
//              _single, 128 images of 32x32x8: 1 us for the bytes, measured 3.6 of one channel a group, 5.2 of two (8.4 with
//              group_norm.cu)
// Reference    GroupNormReference (double)
#include "async_copy.cuh"
#include "norm_warps.cuh"

// What a thread writes: y of a vector, from x.
template <class S>
struct Normalised {
    static constexpr int RUN = S::RUN, RUNS = S::RUNS;
    float scale[8], shift[8];

    // gamma and beta, on their way while the squares are summed.
    __device__ __forceinline__ Normalised(const GroupNormArgs& a, const S& slice) {
        slice.of_channels(a.gamma, scale);
        slice.of_channels(a.beta, shift);
    }

    // From the sums of the groups' squares: also the statistics that backward reads.
    __device__ __forceinline__ void finish(const GroupNormArgs& a, const S& slice, const float (&mean)[RUNS],
                                           const float (&squares)[RUNS]) {
        float rstd[RUNS];
        auto of_group = slice.mean();
        for (int r = 0; r < RUNS; r++) {
            rstd[r] = rsqrtf(of_group(squares[r]) + a.eps);
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

template <int RUNS>
__device__ __forceinline__ void add_values(uint4 x, float (&sum)[RUNS]) {
    float value[8];
    unpack(x, value);
    for (int v = 0; v < 8; v++) sum[v * RUNS / 8] += value[v];
}

template <int RUNS>
__device__ __forceinline__ void add_squares(uint4 x, const float (&mean)[RUNS], float (&sum)[RUNS]) {
    float value[8];
    unpack(x, value);
    for (int v = 0; v < 8; v++) {
        float centred = value[v] - mean[v * RUNS / 8];
        sum[v * RUNS / 8] += centred * centred;
    }
}

// K vectors per thread, in registers.
template <int K, class S>
__device__ __forceinline__ void group_norm_held(const GroupNormArgs& a) {
    constexpr int RUNS = S::RUNS;
    __shared__ Met<RUNS> met[2][2 * MOST_WARPS];
    S slice(a.pixels, a.slice, a.per_group, K);
    Vectors parts(slice, a.channels, a.first), whole(slice, a.channels);
    const bf16* from = parts.of(a.x, a.x2);
    uint4 x[K];
    for (int k = 0; k < K; k++) x[k] = slice.is_there(k) ? *(const uint4*)(from + k * parts.step) : make_uint4(0, 0, 0, 0);
    Dropout dropout(a, slice); // while the vectors are on their way
    float mean[RUNS] = {}, squares[RUNS] = {};
    for (int k = 0; k < K; k++) add_values(x[k], mean);
    slice.sum_groups(mean, met[0]);
    for (int r = 0; r < RUNS; r++) mean[r] = slice.mean()(mean[r]);
    Normalised<S> normalised(a, slice);
    for (int k = 0; k < K; k++) {
        if (slice.is_there(k)) add_squares(x[k], mean, squares);
    }
    slice.sum_groups(squares, met[1]);
    normalised.finish(a, slice, mean, squares);
    bf16* y = whole.of(a.y, a.y);
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

// In shared memory.
template <class S>
__device__ __forceinline__ void group_norm_staged(const GroupNormArgs& a) {
    constexpr int RUNS = S::RUNS;
    DYNAMIC_SHARED(uint4, all); // [vectors of a thread,threads]
    __shared__ Met<RUNS> met[2][2 * MOST_WARPS];
    S slice(a.pixels, a.slice, a.per_group, 0);
    Vectors parts(slice, a.channels, a.first), whole(slice, a.channels);
    const bf16* from = parts.of(a.x, a.x2);
    int count = (slice.pixels - slice.row + slice.rows - 1) / slice.rows; // of this thread
    uint4* x = all + threadIdx.x;
#pragma unroll 4
    for (int k = 0; k < count; k++) copy_async<16>(x + k * blockDim.x, from + k * parts.step);
    commit_copies();
    Dropout dropout(a, slice);
    wait_copies<0>(); // nobody else reads this thread's vectors
    float mean[RUNS] = {}, squares[RUNS] = {};
#pragma unroll 4
    for (int k = 0; k < count; k++) add_values(x[k * blockDim.x], mean);
    slice.sum_groups(mean, met[0]);
    for (int r = 0; r < RUNS; r++) mean[r] = slice.mean()(mean[r]);
    Normalised<S> normalised(a, slice);
#pragma unroll 4
    for (int k = 0; k < count; k++) add_squares(x[k * blockDim.x], mean, squares);
    slice.sum_groups(squares, met[1]);
    normalised.finish(a, slice, mean, squares);
    bf16* y = whole.of(a.y, a.y);
    with_factors(a, [&](auto silu, auto drops) {
#pragma unroll 2
        for (int k = 0; k < count; k++) {
            uint4 one = x[k * blockDim.x];
            normalised.template write<decltype(silu)::value, decltype(drops)::value>(one, dropout, y + k * whole.step);
        }
    });
}

KERNEL_RESIDENT(group_norm_bf16_warps_staged, GroupNormArgs, 256, 4) { group_norm_staged<WarpSlice<4>>(a); }
KERNEL_RESIDENT(group_norm_bf16_warps_staged_pair, GroupNormArgs, 256, 2) { group_norm_staged<WarpSlice<2>>(a); }
KERNEL_RESIDENT(group_norm_bf16_warps_staged_single, GroupNormArgs, 256, 2) { group_norm_staged<WarpSlice<1>>(a); }
KERNEL_RESIDENT(group_norm_bf16_warps_staged_odd, GroupNormArgs, 384, 2) { group_norm_staged<OddSlice>(a); }
