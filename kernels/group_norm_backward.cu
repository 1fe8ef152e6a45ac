// group_norm_backward.cu: gradients of group normalisation, optionally followed by SiLU.
//
// Math         with xhat = (x-mean)*rstd, z = xhat*gamma + beta, dz = silu ? dy*silu'(z) : dy, L = P*(C/G):
//                dbeta_n[c] = sum_p dz   dgamma_n[c] = sum_p dz*xhat   of an image; dbeta, dgamma: over all images
//                first = sum_c gamma*dbeta_n / L   second = sum_c gamma*dgamma_n / L   over the C/G channels of a group
//                dx = rstd*(dz*gamma - first - xhat*second) + addend
// Shapes       dy, x, dx, addend [N,P,C], addend may be null   gamma, beta, dgamma, dbeta [C] f32   mean, rstd [N,G] f32
//              x, dx and addend may be two tensors each, side by side, [N,P,F] and [N,P,C-F]
//              sums [2,N,C] f32: dgamma_n, dbeta_n, added up over n by `norm_parameters`
// Layout       C fastest
// Requires     dx may be dy, if it is one tensor, x or its addend. _staged, _streamed: as group_norm.cu; _runs: 4 divides C/G.
//              `group_norm_backward_sums`, then `group_norm_backward_any`: nothing
// Tiling       as group_norm.cu, with x and dy both in shared memory. _sums: a block owns 32 channels of an image,
//              _any: a block of 256 owns a group
// Numerics     sums of at most 32 values in f32 per thread, then over threads in f32, over the rest in f64.
//              ex2.approx and rcp.approx. dz*gamma is rounded before the mean is taken off, as the mean's terms are: a group of
//              one gives 0. _staged keeps dz from the sums to dx in the type of the tensors: with SiLU in bf16 it is
//              rounded once more (2^-9), after it was summed
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         _staged: two or three reads and one write, the slope of SiLU once. _streamed: x and dy twice, the second
//              time from the second-level cache at best
// Reference    GroupNormReference (double)
#include "group_norm.cuh"

// RUN values of a vector are of one group.
template <class T, bool STAGED, int RUN = 1>
__device__ __forceinline__ void group_norm_backward(const GroupNormBackwardArgs& a) {
    constexpr int V = PACKED<T>, RUNS = V / RUN, AT_ONCE = STAGED || RUNS > 4 ? 2 : 4;
    DYNAMIC_SHARED(float, partial);               // [threads,V]
    float* folded = partial + blockDim.x * V;     // [2,subsets,slice], at most 2 (threads + slice)
    float* first = folded + 2 * (blockDim.x + a.slice); // [slice] gamma*dbeta_n of a channel, then the group's mean
    float* second = first + a.slice;              // [slice] the same of gamma*dgamma_n
    float* means = second + a.slice;              // [2,groups of the slice], at most 2 slice
    uint4* staged_x = (uint4*)(means + 2 * a.slice); // [pixels of a thread,threads]
    Slice<V> slice(a.channels, a.slice);
    int64_t per_thread = (a.pixels + slice.rows - 1) / slice.rows;
    uint4* staged_dy = staged_x + per_thread * blockDim.x;
    int per_group = a.per_group, groups = a.slice / per_group;
    int first_group = (slice.channel - slice.local) / per_group;
    int64_t start = slice.image * a.pixels * a.channels + slice.channel;
    Channel<const T> x((const T*)a.x, (const T*)a.x2, a.first, a.channels, slice.image * a.pixels, slice.channel);
    const T* dy = (const T*)a.dy + start;

    if (STAGED) {
        slice.stage(x.at, a.pixels, x.channels, staged_x);
        slice.stage(dy, a.pixels, a.channels, staged_dy);
    }
    // What belongs to channels and groups comes while the copies are on their way.
    int group[RUNS];
    float center[RUNS], rstd[RUNS], scale[V], beta[V];
    for (int r = 0; r < RUNS; r++) {
        group[r] = (slice.channel + r * RUN) / per_group;
        center[r] = a.mean[slice.image * a.groups + group[r]];
        rstd[r] = a.rstd[slice.image * a.groups + group[r]];
    }
    for (int v = 0; v < V; v++) {
        scale[v] = rstd[v / RUN] * a.gamma[slice.channel + v];
        beta[v] = a.beta[slice.channel + v];
    }
    if (STAGED) wait_copies<0>();
    // x - mean and dy, or dz if it is SiLU's; `scale` is rstd*gamma
    auto terms = [&](bool silu, uint4 vector, uint4 gradient, float(&centered)[V], float(&dz)[V]) {
        unpack(vector, centered);
        unpack(gradient, dz);
        for (int v = 0; v < V; v++) {
            centered[v] -= center[v / RUN];
            if (silu) dz[v] *= silu_slope(centered[v] * scale[v] + beta[v]);
        }
    };
    auto load_x = [&](int64_t p, int place) { return STAGED ? staged_x[place] : *(const uint4*)(x.at + p * x.channels); };
    auto load_dy = [&](int64_t p, int place) { return STAGED ? staged_dy[place] : *(const uint4*)(dy + p * a.channels); };

    float sum[2][V] = {};
    with(a.silu, [&](auto with) {
        slice.template sums<STAGED, AT_ONCE, 2>(a.pixels, sum, [&](int64_t p, int place, int64_t end, float(*part)[V]) {
            uint4 vector[AT_ONCE], gradient[AT_ONCE]; // those beyond the end add nothing
            for (int i = 0; i < AT_ONCE; i++) {
                bool there = p + i * slice.rows < end;
                vector[i] = there ? load_x(p + i * slice.rows, place + i * blockDim.x) : make_uint4(0, 0, 0, 0);
                gradient[i] = there ? load_dy(p + i * slice.rows, place + i * blockDim.x) : make_uint4(0, 0, 0, 0);
            }
            for (int i = 0; i < AT_ONCE; i++) {
                float centered[V], dz[V];
                terms(decltype(with)::value, vector[i], gradient[i], centered, dz);
                for (int v = 0; v < V; v++) {
                    part[0][v] += dz[v] * centered[v];
                    part[1][v] += dz[v];
                }
                if (STAGED && decltype(with)::value && p + i * slice.rows < end) staged_dy[place + i * blockDim.x] = pack(dz);
            }
        });
    });
    float gamma[V]; // on its way while the sums meet
    for (int v = 0; v < V; v++) {
        gamma[v] = a.gamma[slice.channel + v];
        sum[0][v] *= rstd[v / RUN];
    }
    int each = slice.subsets() * a.slice; // folded sums of a kind
    for (int k = 0; k < 2; k++) slice.fold_rows(sum[k], partial, folded + k * each);
    for (int i = threadIdx.x; i < 2 * a.slice; i += blockDim.x) {
        int k = i >= a.slice, c = i - k * a.slice, channel = slice.channel - slice.local + c;
        double total = 0;
        for (int s = 0; s < slice.subsets(); s++) total += folded[k * each + s * a.slice + c];
        a.sums[(k * a.images + slice.image) * a.channels + channel] = (float)total;
        (k == 0 ? second : first)[c] = (float)total * a.gamma[channel];
    }
    __syncthreads(); // the sums of all channels are there
    for (int g = threadIdx.x / 32; g < 2 * groups; g += blockDim.x / 32) {
        const float* channel = (g < groups ? first : second) + g % groups * per_group;
        double total = 0;
        for (int c = threadIdx.x % 32; c < per_group; c += 32) total += channel[c];
        total = warp_sum(total);
        if (threadIdx.x % 32 == 0) means[g] = (float)(total / ((double)a.pixels * per_group));
    }
    __syncthreads(); // the means of all groups are there

    float low[RUNS], high[RUNS];
    for (int r = 0; r < RUNS; r++) {
        low[r] = means[group[r] - first_group];
        high[r] = means[groups + group[r] - first_group] * rstd[r];
    }
    bool adds = (slice.channel >= a.first ? a.addend2 : a.addend) != nullptr;
    Channel<const T> addend((const T*)a.addend, (const T*)a.addend2, a.first, a.channels, slice.image * a.pixels,
                            slice.channel);
    Channel<T> dx((T*)a.dx, (T*)a.dx2, a.first, a.channels, slice.image * a.pixels, slice.channel);
    // dx of a pixel, from x - mean, dz and the addend
    auto write = [&](int64_t p, float(&centered)[V], float(&dz)[V], const float(&more)[V]) {
        for (int v = 0; v < V; v++) {
            int r = v / RUN;
            dz[v] = rstd[r] * (__fmul_rn(dz[v], gamma[v]) - low[r] - centered[v] * high[r]) + more[v];
        }
        store_packed(dx.at + p * dx.channels, pack(dz));
    };
    auto second_pass = [&](auto with) {
        slice.template each_batch<AT_ONCE>(0, a.pixels, [&](int64_t p, int place) {
            uint4 vector[AT_ONCE], gradient[AT_ONCE], addends[AT_ONCE];
            for (int i = 0; i < AT_ONCE; i++) {
                vector[i] = gradient[i] = addends[i] = make_uint4(0, 0, 0, 0);
                int64_t at = p + i * slice.rows;
                if (at >= a.pixels) continue;
                vector[i] = load_x(at, place + i * blockDim.x);
                gradient[i] = load_dy(at, place + i * blockDim.x);
                if (adds) addends[i] = *(const uint4*)(addend.at + at * addend.channels);
            }
            for (int i = 0; i < AT_ONCE; i++) {
                float centered[V], dz[V], more[V];
                terms(decltype(with)::value, vector[i], gradient[i], centered, dz);
                unpack(addends[i], more);
                if (p + i * slice.rows < a.pixels) write(p + i * slice.rows, centered, dz, more);
            }
        });
    };
    if (STAGED) {
        second_pass(Constant<0> {}); // dz is there already
    } else {
        with(a.silu, second_pass);
    }
}

KERNEL(group_norm_backward_f32_staged, GroupNormBackwardArgs, GROUP_NORM_THREADS) {
    group_norm_backward<float, true>(a);
}
KERNEL(group_norm_backward_bf16_staged, GroupNormBackwardArgs, GROUP_NORM_THREADS) {
    group_norm_backward<bf16, true>(a);
}
KERNEL_RESIDENT(group_norm_backward_bf16_staged_runs, GroupNormBackwardArgs, GROUP_NORM_THREADS, 3) {
    group_norm_backward<bf16, true, 4>(a);
}
KERNEL_RESIDENT(group_norm_backward_f32_streamed, GroupNormBackwardArgs, GROUP_NORM_THREADS, 2) {
    group_norm_backward<float, false>(a);
}
KERNEL(group_norm_backward_bf16_streamed, GroupNormBackwardArgs, GROUP_NORM_THREADS) {
    group_norm_backward<bf16, false>(a);
}
KERNEL_RESIDENT_ROOMY(group_norm_backward_bf16_streamed_runs, GroupNormBackwardArgs, GROUP_NORM_THREADS, 2, 1) {
    group_norm_backward<bf16, false, 4>(a);
}

// Of a channel: what does not depend on the pixel.
struct ChannelFactors {
    float center, rstd, gamma, beta;

    __device__ __forceinline__ float slope(float dy, float xhat, bool silu) const {
        return silu ? dy * silu_slope(xhat * gamma + beta) : dy;
    }
};

// dgamma_n and dbeta_n. A block owns 32 channels of an image.
template <class T>
__device__ __forceinline__ void group_norm_backward_sums(const GroupNormBackwardArgs& a) {
    __shared__ double scratch[256];
    int tiles = (a.channels + 31) / 32;
    int64_t image = blockIdx.x / tiles;
    int channel = (int)(blockIdx.x % tiles) * 32 + threadIdx.x % 32;
    double sum[2] = {};
    if (channel < a.channels) {
        int64_t group = image * a.groups + channel / a.per_group;
        ChannelFactors of {a.mean[group], a.rstd[group], a.gamma[channel], a.beta[channel]};
        int64_t start = image * a.pixels * a.channels + channel;
        Channel<const T> x((const T*)a.x, (const T*)a.x2, a.first, a.channels, image * a.pixels, channel);
        blocked_sums<2>(threadIdx.x / 32, a.pixels, 8, sum, [&](int64_t p, float(&part)[2]) {
            float xhat = (to_float(x.at[p * x.channels]) - of.center) * of.rstd;
            float dz = of.slope(to_float(((const T*)a.dy)[start + p * a.channels]), xhat, a.silu != 0);
            part[0] += dz * xhat;
            part[1] += dz;
        });
    }
    fold_columns<2>(sum, 32, scratch);
    if (threadIdx.x < 32 && channel < a.channels) {
        a.sums[image * a.channels + channel] = (float)sum[0];
        a.sums[(a.images + image) * a.channels + channel] = (float)sum[1];
    }
}

KERNEL(group_norm_backward_sums_f32, GroupNormBackwardArgs, 256) { group_norm_backward_sums<float>(a); }
KERNEL(group_norm_backward_sums_bf16, GroupNormBackwardArgs, 256) { group_norm_backward_sums<bf16>(a); }

// dx, after the sums. A block owns a group of an image.
template <class T>
__device__ __forceinline__ void group_norm_backward_any(const GroupNormBackwardArgs& a) {
    __shared__ double scratch[32];
    int per_group = a.per_group;
    int64_t image = blockIdx.x / a.groups, count = a.pixels * per_group;
    int begin = (int)(blockIdx.x % a.groups) * per_group;
    double total[2] = {};
    for (int c = begin + threadIdx.x; c < begin + per_group; c += blockDim.x) {
        for (int k = 0; k < 2; k++) {
            total[k] += a.sums[(k * a.images + image) * a.channels + c] * (double)a.gamma[c];
        }
    }
    float high = (float)(block_sum(total[0], scratch) / (double)count);
    float low = (float)(block_sum(total[1], scratch) / (double)count);
    float mean = a.mean[blockIdx.x], rstd = a.rstd[blockIdx.x];
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        int channel = begin + (int)(i % per_group);
        int64_t pixel = image * a.pixels + i / per_group, at = pixel * a.channels + channel;
        Channel<const T> x((const T*)a.x, (const T*)a.x2, a.first, a.channels, pixel, channel);
        Channel<T> dx((T*)a.dx, (T*)a.dx2, a.first, a.channels, pixel, channel);
        ChannelFactors of {mean, rstd, a.gamma[channel], a.beta[channel]};
        float xhat = (to_float(*x.at) - mean) * rstd;
        float dz = of.slope(to_float(((const T*)a.dy)[at]), xhat, a.silu != 0);
        bool adds = (channel >= a.first ? a.addend2 : a.addend) != nullptr;
        Channel<const T> addend((const T*)a.addend, (const T*)a.addend2, a.first, a.channels, pixel, channel);
        float more = adds ? to_float(*addend.at) : 0.0f;
        *dx.at = from_float<T>(rstd * (__fmul_rn(dz, of.gamma) - low - xhat * high) + more);
    }
}

KERNEL(group_norm_backward_any_f32, GroupNormBackwardArgs, 256) { group_norm_backward_any<float>(a); }
KERNEL(group_norm_backward_any_bf16, GroupNormBackwardArgs, 256) { group_norm_backward_any<bf16>(a); }
