// random.cu: everything drawn on the device: normals, indices, dropout, the training batch, and the sinusoids of the
// diffusion times, which are a table of fixed numbers.
//
// Math         normal       y[i] = normal number `first + i` of (seed, step, purpose)
//              index        y[i] = low + floor(word * values / 2^32), word number `first + i`
//              dropout      y = x / (1 - rate) where the element's word is at least `threshold`, else 0
//              batch        x[j] = factor * stored[image of position step * stride + first + j] + shift, mirrored left
//                           to right if the top bit of AUGMENT word `first + j` is set
//              sinusoids    y[n,i] = sin(t[n] f[i]), y[n,half+i] = cos(t[n] f[i]), halves exchanged by `cosine_first`
// Shapes       normal, index [n]; dropout [N,...,C]; batch data [M,H,W,C], x [count,H,W,C]; sinusoids t [N], y [N,2 half]
// Layout       C fastest
// Requires     nothing
// Tiling       normal: one thread per Philox block of four; element dropout: one per 16 bytes; channel dropout: one
//              per 8 times 16 bytes of the same channels; otherwise one per element: the images of a batch find their
//              index once per element, 40 integer operations beside a memory access
// Numerics     draws have the bits of dev.rote.random on every device; factor * stored + shift is one fma; sin and cos
//              of t f in double, as arguments reach 1000 radians
// Determinism  the same numbers for (seed, step, element), whatever the launch
// Cost         about 100 integer operations per Philox block; one write, and for `batch` one read of the stored type
// Reference    RandomNormalReference, RandomIndexReference, DropoutReference, BatchReference,
//              SinusoidalEmbeddingReference; Salmon et al. 2011; Box and Muller 1958
#include "draws.cuh"
#include "packed.cuh"

struct NormalArgs {
    float* y; // [n]
    const int32_t* step;
    int64_t n;
    int64_t first;
    uint64_t seed;
    int purpose;
};
LAYOUT(NormalArgs, y, step, n, first, seed, purpose)

// Thread b draws Philox block first / 4 + b, of which only elements first ... first + n - 1 are wanted.
KERNEL(random_normal, NormalArgs, 256) {
    int64_t b = a.first / 4 + blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (4 * b >= a.first + a.n) return;
    uint32_t w[4];
    philox(a.seed, (uint64_t)b, (uint32_t)a.step[0], (uint32_t)a.purpose, w);
    float z[4];
    draw_normals(w[0], w[1], z, z + 1);
    draw_normals(w[2], w[3], z + 2, z + 3);
    for (int lane = 0; lane < 4; lane++) {
        int64_t i = 4 * b + lane - a.first;
        if (i >= 0 && i < a.n) a.y[i] = z[lane];
    }
}

struct IndexArgs {
    int32_t* y; // [n]
    const int32_t* step;
    int64_t n;
    int64_t first;
    uint64_t seed;
    int purpose;
    int low;
    int values; // how many integers there are to choose from
};
LAYOUT(IndexArgs, y, step, n, first, seed, purpose, low, values)

KERNEL(random_index, IndexArgs, 256) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    uint32_t word = element_word(a.seed, a.first + i, a.step[0], a.purpose);
    a.y[i] = a.low + (int)draw_below(word, (uint32_t)a.values);
}

struct DropoutArgs {
    const void* x; // [N,...,C]
    void* y;
    const int32_t* step;
    int64_t n;         // elements
    int64_t per_image; // elements of an image
    int64_t first;     // number of the first word: of element 0, or of image 0's channel 0
    uint64_t seed;
    int purpose;
    int channels;  // one word per channel of an image; 0: one per element
    int packed; // x and y are aligned to 16 bytes, first and n (of channels: first and the channels) to a pack, and
                // there are at most 256 packs of channels
    uint32_t threshold;
    float kept; // 1 / (1 - rate)
};
LAYOUT(DropoutArgs, x, y, step, n, per_image, first, seed, purpose, channels, packed, threshold, kept)

// A thread has the elements of 16 bytes: one block of four random words in f32, two in bf16.
template <class T>
__device__ __forceinline__ void drop_elements(const DropoutArgs& a) {
    constexpr int SIZE = PACKED<T>;
    int64_t first = a.first / 4 * 4 + (blockIdx.x * (int64_t)blockDim.x + threadIdx.x) * SIZE;
    if (first >= a.first + a.n) return;
    uint32_t word[SIZE];
    element_words(a.seed, first, SIZE, a.step[0], a.purpose, word);
    if (a.packed) {
        float x[SIZE];
        unpack(((const uint4*)a.x)[(first - a.first) / SIZE], x);
#pragma unroll
        for (int i = 0; i < SIZE; i++) x[i] *= word[i] >= a.threshold ? a.kept : 0.0f;
        ((uint4*)a.y)[(first - a.first) / SIZE] = pack(x);
        return;
    }
#pragma unroll
    for (int lane = 0; lane < SIZE; lane++) {
        int64_t i = first + lane - a.first;
        if (i >= 0 && i < a.n) {
            float x = to_float(((const T*)a.x)[i]);
            ((T*)a.y)[i] = from_float<T>(x * (word[lane] >= a.threshold ? a.kept : 0.0f));
        }
    }
}

// The CPU device's affine rows add a zero, which turns -0 into +0.
__device__ __forceinline__ float dropped(float x, uint32_t word, const DropoutArgs& a) {
    return __fadd_rn(__fmul_rn(x, word >= a.threshold ? a.kept : 0.0f), 0.0f);
}

constexpr int DROPPED_PACKS = 8; // of a thread, all of the same channels

// As many threads of the block as a multiple of the packs of a pixel; a block has a stretch of one image.
template <class T>
__device__ __forceinline__ void drop_packed_channels(const DropoutArgs& a) {
    constexpr int SIZE = PACKED<T>;
    int packs = a.channels / SIZE, threads = 256 / packs * packs, thread = threadIdx.x;
    int per_image = (int)(a.per_image / SIZE), per_block = threads * DROPPED_PACKS;
    int blocks = (per_image + per_block - 1) / per_block; // of an image
    int64_t image = blockIdx.x / blocks;
    int first = (int)(blockIdx.x % blocks) * per_block + thread;
    if (thread >= threads) return;
    uint32_t word[SIZE];
    int64_t element = a.first + image * a.channels + thread % packs * SIZE;
    element_words(a.seed, element, SIZE, a.step[0], a.purpose, word);
    const uint4* from = (const uint4*)a.x + image * per_image;
    uint4* to = (uint4*)a.y + image * per_image;
    uint4 packed[DROPPED_PACKS];
#pragma unroll
    for (int k = 0; k < DROPPED_PACKS; k++) {
        if (first + k * threads < per_image) packed[k] = from[first + k * threads];
    }
#pragma unroll
    for (int k = 0; k < DROPPED_PACKS; k++) {
        if (first + k * threads >= per_image) break;
        float x[SIZE];
        unpack(packed[k], x);
        for (int i = 0; i < SIZE; i++) x[i] = dropped(x[i], word[i], a);
        to[first + k * threads] = pack(x);
    }
}

template <class T>
__device__ __forceinline__ void drop_channels(const DropoutArgs& a) {
    if (a.packed) {
        drop_packed_channels<T>(a);
        return;
    }
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    int64_t element = a.first + i / a.per_image * a.channels + i % a.channels;
    float x = to_float(((const T*)a.x)[i]);
    ((T*)a.y)[i] = from_float<T>(dropped(x, element_word(a.seed, element, a.step[0], a.purpose), a));
}

KERNEL(dropout_elements_f32, DropoutArgs, 256) { drop_elements<float>(a); }
KERNEL(dropout_elements_bf16, DropoutArgs, 256) { drop_elements<bf16>(a); }
KERNEL(dropout_channels_f32, DropoutArgs, 256) { drop_channels<float>(a); }
KERNEL(dropout_channels_bf16, DropoutArgs, 256) { drop_channels<bf16>(a); }

struct BatchArgs {
    const void* stored;    // [M,H,W,C] u8 or f32
    const int32_t* step;   // [1]
    const int32_t* labels; // [M]; null if there are none
    float* x;              // [count,H,W,C]
    int32_t* index;        // [count]
    int32_t* label;        // [count]
    int64_t stride;        // samples of a step, over all lanes
    int64_t first;
    uint64_t seed;
    int64_t per_image;
    int count;
    int images; // M
    int width;
    int channels;
    int shuffle;
    int flip;
    int purpose_order;
    int purpose_augment;
    float factor;
    float shift;
};
LAYOUT(BatchArgs, stored, step, labels, x, index, label, stride, first, seed, per_image, count, images, width, channels,
       shuffle, flip, purpose_order, purpose_augment, factor, shift)

template <class Stored>
__device__ __forceinline__ void batch(const BatchArgs& a) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.count * a.per_image) return;
    int j = (int)(i / a.per_image);
    int at = (int)(i % a.per_image);
    BatchImage of(a, a.seed, j);
    if (at == 0) {
        a.index[j] = (int32_t)of.image;
        if (a.labels != nullptr) a.label[j] = a.labels[of.image];
    }
    if (of.mirrored) {
        int column = at / a.channels % a.width;
        at += (a.width - 1 - 2 * column) * a.channels;
    }
    float value = (float)((const Stored*)a.stored)[of.image * a.per_image + at];
    a.x[i] = __fmaf_rn(a.factor, value, a.shift);
}

KERNEL(batch_f32, BatchArgs, 256) { batch<float>(a); }
KERNEL(batch_u8, BatchArgs, 256) { batch<uint8_t>(a); }

struct SinusoidsArgs {
    const float* t;          // [n]
    const double* frequency; // [half]
    float* y;                // [n, 2 half]
    int64_t n;
    int half;
    int cosine_first;
};
LAYOUT(SinusoidsArgs, t, frequency, y, n, half, cosine_first)

KERNEL(sinusoids, SinusoidsArgs, 256) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n * a.half) return;
    int64_t row = i / a.half;
    int k = (int)(i % a.half);
    double angle = (double)a.t[row] * a.frequency[k];
    float* y = a.y + row * 2 * a.half;
    y[k + (a.cosine_first ? a.half : 0)] = (float)sin(angle);
    y[k + (a.cosine_first ? 0 : a.half)] = (float)cos(angle);
}
