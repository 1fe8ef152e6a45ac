// group_norm_backward_warps.cu: gradients of group normalisation of bf16 tensors in groups of 1, 2, 4, 8, ... or 3, 6, 12,
// ... channels, optionally followed by SiLU and a dropout of channels.
//
// Math         as group_norm_backward.cu, with xhat = x*rstd - mean*rstd, z = x*scale + shift, scale = rstd*gamma and
//                dx = dz*scale - x*rstd*second - (first - mean*rstd*second) + addend,
//              first and second the means of scale*dz and scale*dz*xhat. With a dropout dy times its factor, as in
//              group_norm_warps.cu: the same for all pixels of a channel, so the sums and dx's scale are multiplied.
//              _totals also totals[n,c] = sum_p dx[n,p,c], the gradient of what was added to every pixel of x
// Shapes       as group_norm_backward.cu
// Layout       C fastest
// Requires     as group_norm_warps.cu; dx may be dy, if it is one tensor, x or its addend. _4_wide takes no dropout,
//              _totals one tensor
// Tiling       as WarpSlice. _4: x and dy in registers, 4 vectors each per thread; a warp owns a slice of up to 128
//              vectors, and there is no barrier. _staged: both in shared memory, 64 KiB for 32x32 pixels, three blocks of
//              256 threads on a multiprocessor, which hide each other's copies, sums and writes; one half is summed while
//              the other comes. One barrier. _odd: as OddSlice; two barriers. _wide_dropped: _wide has no registers left for
//              a dropout. _single, _pair: as group_norm_warps.cu, in 128 registers; _odd_single, _odd_pair in up to 168, blocks of
//              192 threads. _totals: two barriers more where a slice has several warps. Addends, and x of about the next block
//              on the multiprocessor, come to L2 meanwhile. Images from the last to the first: norm_warps.cuh
// Numerics     in f32: sums of a thread's pixels in order, then a tree over lanes, then over the warps in order. xhat: at
//              a mean of m standard deviations it is m*2^-24 off, far below the 2^-9 of x in bf16. With SiLU dz is
//              rounded once more (2^-9), after it was summed. A dropout rounds nothing. Totals are of dx
//              before it is rounded, in f32: a thread's pixels in order, a tree over lanes, the warps in order
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         two or three reads and one write, about 21 instructions per value with SiLU in loops (loops.py), 22 with totals:
//              half of what an H200 issues in the time of its copies. At 4.25 TB/s, batch 512 and no addend 24 us for 32x32
//              pixels and 32 channels, 12 for 16x16 and 64, 6 for 8x8 and 128, 71 for 32x32 and 96. On an H200 the first took
//              36.8 us, with a sixth of a block's time before its first copy (ncu), now 130 instructions in the place of 201, and
//              without halves; with addends in device memory, 32x32 and 128, 247 us where the bytes need 126. Not measured since.
//              _single, 128 images of 32x32x8: 1.5 us for the bytes, before that 4.4 of one channel a group, 5.3 of two (9.9
//              with group_norm_backward.cu)
// Reference    GroupNormReference (double)
#include "async_copy.cuh"
#include "norm_warps_gradient.cuh"

// What is added to dx, which is read in the end, and about what the next block on this multiprocessor reads of x: dy is
// given by the launch before, but x has been in device memory since the forward half.
template <class S>
__device__ __forceinline__ void prefetch(const GroupNormBackwardArgs& a, const S& slice, const Vectors& parts, int count) {
    if (parts.has(a.addend, a.addend2)) {
        prefetch_vectors(slice, parts.of(a.addend, a.addend2, slice.image), parts.step, count);
    }
    if ((int)slice.image >= a.ahead) {
        prefetch_vectors(slice, parts.of(a.x, a.x2, slice.image - a.ahead), parts.step, count);
    }
}

// K vectors per thread, in registers. DROPS: there may be a dropout.
template <int K, bool WIDE, bool DROPS, bool TOTALS, class S = WarpSlice<4>>
__device__ __forceinline__ void group_norm_backward_held(const GroupNormBackwardArgs& a) {
    DYNAMIC_SHARED(float, met);
    S slice(a.pixels, a.slice, a.per_group, K, blockIdx.x, from_the_last(blockIdx.y, gridDim.y));
    Dropout dropout(a, slice, DROPS); // here, as registers are few later
    Vectors parts(slice, a.channels, a.first), whole(slice, a.channels);
    const bf16 *from = parts.of(a.x, a.x2, slice.image), *from_dy = whole.of(a.dy, a.dy, slice.image);
    int count = 0; // of this thread's vectors
    for (int k = 0; k < K; k++) count += slice.is_there(k);
    uint4 zero = make_uint4(0, 0, 0, 0), x[K], dz[K];
    for (int k = 0; k < K; k++) x[k] = k < count ? *(const uint4*)(from + k * parts.step) : zero;
    for (int k = 0; k < K; k++) dz[k] = k < count ? *(const uint4*)(from_dy + k * whole.step) : zero;
    ChannelTerms<S::RUN> terms(a, slice);
    prefetch(a, slice, parts, count);
    terms.finish();
    float sum[16] = {};
    if (a.silu) {
        for (int k = 0; k < K; k++) terms.template add<true>(x[k], dz[k], sum);
    } else {
        for (int k = 0; k < K; k++) terms.template add<false>(x[k], dz[k], sum);
    }
    terms.drop(dropout);
    LaneGradient<WIDE, S> gradient(a, slice, terms, dropout, sum, met);
    PixelSums<TOTALS> totals;
    bf16* to = parts.of(a.dx, a.dx2, slice.image);
    if (parts.has(a.addend, a.addend2)) {
        const bf16* more = parts.of(a.addend, a.addend2, slice.image);
        uint4 addend[K];
        for (int k = 0; k < K; k++) addend[k] = k < count ? *(const uint4*)(more + k * parts.step) : zero;
        for (int k = 0; k < K; k++) {
            float dx[8];
            gradient.of(terms, x[k], dz[k], dx);
            add_packed(addend[k], dx);
            if (k < count) totals.add(dx);
            if (k < count) store_packed(to + k * parts.step, pack(dx));
        }
    } else {
        for (int k = 0; k < K; k++) {
            float dx[8];
            gradient.of(terms, x[k], dz[k], dx);
            if (k < count) totals.add(dx);
            if (k < count) store_packed(to + k * parts.step, pack(dx));
        }
    }
    totals.store(a, slice, met);
}

// Registers for as many blocks of 128 threads: 96 each, with which sm_80 would spill three.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
constexpr int HELD_BLOCKS = 4;
#else
constexpr int HELD_BLOCKS = 5;
#endif

#define HELD(suffix, blocks, ...)                                                                            \
    KERNEL_RESIDENT(group_norm_backward_bf16_warps_4##suffix, GroupNormBackwardArgs, 128, blocks) {          \
        group_norm_backward_held<4, __VA_ARGS__>(a);                                                         \
    }
HELD(, HELD_BLOCKS, false, true, false)
HELD(_pair, 4, false, true, false, WarpSlice<2>)
HELD(_pair_totals, 4, false, true, true, WarpSlice<2>)
HELD(_single, 4, false, true, false, WarpSlice<1>)
HELD(_single_totals, 4, false, true, true, WarpSlice<1>)
HELD(_wide, HELD_BLOCKS, true, false, false)
HELD(_wide_dropped, 4, true, true, false)
HELD(_wide_totals, 4, true, true, true)
KERNEL_RESIDENT_ROOMY(group_norm_backward_bf16_warps_4_totals, GroupNormBackwardArgs, 128, HELD_BLOCKS, 4) {
    group_norm_backward_held<4, false, true, true>(a);
}

// The vectors of a thread in shared memory.
struct StagedVectors {
    uint4* x;  // [count,threads], from this thread's
    uint4* dz; // the same
    int count; // a multiple of 2. Those from `mine` on are zero, and add nothing to a sum
    int mine;

    template <class S>
    __device__ __forceinline__ StagedVectors(const S& slice, uint4* all, int rounds) {
        count = (rounds + 1) & ~1;
        mine = slice.is_there(rounds - 1) ? rounds : rounds - 1;
        x = all + threadIdx.x;
        dz = x + count * blockDim.x;
    }

    __device__ __forceinline__ void pad() const {
        for (int k = count - 2; k < count; k++) {
            if (k >= mine) x[k * blockDim.x] = dz[k * blockDim.x] = make_uint4(0, 0, 0, 0);
        }
    }

    // Vectors of the first of two parts, an even count: they are summed while the others are on their way.
    __device__ __forceinline__ int first_part() const { return (count + 2) / 4 * 2; }

    __device__ __forceinline__ void copy(const bf16* from, int step, const bf16* from_dy, int step_dy) const {
        int k = 0;
#pragma unroll 1
        for (int end = min(first_part(), mine), part = 0; part < 2; end = mine, part++) {
#pragma unroll 2
            for (; k < end; k++, from += step, from_dy += step_dy) {
                copy_async<16>(x + k * blockDim.x, from);
                copy_async<16>(dz + k * blockDim.x, from_dy);
            }
            commit_copies();
        }
    }

    // Nobody else reads this thread's vectors.
    template <bool SILU, class Terms>
    __device__ __forceinline__ void add(const Terms& terms, float (&sum)[16]) const {
        wait_copies<1>();
        int from = 0;
#pragma unroll 1
        for (int end = min(first_part(), count); from < count; end = count) {
            add<SILU>(terms, sum, from, end);
            from = end;
            wait_copies<0>();
        }
    }

    // Two at a time: both are there before dz of the first is stored.
    template <bool SILU, class Terms>
    __device__ __forceinline__ void add(const Terms& terms, float (&sum)[16], int from, int end) const {
        for (int k = from; k < end; k += 2) {
            int one = k * blockDim.x, two = one + blockDim.x;
            uint4 x_one = x[one], dz_one = dz[one], x_two = x[two], dz_two = dz[two];
            terms.template add<SILU>(x_one, dz_one, sum);
            terms.template add<SILU>(x_two, dz_two, sum);
            if (SILU) dz[one] = dz_one, dz[two] = dz_two;
        }
    }
};

template <class S, class G, bool TOTALS = false>
__device__ __forceinline__ void group_norm_backward_staged(const GroupNormBackwardArgs& a, int spare) {
    DYNAMIC_SHARED(float, met);
    S slice(a.pixels, a.slice, a.per_group, 0, blockIdx.x, from_the_last(blockIdx.y, gridDim.y));
    Vectors parts(slice, a.channels, a.first), whole(slice, a.channels);
    StagedVectors staged(slice, (uint4*)(met + (slice.warps + spare) * max(slice.columns, 2) * 16), a.rounds);
    const bf16 *from = parts.of(a.x, a.x2, slice.image), *from_dy = whole.of(a.dy, a.dy, slice.image);
    staged.copy(from, parts.step, from_dy, whole.step);
    staged.pad();
    prefetch(a, slice, parts, staged.mine);
    Dropout dropout(a, slice);
    ChannelTerms<S::RUN> terms(a, slice); // on their way beside the copies
    terms.finish();
    float sum[16] = {};
    if (a.silu) {
        staged.template add<true>(terms, sum);
    } else {
        staged.template add<false>(terms, sum);
    }
    terms.drop(dropout);
    G gradient(a, slice, terms, dropout, sum, met);
    PixelSums<TOTALS> totals;
    bf16* to = parts.of(a.dx, a.dx2, slice.image);
    if (parts.has(a.addend, a.addend2)) {
        const bf16* more = parts.of(a.addend, a.addend2, slice.image);
        for (int k = 0; k < staged.mine; k += 4) {
            uint4 addend[4];
            for (int i = 0; i < 4; i++) {
                if (k + i < staged.mine) addend[i] = *(const uint4*)(more + (k + i) * parts.step);
            }
            for (int i = 0; i < 4; i++) {
                if (k + i >= staged.mine) break;
                float dx[8];
                gradient.of(terms, staged.x[(k + i) * blockDim.x], staged.dz[(k + i) * blockDim.x], dx);
                add_packed(addend[i], dx);
                totals.add(dx);
                store_packed(to + (k + i) * parts.step, pack(dx));
            }
        }
    } else {
#pragma unroll 4
        for (int k = 0; k < staged.mine; k++) {
            float dx[8];
            gradient.of(terms, staged.x[k * blockDim.x], staged.dz[k * blockDim.x], dx);
            totals.add(dx);
            store_packed(to + k * parts.step, pack(dx));
        }
    }
    totals.store(a, slice, met);
}

// As many as shared memory admits.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
constexpr int STAGED_BLOCKS = 2, STAGED_ODD_BLOCKS = 1;
#else
constexpr int STAGED_BLOCKS = 3, STAGED_ODD_BLOCKS = 2;
#endif

#define STAGED(suffix, threads, blocks, ...)                                                                   \
    KERNEL_RESIDENT(group_norm_backward_bf16_warps_staged##suffix, GroupNormBackwardArgs, threads, blocks) {   \
        group_norm_backward_staged<__VA_ARGS__>(a, 0);                                                         \
    }
STAGED(, 256, STAGED_BLOCKS, WarpSlice<4>, LaneGradient<false, WarpSlice<4>>)
STAGED(_totals, 256, STAGED_BLOCKS, WarpSlice<4>, LaneGradient<false, WarpSlice<4>>, true)
STAGED(_pair, 256, 2, WarpSlice<2>, LaneGradient<false, WarpSlice<2>>)
STAGED(_pair_totals, 256, 2, WarpSlice<2>, LaneGradient<false, WarpSlice<2>>, true)
STAGED(_single, 256, 2, WarpSlice<1>, LaneGradient<false, WarpSlice<1>>)
STAGED(_single_totals, 256, 2, WarpSlice<1>, LaneGradient<false, WarpSlice<1>>, true)
KERNEL_RESIDENT_ROOMY(group_norm_backward_bf16_warps_staged_wide, GroupNormBackwardArgs, 256, STAGED_BLOCKS, 2) {
    group_norm_backward_staged<WarpSlice<4>, LaneGradient<true, WarpSlice<4>>>(a, 0);
}
STAGED(_wide_totals, 256, 2, WarpSlice<4>, LaneGradient<true, WarpSlice<4>>, true)
KERNEL_RESIDENT(group_norm_backward_bf16_warps_staged_odd, GroupNormBackwardArgs, 384, STAGED_ODD_BLOCKS) {
    group_norm_backward_staged<OddSlice<4>, OddGradient<4>>(a, 1);
}
KERNEL_RESIDENT(group_norm_backward_bf16_warps_staged_odd_pair, GroupNormBackwardArgs, 192, 2) {
    group_norm_backward_staged<OddSlice<2>, OddGradient<2>>(a, 1);
}
KERNEL_RESIDENT(group_norm_backward_bf16_warps_staged_odd_single, GroupNormBackwardArgs, 192, 2) {
    group_norm_backward_staged<OddSlice<1>, OddGradient<1>>(a, 1);
}
