// nearest_split.cu: prepares vectors for the exact nearest-neighbour search: centre, split into bf16 and rest, norms.
//
// Math         centre = mean of the vectors   x = v - centre   hi = bf16(x), 0 below 2^-100   lo = x - hi
//              terms and base as in common/nearest.cuh; 8-bit: x = v - 128, hi = x, lo = 0
// Shapes       v [rows,d] f32 or u8   centre [d] f32   partial [chunks,d] f64   hi [padded,depth] bf16 or s8
//              terms [padded]   base [padded] f64   invalid [1] i32, vectors that are not finite
// Layout       d fastest; hi in tiles (nearest_at), padded with zeros to whole ones
// Requires     depthBytes % 128 == 0, padded % 64 == 0, padded >= rows; blocks of 128 threads, of 256 for the mean
// Tiling       split: a block per vector, which it reads twice, the second time from the first-level cache.
//              mean: a thread per column and chunk of vectors, then one per column
// Numerics     norms and mean in f64 (a square of an f32 is exact there); x rounded once to f32; norms rounded up, c
//              down by 2^-17 at least. A vector longer than 2^60 gets hi = 0 and a key that is below everything
// Determinism  run-to-run: fixed-order sums, an integer counter
// Cost         6 bytes per value: memory-bound. 10,000 x 1,024: 61 MB, 15 us at 4.3 TB/s
// Reference    NearestNeighboursReference; common/nearest.cuh
#include "nearest.cuh"

struct NearestMeanArgs {
    const float* v;  // [rows,d]
    double* partial; // [chunks,d]
    float* centre;   // [d]
    int64_t rows;
    int d;
    int chunks;
};
LAYOUT(NearestMeanArgs, v, partial, centre, rows, d, chunks)

KERNEL_ALONE(nearest_mean_partial, NearestMeanArgs, 256) {
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= a.d) return;
    int64_t share = (a.rows + a.chunks - 1) / a.chunks, first = blockIdx.y * share;
    int64_t last = first + share < a.rows ? first + share : a.rows;
    double sum = 0;
#pragma unroll 8
    for (int64_t row = first; row < last; row++) sum += (double)a.v[row * a.d + column];
    a.partial[(int64_t)blockIdx.y * a.d + column] = sum;
}

KERNEL_ALONE(nearest_mean, NearestMeanArgs, 256) {
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= a.d) return;
    double sum = 0;
    for (int chunk = 0; chunk < a.chunks; chunk++) sum += a.partial[(int64_t)chunk * a.d + column];
    a.centre[column] = (float)(sum / (double)a.rows);
}

struct NearestSplitArgs {
    const void* v;       // [rows,d] f32 or u8
    const float* centre; // [d], null for u8
    void* hi;            // [padded,depth] bf16 or s8
    NearestTerms* terms; // [padded]
    double* base;        // [padded]
    int* invalid;        // [1]
    int64_t rows;
    int d;
    int depth_bytes;
};
LAYOUT(NearestSplitArgs, v, centre, hi, terms, base, invalid, rows, d, depth_bytes)

struct SplitSums {
    double whole, high, low; // squares
};

__device__ __forceinline__ void store_terms(const NearestSplitArgs& a, int64_t row, SplitSums s, bool usable) {
    double norm = s.whole > s.high ? s.whole : s.high;
    if (!usable) {
        a.terms[row] = {-NEAREST_LARGE, 0, 0, 0};
        a.base[row] = -(double)INFINITY;
        return;
    }
    float c = (float)(s.whole / 2 - norm * 0x1p-17 - 0x1p-100);
    a.terms[row] = {c, (float)(sqrt(norm) * (1 + 0x1p-20)), (float)(sqrt(s.low) * (1 + 0x1p-20)), 0};
    a.base[row] = s.whole - norm * 0x1p-21;
}

__device__ __forceinline__ void store_padding(const NearestSplitArgs& a, int64_t row) {
    a.terms[row] = {NEAREST_LARGE, 0, 0, 0};
    a.base[row] = 0;
}

KERNEL_ALONE(nearest_split_f32, NearestSplitArgs, 128, 10) {
    __shared__ double scratch[32];
    int64_t row = blockIdx.x;
    const float* v = static_cast<const float*>(a.v) + row * a.d;
    bool padding = row >= a.rows;
    auto split = [&](float x) { return fabsf(x) < 0x1p-100f ? bf16 {0} : from_float<bf16>(x); };
    SplitSums s = {};
    int odd = 0;
    if (!padding) {
#pragma unroll 4
        for (int i = threadIdx.x; i < a.d; i += 128) {
            float value = v[i], x = value - a.centre[i];
            float high = to_float(split(x)), low = x - high;
            s.whole = fma((double)x, (double)x, s.whole);
            s.high = fma((double)high, (double)high, s.high);
            s.low = fma((double)low, (double)low, s.low);
            odd |= !(fabsf(value) <= 0x1.fffffep127f);
        }
    }
    s.whole = block_sum(s.whole, scratch);
    s.high = block_sum(s.high, scratch);
    s.low = block_sum(s.low, scratch);
    odd = block_sum((double)odd, scratch) != 0;
    bool usable = s.whole <= NEAREST_LONGEST * NEAREST_LONGEST && s.high <= NEAREST_LONGEST * NEAREST_LONGEST; // no NaN
    for (int i = threadIdx.x; i < a.depth_bytes / 2; i += 128) {
        bf16 high = padding || !usable || i >= a.d ? bf16 {0} : split(v[i] - a.centre[i]);
        *reinterpret_cast<bf16*>(static_cast<char*>(a.hi) + nearest_at(row, 2 * i, a.depth_bytes)) = high;
    }
    if (threadIdx.x != 0) return;
    if (padding) {
        store_padding(a, row);
    } else {
        store_terms(a, row, s, usable);
        if (odd) atomicAdd(a.invalid, 1);
    }
}

KERNEL_ALONE(nearest_split_u8, NearestSplitArgs, 128) {
    __shared__ double scratch[32];
    int64_t row = blockIdx.x;
    const uint8_t* v = static_cast<const uint8_t*>(a.v) + row * a.d;
    bool padding = row >= a.rows;
    double square = 0;
    for (int i = threadIdx.x; i < a.depth_bytes; i += 128) {
        int x = padding || i >= a.d ? 0 : (int)v[i] - 128;
        static_cast<int8_t*>(a.hi)[nearest_at(row, i, a.depth_bytes)] = (int8_t)x;
        square += (double)(x * x);
    }
    square = block_sum(square, scratch);
    if (threadIdx.x != 0) return;
    if (padding) store_padding(a, row);
    else store_terms(a, row, {square, square, 0}, true);
}
