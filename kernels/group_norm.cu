// group_norm.cu: group normalisation, optionally followed by SiLU, forward.
//
// Math         over the L = P*(C/G) values of each group g of each image n:
//                mean = sum x / L   rstd = 1/sqrt(sum (x-mean)^2 / L + eps)
//                z = (x-mean)*rstd*gamma[c] + beta[c]     y = silu ? z * sigmoid(z) : z
// Shapes       x, y [N,P,C]   gamma, beta [C] f32   mean, rstd [N,G] f32, saved for backward
//              x may be two tensors side by side, [N,P,F] and [N,P,C-F]
// Layout       C fastest
// Requires     _staged, _streamed: slice whole groups and whole 16-byte vectors, C % slice == 0, slice at most as many
//              vectors as a block has threads, F a multiple of 16 bytes. `group_norm_any`: nothing
// Tiling       for f32, and what group_norm_warps.cu does not take. A block owns a slice of the channels of an image, 32
//              bytes of each pixel at least: one sector of device memory. _staged keeps it in shared memory, at most 96
//              KiB (what every GPU since sm_80 has), 16 KiB where the image allows it, so that several blocks per
//              multiprocessor hide each other's barriers and copies. _streamed reads it three times, from the second-level
//              cache at best, four vectors of a thread at once. _any: a block per group. 256 threads: more would halve the
//              registers.
// Numerics     two passes. Sums of at most 32 values in f32 per thread, then over threads in f32, over the rest in
//              f64; _any: 16 in f32, then f64. E[x^2]-mean^2 was rejected: at a mean of 100 standard deviations it is
//              wrong by 1e-3. ex2.approx and rcp.approx in SiLU.
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         _staged: one read and one write, about 20 instructions per value: memory-bound
// Reference    GroupNormReference (double). Wu & He 2018, arXiv:1803.08494, eq. 1-7
#include "group_norm.cuh"

// Sums of the groups of a slice, from the folded sums of their channels, a warp per group: finish(group, sum).
template <int V, class F>
__device__ __forceinline__ void sum_groups(const Slice<V>& slice, const float* folded, int per_group, F finish) {
    for (int g = threadIdx.x / 32; g < slice.width / per_group; g += blockDim.x / 32) {
        double sum = 0;
        for (int i = threadIdx.x % 32; i < slice.subsets() * per_group; i += 32) {
            sum += folded[i / per_group * slice.width + g * per_group + i % per_group];
        }
        sum = warp_sum(sum);
        if (threadIdx.x % 32 == 0) finish(g, sum);
    }
    __syncthreads(); // the result of every group is there
}

template <class T, bool STAGED>
__device__ __forceinline__ void group_norm(const GroupNormArgs& a) {
    constexpr int V = PACKED<T>, AT_ONCE = STAGED ? 2 : 4;
    DYNAMIC_SHARED(float, partial);                // [threads,V]
    float* folded = partial + blockDim.x * V;      // [subsets,slice], at most threads + slice
    float* mean = folded + blockDim.x + a.slice;   // [groups of the slice], at most slice
    float* rstd = mean + a.slice;                  // the same
    uint4* staged = (uint4*)(rstd + a.slice);      // [pixels of a thread,threads]
    Slice<V> slice(a.channels, a.slice);
    int per_group = a.per_group;
    int64_t first_group = slice.image * a.groups + (slice.channel - slice.local) / per_group; // in [N,G]
    double inverse = 1 / ((double)a.pixels * per_group);
    int64_t start = slice.image * a.pixels * a.channels + slice.channel;
    Channel<const T> x((const T*)a.x, (const T*)a.x2, a.first, a.channels, slice.image * a.pixels, slice.channel);
    if (STAGED) {
        slice.stage(x.at, a.pixels, x.channels, staged);
        wait_copies<0>();
    }
    auto read = [&](int64_t p, int place) { return STAGED ? staged[place] : *(const uint4*)(x.at + p * x.channels); };

    // Of AT_ONCE pixels, of which those beyond `end` are not there: term(value, channel) is added up.
    auto add = [&](auto term) {
        return [&, term](int64_t p, int place, int64_t end, float(*part)[V]) {
            uint4 vector[AT_ONCE];
            for (int i = 0; i < AT_ONCE; i++) {
                if (p + i * slice.rows < end) vector[i] = read(p + i * slice.rows, place + i * blockDim.x);
            }
            for (int i = 0; i < AT_ONCE; i++) {
                if (p + i * slice.rows >= end) continue;
                float value[V];
                unpack(vector[i], value);
                for (int v = 0; v < V; v++) part[0][v] += term(value[v], v);
            }
        };
    };

    float center[V] = {}, sum[V] = {};
    slice.template sums<STAGED, AT_ONCE, 1>(a.pixels, &sum, add([&](float value, int) { return value; }));
    slice.fold_rows(sum, partial, folded);
    sum_groups(slice, folded, per_group, [&](int g, double total) {
        mean[g] = (float)(total * inverse);
        a.mean[first_group + g] = mean[g];
    });

    for (int v = 0; v < V; v++) center[v] = mean[(slice.local + v) / per_group], sum[v] = 0;
    slice.template sums<STAGED, AT_ONCE, 1>(
        a.pixels, &sum, add([&](float value, int v) { return (value - center[v]) * (value - center[v]); }));
    slice.fold_rows(sum, partial, folded);
    sum_groups(slice, folded, per_group, [&](int g, double total) {
        rstd[g] = (float)(1.0 / sqrt(total * inverse + a.eps));
        a.rstd[first_group + g] = rstd[g];
    });

    float scale[V], shift[V];
    for (int v = 0; v < V; v++) {
        scale[v] = rstd[(slice.local + v) / per_group] * a.gamma[slice.channel + v];
        shift[v] = a.beta[slice.channel + v];
    }
    T* y = (T*)a.y + start;
    with(a.silu, [&](auto with) {
        slice.template each_batch<AT_ONCE>(0, a.pixels, [&](int64_t p, int place) {
            uint4 vector[AT_ONCE];
            for (int i = 0; i < AT_ONCE; i++) {
                if (p + i * slice.rows < a.pixels) vector[i] = read(p + i * slice.rows, place + i * blockDim.x);
            }
            for (int i = 0; i < AT_ONCE; i++) {
                if (p + i * slice.rows >= a.pixels) continue;
                float value[V];
                unpack(vector[i], value);
                for (int v = 0; v < V; v++) {
                    float z = (value[v] - center[v]) * scale[v] + shift[v];
                    value[v] = decltype(with)::value ? z * sigmoid(z) : z;
                }
                store_packed(y + (p + i * slice.rows) * a.channels, pack(value));
            }
        });
    });
}

KERNEL_RESIDENT(group_norm_f32_staged, GroupNormArgs, GROUP_NORM_THREADS, 3) {
    group_norm<float, true>(a);
}
KERNEL_RESIDENT(group_norm_bf16_staged, GroupNormArgs, GROUP_NORM_THREADS, 3) {
    group_norm<bf16, true>(a);
}
KERNEL_RESIDENT(group_norm_f32_streamed, GroupNormArgs, GROUP_NORM_THREADS, 3) {
    group_norm<float, false>(a);
}
KERNEL_RESIDENT(group_norm_bf16_streamed, GroupNormArgs, GROUP_NORM_THREADS, 3) {
    group_norm<bf16, false>(a);
}

// Any channels, groups and pixels.
template <class T>
__device__ __forceinline__ void group_norm_any(const GroupNormArgs& a) {
    __shared__ double scratch[32];
    int per_group = a.per_group;
    int64_t image = blockIdx.x / a.groups, count = a.pixels * per_group;
    int first = (int)(blockIdx.x % a.groups) * per_group;
    int64_t start = image * a.pixels * a.channels + first;
    auto element = [&](int64_t i) { return start + i / per_group * a.channels + i % per_group; };
    auto value = [&](int64_t i) {
        int64_t pixel = image * a.pixels + i / per_group;
        int channel = first + (int)(i % per_group);
        return to_float(*Channel<const T>((const T*)a.x, (const T*)a.x2, a.first, a.channels, pixel, channel).at);
    };

    double total[1] = {};
    blocked_sums<1>(threadIdx.x, count, blockDim.x, total, [&](int64_t i, float(&part)[1]) { part[0] += value(i); });
    float mean = (float)(block_sum(total[0], scratch) / (double)count);
    total[0] = 0;
    blocked_sums<1>(threadIdx.x, count, blockDim.x, total, [&](int64_t i, float(&part)[1]) {
        float centred = value(i) - mean;
        part[0] += centred * centred;
    });
    float rstd = (float)(1.0 / sqrt(block_sum(total[0], scratch) / (double)count + a.eps));
    if (threadIdx.x == 0) {
        a.mean[blockIdx.x] = mean;
        a.rstd[blockIdx.x] = rstd;
    }
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        int channel = first + (int)(i % per_group);
        float z = (value(i) - mean) * (rstd * a.gamma[channel]) + a.beta[channel];
        ((T*)a.y)[element(i)] = from_float<T>(a.silu ? z * sigmoid(z) : z);
    }
}

KERNEL(group_norm_any_f32, GroupNormArgs, 256) { group_norm_any<float>(a); }
KERNEL(group_norm_any_bf16, GroupNormArgs, 256) { group_norm_any<bf16>(a); }
