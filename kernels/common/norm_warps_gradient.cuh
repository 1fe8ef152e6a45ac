// norm_warps_gradient.cuh: from x and dy of a thread to dx, for group_norm_backward_warps.cu.
#pragma once
#include "norm_warps.cuh"

// What belongs to the channels of a thread.
template <int RUN>
struct ChannelTerms {
    static constexpr int RUNS = 8 / RUN;

    float rstd[RUNS], offset[RUNS]; // xhat = x*rstd + offset
    float scale[8], shift[8];       // z = x*scale + shift, scale = rstd*gamma

    // Loads mean, gamma and beta in their places; nothing waits for them before `finish`.
    template <class S>
    __device__ __forceinline__ ChannelTerms(const GroupNormBackwardArgs& a, const S& slice) {
        for (int r = 0; r < RUNS; r++) {
            int64_t group = (int64_t)slice.image * a.groups + slice.group(r);
            rstd[r] = a.rstd[group];
            offset[r] = a.mean[group];
        }
        slice.of_channels(a.gamma, scale);
        slice.of_channels(a.beta, shift);
    }

    __device__ __forceinline__ void finish() {
        for (int r = 0; r < RUNS; r++) offset[r] *= -rstd[r];
        for (int v = 0; v < 8; v++) {
            shift[v] += offset[v / RUN] * scale[v];
            scale[v] *= rstd[v / RUN];
        }
    }

    // After the sums over pixels: a dropout's factors belong to dz, but are the same for all of them.
    __device__ __forceinline__ void drop(const Dropout& dropout) {
        for (int v = 0; v < 8; v++) scale[v] *= dropout.factor(v);
    }

    // Adds the terms of a pixel to sum: dz*xhat of 8 channels, then dz. dy becomes dz.
    template <bool SILU>
    __device__ __forceinline__ void add(uint4 x, uint4& dy, float (&sum)[16]) const {
        float value[8], dz[8];
        unpack(x, value);
        unpack(dy, dz);
        for (int v = 0; v < 8; v++) {
            float xhat = value[v] * rstd[v / RUN] + offset[v / RUN];
            if (SILU) dz[v] *= silu_slope(value[v] * scale[v] + shift[v]);
            sum[v] += dz[v] * xhat;
            sum[8 + v] += dz[v];
        }
        if (SILU) dy = pack(dz);
    }
};

__device__ __forceinline__ void add_packed(uint4 words, float (&sum)[8]) {
    float more[8];
    unpack(words, more);
    for (int v = 0; v < 8; v++) sum[v] += more[v];
}

// Half of a thread's 2 HALF numbers meet those of lane ^ distance: the lane with that bit set keeps the upper ones.
template <int HALF, int N>
__device__ __forceinline__ void meet(float (&sum)[N], int lane, int distance) {
    bool upper = (lane & distance) != 0;
    for (int i = 0; i < HALF; i++) {
        float kept = upper ? sum[HALF + i] : sum[i], given = upper ? sum[i] : sum[HALF + i];
        sum[i] = kept + __shfl_xor_sync(~0u, given, distance);
    }
}

template <int HALF, int N>
__device__ __forceinline__ void keep_half(float (&numbers)[N], int lane, int distance) {
    for (int i = 0; i < HALF; i++) numbers[i] = (lane & distance) != 0 ? numbers[HALF + i] : numbers[i];
}

// dx = dz*scale + x*slope + shift, the last two per run.
template <int RUN>
struct Gradient {
    static constexpr int RUNS = 8 / RUN;
    using Terms = ChannelTerms<RUN>;

    float slope[RUNS], shift[RUNS];

    // From the means over a run's group of scale*dz and scale*dz*xhat, which are rstd times those of the formula.
    __device__ __forceinline__ void set(const Terms& terms, int run, float low, float high) {
        slope[run] = -terms.rstd[run] * high;
        shift[run] = -low - terms.offset[run] * high;
    }

    // dx without the addend.
    __device__ __forceinline__ void of(const Terms& terms, uint4 x, uint4 dz, float (&dx)[8]) const {
        float value[8];
        unpack(x, value);
        unpack(dz, dx);
        for (int v = 0; v < 8; v++) dx[v] = dx[v] * terms.scale[v] + (value[v] * slope[v / RUN] + shift[v / RUN]);
    }
};

// From the sums of a thread. `met` [warps,columns/2,32], shared.
template <bool WIDE, class S>
struct LaneGradient : Gradient<S::RUN> {
    static constexpr int RUN = S::RUN, RUNS = S::RUNS;
    static constexpr int MOST = WIDE ? 8 : 1; // numbers of a lane after the warp has met

    __device__ __forceinline__ LaneGradient(const GroupNormBackwardArgs& a, const S& slice, const ChannelTerms<RUN>& terms,
                                            const Dropout& dropout, float (&sum)[16], float* met) {
        int lane = slice.lane, kept = WIDE ? slice.columns / 2 : 1; // numbers of a lane in the end
        // Lane bit 4 tells dgamma_n from dbeta_n, the next ones the channel within the vector, the rest the vector.
        float scale[8];
        for (int v = 0; v < 8; v++) scale[v] = terms.scale[v];
        meet<8>(sum, lane, 16);
        if (kept <= 4) meet<4>(sum, lane, 8), keep_half<4>(scale, lane, 8);
        if (kept <= 2) meet<2>(sum, lane, 4), keep_half<2>(scale, lane, 4);
        if (kept == 1) meet<1>(sum, lane, 2), keep_half<1>(scale, lane, 2);
        if (RUN < 4 && slice.columns == 1) sum[0] += __shfl_xor_sync(~0u, sum[0], 1); // that lane has the same channels
        if (slice.warps > 1) over_warps(slice, kept, sum, met);

        int kind = lane / 16, first = lane / 2 % 8 & ~(kept - 1);
        float* sums = a.sums + (kind * a.images + slice.image) * a.channels + slice.channel + first;
        float weighted = 0;
        for (int i = 0; i < MOST; i++) {
            if (i >= kept) continue;
            if (slice.warp == 0 && (RUN == 4 || lane % 2 < slice.columns)) sums[i] = sum[i] * dropout.factor(first + i);
            weighted += sum[i] * scale[i];
        }
        if constexpr (RUN < 4) {
            if (RUN == 2) weighted += __shfl_xor_sync(~0u, weighted, 2);
            weighted = slice.mean()(weighted);
            for (int r = 0; r < RUNS; r++) {
                int from = 2 * r * RUN + lane % 2; // which has the run's first channel
                float high = __shfl_sync(~0u, weighted, from), low = __shfl_sync(~0u, weighted, 16 + from);
                this->set(terms, r, low, high);
            }
            return;
        }
        if (slice.per_group > 8) weighted += __shfl_xor_sync(~0u, weighted, 1);
        weighted += __shfl_xor_sync(~0u, weighted, 2);
        weighted += __shfl_xor_sync(~0u, weighted, 4);
        if (slice.per_group > RUN) weighted += __shfl_xor_sync(~0u, weighted, 8);
        weighted = slice.mean()(weighted);
        float other = __shfl_xor_sync(~0u, weighted, 16);
        float second = kind == 0 ? weighted : other, first_mean = kind == 0 ? other : weighted;
        float second_other = __shfl_xor_sync(~0u, second, 8), first_other = __shfl_xor_sync(~0u, first_mean, 8);
        for (int r = 0; r < RUNS; r++) {
            bool own = lane / 8 % 2 == r; // with groups of 4; otherwise both are the same
            float high = own ? second : second_other, low = own ? first_mean : first_other;
            this->set(terms, r, low, high);
        }
    }

    static __device__ __forceinline__ void over_warps(const S& slice, int kept, float (&sum)[16], float* met) {
        for (int i = 0; i < MOST; i++) {
            if (i < kept) met[(slice.warp * kept + i) * 32 + slice.lane] = sum[i];
        }
        __syncthreads(); // the sums of all warps are there
        for (int i = 0; i < MOST; i++) {
            if (i >= kept) continue;
            sum[i] = 0;
#pragma unroll
            for (int w = 0; w < MOST_WARPS; w++) sum[i] += w < slice.warps ? met[(w * kept + i) * 32 + slice.lane] : 0.0f;
        }
    }
};

// Sums of dx over the pixels of an image, before it is rounded: the gradient of what was added to every pixel.
template <bool WANTED>
struct PixelSums {
    float sum[WANTED ? 8 : 1] = {};

    __device__ __forceinline__ void add(const float (&dx)[8]) {
        if constexpr (WANTED) {
            for (int v = 0; v < 8; v++) sum[v] += dx[v];
        }
    }

    // `met` [warps,columns,8], shared.
    template <class S>
    __device__ __forceinline__ void store(const GroupNormBackwardArgs& a, const S& slice, float* met) {
        if constexpr (WANTED) {
            for (int distance = 16; distance >= slice.columns; distance /= 2) {
                for (int v = 0; v < 8; v++) sum[v] += __shfl_xor_sync(~0u, sum[v], distance);
            }
            int width = slice.columns * 8;
            bf16* to = (bf16*)a.totals + (int64_t)slice.image * a.channels;
            if (slice.warps == 1) {
                if (slice.lane < slice.columns) *(uint4*)(to + slice.channel) = pack(sum);
                return;
            }
            __syncthreads(); // nobody reads what has met any more
            if (slice.lane < slice.columns) {
                float4* mine = (float4*)(met + slice.warp * width + slice.lane * 8);
                mine[0] = make_float4(sum[0], sum[1], sum[2], sum[3]), mine[1] = make_float4(sum[4], sum[5], sum[6], sum[7]);
            }
            __syncthreads(); // the sums of all warps are there
            int i = threadIdx.x; // columns are lanes of each warp in order: thread 0 has the slice's first channel
            if (i >= width) return;
            float total = 0;
            for (int w = 0; w < slice.warps; w++) total += met[w * width + i];
            to[slice.first + i] = from_float<bf16>(total);
        }
    }
};

// The same for OddSlice. `met` [warps + 1,columns,16], shared.
template <int R>
struct OddGradient : Gradient<R> {
    using Gradient<R>::RUNS;

    __device__ __forceinline__ OddGradient(const GroupNormBackwardArgs& a, const OddSlice<R>& slice, const ChannelTerms<R>& terms,
                                           const Dropout& dropout, float (&sum)[16], float* met) {
        int lane = slice.lane, columns = slice.columns, width = columns * 8, outputs = 2 * width;
        for (int i = 0; i < 16; i++) sum[i] *= dropout.factor(i % 8);
        // To the first lane of each column.
        for (int distance = 24, lanes = 32; distance >= columns; lanes = distance, distance /= 2) {
            for (int i = 0; i < 16; i++) {
                float other = __shfl_down_sync(~0u, sum[i], distance);
                if (lane + distance < lanes) sum[i] += other;
            }
        }
        if (lane < columns) {
            float4* mine = (float4*)(met + slice.warp * outputs + slice.local() * 2);
            for (int i = 0; i < 4; i++) mine[i] = make_float4(sum[4 * i], sum[4 * i + 1], sum[4 * i + 2], sum[4 * i + 3]);
        }
        __syncthreads(); // the sums of all warps are there
        float* weighted = met + slice.warps * outputs; // [2,width]
        for (int o = threadIdx.x; o < outputs; o += blockDim.x) {
            int kind = o / 8 % 2, local = o / 16 * 8 + o % 8, channel = slice.first + local;
            float gamma = a.gamma[channel], total = 0;
#pragma unroll 4
            for (int w = 0; w < slice.warps; w++) total += met[w * outputs + o];
            a.sums[(kind * a.images + slice.image) * a.channels + channel] = total;
            weighted[kind * width + local] = total * gamma;
        }
        __syncthreads(); // those of all channels are there
        // Some lanes for each group and kind.
        int each = slice.lanes_of_sum(), kind = lane / each % 2, part = lane / each / 2;
        float mean = 0;
        for (int c = lane % each; c < slice.per_group && part < slice.parts(); c += each) {
            mean += weighted[kind * width + part * slice.per_group + c];
        }
        for (int distance = 1; distance < each; distance *= 2) mean += __shfl_xor_sync(~0u, mean, distance);
        mean = slice.mean()(mean);
        for (int r = 0; r < RUNS; r++) {
            int from = slice.part(r) * 2 * each;
            float high = __shfl_sync(~0u, mean, from), low = __shfl_sync(~0u, mean, from + each);
            this->set(terms, r, terms.rstd[r] * low, terms.rstd[r] * high);
        }
    }
};
