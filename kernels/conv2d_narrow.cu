// conv2d_narrow.cu: 3x3 convolutions from few channels to many (a stem) and from many to few (a head), forward and backward
// data, which reads dy as x and the filters turned: the gradient of a head widens as a stem does, that of a stem narrows.
//
// Math         conv2d_stem, conv2d_head
//                y[n,p,q,k] = bias[k] + sum_{r,s,c} x[n,p+r-1,q+s-1,c] w[k,r,s,c], x zero outside
//              conv2d_backward_data_head, conv2d_backward_data_stem
//                dx[n,h,w,c] = sum_{r,s,k} dy[n,h+1-r,w+1-s,k] w[k,r,s,c]
// Shapes       x, dx [N,H,W,C]   w [K,3,3,C]   y, dy [N,H,W,K]; f32 or bf16   bias [K] f32 or none
// Layout       C and K fastest
// Requires     stride 1, padding 1, 1 to 4 channels on the narrow side; those of the wide side a multiple of 16 bytes, where
//              they are read at most 32 times that; all but bias 16-byte aligned; one image and N*W fit in 31 bits
// Tiling       widening: a thread makes 8 (f32 4) channels, of more than one input channel 4 or 2, of 16 rows of a column; the
//              filters that meet them, 36 to 72 numbers, and 3 rows of neighbours with 0 to 3 more on their way are in
//              registers: up to 158, so 3 blocks of 128 threads a multiprocessor. A warp stores whole lines.
//              Narrowing: a thread reads 16 bytes of 16 rows of a column and of the two around them, 3 ahead, a filter's 72
//              (f32 36) numbers in registers; a pixel's sums by column of the filter meet in 30 KiB of shared memory. A
//              block has whole rows of images, or a column on either side more than it makes: 4 blocks a multiprocessor
// Numerics     f32 sums: widening over (r, s, c) from the bias on; narrowing over 8 (f32 4) channels and the rows of the
//              filter, then from the bias on over its columns and all channels. A pixel outside the image multiplies w by 0:
//              w that is not finite shows there too
// Determinism  run-to-run, and the same on every device: each result is summed in a fixed order
// Cost         18*N*H*W*K*C flop as multiply-adds; the wide side is written once, or read 18/16 times for each channel of the
//              narrow one, all but once from L2. N=512, 32x32, C=32, K=1: 0.3 GFLOP, 35 MB in bf16: 8 us at 4.3 TB/s, 5 us of
//              multiply-adds
// Reference    Conv2dReference, Conv2dReference.backwardData (double)
#include "conv2d.cuh"
#include "packed.cuh"

constexpr int NARROW_THREADS = 128, WIDENED_ROWS = 16, NARROWED_ROWS = 16;

// COUNT values of a result.
template <int COUNT>
__device__ __forceinline__ void store_values(float* to, const float (&x)[COUNT]) {
    if constexpr (COUNT == 4) *reinterpret_cast<uint4*>(to) = pack(x);
    else *reinterpret_cast<float2*>(to) = make_float2(x[0], x[1]);
}
template <int COUNT>
__device__ __forceinline__ void store_values(bf16* to, const float (&x)[COUNT]) {
    if constexpr (COUNT == 8) *reinterpret_cast<uint4*>(to) = pack(x);
    else if constexpr (COUNT == 4) *reinterpret_cast<uint2*>(to) = make_uint2(pack_bf16(x[0], x[1]), pack_bf16(x[2], x[3]));
    else *reinterpret_cast<unsigned*>(to) = pack_bf16(x[0], x[1]);
}

// From FEW channels: COUNT of the many a thread. Of RING rows the neighbours in x are held or on their way.
template <class T, bool BACKWARD, int FEW, int COUNT, int RING>
struct Widening {
    const Conv2dArgs& a;
    int wide, channel;
    float filter[9][FEW][COUNT], bias[COUNT];
    float near[RING][3][FEW]; // by row modulo RING, column and channel

    __device__ __forceinline__ Widening(const Conv2dArgs& a, int wide, int channel) : a(a), wide(wide), channel(channel) {
        const T* w = (const T*)a.w;
#pragma unroll
        for (int e = 0; e < COUNT; e++) {
            bias[e] = BACKWARD || a.bias == nullptr ? 0.0f : a.bias[channel + e];
#pragma unroll
            for (int i = 0; i < 9 * FEW; i++) {
                int tap = i / FEW, c = i % FEW;
                int at = BACKWARD ? (c * 9 + 8 - tap) * wide + channel + e : (channel + e) * 9 * FEW + i;
                filter[tap][c][e] = to_float(w[at]);
            }
        }
    }

    // Up to WIDENED_ROWS rows of a column.
    __device__ __forceinline__ void make_column(const Walk& at) {
        int first = at.middle * WIDENED_ROWS, column = at.low, rows = min(WIDENED_ROWS, a.height - first);
        int64_t corner = ((int64_t)at.high * a.height + first) * a.width + column;
        const T* from = (const T*)(BACKWARD ? a.y : a.x) + corner * FEW;
        T* to = (T*)(BACKWARD ? a.x : a.y) + corner * wide + channel;
        auto load = [&](int row, float (&into)[3][FEW]) {
            bool there = (unsigned)(first + row) < (unsigned)a.height && row <= rows;
#pragma unroll
            for (int s = 0; s < 3; s++) {
                bool inside = there && (unsigned)(column + s - 1) < (unsigned)a.width;
                const T* pixel = from + (row * a.width + s - 1) * FEW;
#pragma unroll
                for (int c = 0; c < FEW; c++) into[s][c] = inside ? to_float(pixel[c]) : 0.0f;
            }
        };
#pragma unroll
        for (int j = 0; j < RING - 1; j++) load(j - 1, near[j]);
        for (int i = 0; i < rows; i += RING) {
#pragma unroll
            for (int j = 0; j < RING; j++) {
                load(i + j + RING - 2, near[(j + RING - 1) % RING]);
                float sum[COUNT];
#pragma unroll
                for (int e = 0; e < COUNT; e++) sum[e] = bias[e];
#pragma unroll
                for (int tap = 0; tap < 9; tap++) {
#pragma unroll
                    for (int c = 0; c < FEW; c++) {
#pragma unroll
                        for (int e = 0; e < COUNT; e++) {
                            sum[e] += near[(j + tap / 3) % RING][tap % 3][c] * filter[tap][c][e];
                        }
                    }
                }
                if (i + j < rows) store_values(to + (i + j) * (a.width * wide), sum);
            }
        }
    }
};

template <class T, bool BACKWARD, int FEW, int COUNT, int RING>
__device__ __forceinline__ void conv2d_widen(const Conv2dArgs& a) {
    int wide = BACKWARD ? a.channels : a.filters, slices = wide / COUNT, across = min(slices, NARROW_THREADS);
    int slots = NARROW_THREADS / across, slot = threadIdx.x / across;
    int slice = blockIdx.y * across + (int)threadIdx.x - slot * across;
    if (slot >= slots || slice >= slices) return;
    Widening<T, BACKWARD, FEW, COUNT, RING> widening(a, wide, slice * COUNT);
    int bands = (a.height + WIDENED_ROWS - 1) / WIDENED_ROWS, units = a.images * bands * a.width;
    for (int unit = blockIdx.x * slots + slot; unit < units; unit += gridDim.x * slots) {
        widening.make_column(Walk::of(unit, bands, a.width));
    }
}

// By the number of the few channels.
template <class T, bool BACKWARD>
__device__ __forceinline__ void conv2d_widen(const Conv2dArgs& a) {
    constexpr int MOST = PACKED<T>;
    switch (BACKWARD ? a.filters : a.channels) {
    case 1: return conv2d_widen<T, BACKWARD, 1, MOST, 6>(a);
    case 2: return conv2d_widen<T, BACKWARD, 2, 4, 4>(a);
    case 3: return conv2d_widen<T, BACKWARD, 3, 2, 4>(a);
    case 4: return conv2d_widen<T, BACKWARD, 4, 2, 3>(a);
    }
}

// Which columns of which 16 bytes a thread has: `chunk` is the faster one.
struct NarrowPlace {
    int chunks, slots, slot, chunk;

    __device__ __forceinline__ explicit NarrowPlace(int chunks)
        : chunks(chunks), slots(NARROW_THREADS / chunks), slot(threadIdx.x / chunks), chunk(threadIdx.x - slot * chunks) {}
};

// The sums of one of the few channels, `one`, over columns from `first` on and rows from `row` on.
template <class T, bool BACKWARD>
struct Narrowing {
    static constexpr int CHUNK = PACKED<T>, BUFFER = NARROW_THREADS + 32, AHEAD = 3;

    const Conv2dArgs& a;
    int few, wide, one;
    NarrowPlace place;
    int halo, step; // columns on either side that belong to other blocks, and those that are made
    int pitch;      // of a chunk's sums: those of a warp lie in different banks
    int columns, first, row, rows; // of all images; of this block

    __device__ __forceinline__ explicit Narrowing(const Conv2dArgs& a)
        : a(a), few(BACKWARD ? a.channels : a.filters), wide(BACKWARD ? a.filters : a.channels), one(blockIdx.y),
          place(wide / CHUNK) {
        halo = place.slots % a.width == 0 ? 0 : 1;
        step = place.slots - 2 * halo;
        pitch = place.slots + 32 / place.chunks;
        columns = a.images * a.width;
        int bands = (a.height + NARROWED_ROWS - 1) / NARROWED_ROWS, piece = blockIdx.x / bands;
        first = piece * step - halo;
        row = ((int)blockIdx.x - piece * bands) * NARROWED_ROWS;
        rows = min(NARROWED_ROWS, a.height - row);
    }

    // The filter of `one`, of this thread's channels.
    __device__ __forceinline__ void load_filter(float (&filter)[9][CHUNK]) const {
        const T* w = (const T*)a.w;
        int channel = place.chunk * CHUNK;
#pragma unroll
        for (int tap = 0; tap < 9; tap++) {
            if constexpr (BACKWARD) {
#pragma unroll
                for (int e = 0; e < CHUNK; e++) filter[tap][e] = to_float(w[((channel + e) * 9 + 8 - tap) * few + one]);
            } else {
                unpack(*reinterpret_cast<const uint4*>(w + (one * 9 + tap) * wide + channel), filter[tap]);
            }
        }
    }

    // To parts[column of the filter][row][chunk,slot]: what a pixel's channels add to results of each row.
    __device__ __forceinline__ void sum_columns(float* parts) const {
        int column = first + place.slot, image = column / a.width;
        bool inside = place.slot < place.slots && column >= 0 && column < columns;
        int between = a.width * wide; // from row to row
        const T* from = (const T*)(BACKWARD ? a.y : a.x) + place.chunk * CHUNK;
        if (inside) from += (int64_t)image * a.height * between + (column - image * a.width) * wide;
        auto load = [&](int i) { // row i of those read
            int h = row + i - 1;
            bool there = inside && i < rows + 2 && (unsigned)h < (unsigned)a.height;
            return there ? *reinterpret_cast<const uint4*>(from + h * between) : make_uint4(0, 0, 0, 0);
        };
        float filter[9][CHUNK];
        uint4 next[AHEAD];
#pragma unroll
        for (int j = 0; j < AHEAD; j++) next[j] = load(j);
        load_filter(filter);
        float sum[3][3] = {}; // of rows of the result, by their number modulo 3, and columns of the filter
        float* mine = parts + place.chunk * pitch + place.slot;
        for (int i = 0; i < rows + 2; i += AHEAD) {
            uint4 now[AHEAD];
#pragma unroll
            for (int j = 0; j < AHEAD; j++) now[j] = next[j];
#pragma unroll
            for (int j = 0; j < AHEAD; j++) next[j] = load(i + AHEAD + j);
#pragma unroll
            for (int j = 0; j < AHEAD; j++) {
                float value[CHUNK];
                unpack(now[j], value);
                float(&below)[3] = sum[j], (&here)[3] = sum[(j + 2) % 3], (&above)[3] = sum[(j + 1) % 3];
#pragma unroll
                for (int s = 0; s < 3; s++) {
                    below[s] = 0;
#pragma unroll
                    for (int e = 0; e < CHUNK; e++) {
                        below[s] += value[e] * filter[s][e];
                        here[s] += value[e] * filter[3 + s][e];
                        above[s] += value[e] * filter[6 + s][e];
                    }
                }
                int done = i + j - 2;
                if (place.slot < place.slots && done >= 0 && done < rows) {
#pragma unroll
                    for (int s = 0; s < 3; s++) mine[(s * NARROWED_ROWS + done) * BUFFER] = above[s];
                }
            }
        }
    }

    __device__ __forceinline__ void store(const float* parts) const {
        float bias = BACKWARD || a.bias == nullptr ? 0.0f : a.bias[one];
        T* out = (T*)(BACKWARD ? a.x : a.y) + one;
        for (int i = threadIdx.x; i < rows * step; i += NARROW_THREADS) {
            int line = i / step, slot = i - line * step + halo, column = first + slot;
            if (column >= columns) continue;
            int image = column / a.width, w = column - image * a.width;
            float total = bias;
            for (int s = 0; s < 3; s++) {
                if ((unsigned)(w + s - 1) >= (unsigned)a.width) continue;
                const float* part = parts + (s * NARROWED_ROWS + line) * BUFFER + slot + s - 1;
                for (int chunk = 0; chunk < place.chunks; chunk++) total += part[chunk * pitch];
            }
            int64_t pixel = ((int64_t)image * a.height + row + line) * a.width + w;
            out[pixel * few] = from_float<T>(total);
        }
    }
};

template <class T, bool BACKWARD>
__device__ __forceinline__ void conv2d_narrow(const Conv2dArgs& a) {
    __shared__ float parts[3 * NARROWED_ROWS * Narrowing<T, BACKWARD>::BUFFER];
    Narrowing<T, BACKWARD> narrowing(a);
    narrowing.sum_columns(parts);
    __syncthreads(); // all sums are there
    narrowing.store(parts);
}

KERNEL_RESIDENT(conv2d_stem_f32, Conv2dArgs, NARROW_THREADS, 3) { conv2d_widen<float, false>(a); }
KERNEL_RESIDENT(conv2d_stem_bf16, Conv2dArgs, NARROW_THREADS, 3) { conv2d_widen<bf16, false>(a); }
KERNEL_RESIDENT(conv2d_backward_data_head_f32, Conv2dArgs, NARROW_THREADS, 3) { conv2d_widen<float, true>(a); }
KERNEL_RESIDENT(conv2d_backward_data_head_bf16, Conv2dArgs, NARROW_THREADS, 3) { conv2d_widen<bf16, true>(a); }

KERNEL_RESIDENT(conv2d_head_f32, Conv2dArgs, NARROW_THREADS, 4) { conv2d_narrow<float, false>(a); }
KERNEL_RESIDENT(conv2d_head_bf16, Conv2dArgs, NARROW_THREADS, 4) { conv2d_narrow<bf16, false>(a); }
KERNEL_RESIDENT(conv2d_backward_data_stem_f32, Conv2dArgs, NARROW_THREADS, 4) { conv2d_narrow<float, true>(a); }
KERNEL_RESIDENT(conv2d_backward_data_stem_bf16, Conv2dArgs, NARROW_THREADS, 4) { conv2d_narrow<bf16, true>(a); }
