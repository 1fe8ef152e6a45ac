// conv2d_taps_drawn.cu: the beginning of a training step of a network with one channel: a batch is gathered, noise and times are drawn,
// the one is added to the other, and the stem convolves what comes out.
//
// Math         x0 as `batch`, noise as `normal`, t as `index` of random.cu; noised = signal[t] x0 + level[t] noise, rounded to
//              bf16; y as conv2d_taps_stem of it
// Shapes       as StemDrawArgs
// Layout       C fastest
// Requires     as conv2d_taps_stem; the numbers of the batch's first element of noise and elements of an image multiples of 4
// Tiling       as conv2d_taps_stem; a block draws what its piece's border has as well, and the first column of blocks writes what
//              others read
// Numerics     all draws, x0, noise and noised have the bits of the launches that this stands for; y as conv2d_taps.cu
// Determinism  the same numbers for (seed, step, element), whatever the launch
// Cost         as conv2d_taps_stem, and about 60 instructions for each element of a piece and its border, 9/8 of the batch at
//              32x32. NOT MEASURED
// Reference    BatchReference, RandomNormalReference, RandomIndexReference, MixReference, Conv2dReference
#include "draws.cuh"
#include "taps.cuh"

struct StemDrawArgs {
    const void* stored;   // [M,height,width] u8 or f32
    const int32_t* step;  // [1]
    const float* signal;  // [times]
    const float* level;   // [times]
    const void* w;        // [filters,3,3]
    const float* bias;    // [filters] or null
    void* y;              // [count,height,width,filters]
    void* noised;         // [count,height,width] bf16
    float* noise;         // [count,height,width]
    int32_t* t;           // [count]
    float* x0;            // [count,height,width] or null
    int32_t* index;       // [count] or null
    int64_t stride;       // samples of a step, over all lanes
    int64_t first;        // place in the whole batch
    int64_t first_noise;
    int64_t first_time;
    uint64_t batch_seed;
    uint64_t noise_seed;
    uint64_t time_seed;
    int count;
    int images; // M
    int height;
    int width;
    int filters;
    int times;
    int low; // of t
    int values;
    int bytes; // of a stored value: 1 or 4
    int shuffle;
    int flip;
    int purpose_order;
    int purpose_augment;
    int purpose_noise;
    int purpose_time;
    float factor;
    float shift;
};
LAYOUT(StemDrawArgs, stored, step, signal, level, w, bias, y, noised, noise, t, x0, index, stride, first, first_noise, first_time,
       batch_seed, noise_seed, time_seed, count, images, height, width, filters, times, low, values, bytes, shuffle, flip,
       purpose_order, purpose_augment, purpose_noise, purpose_time, factor, shift)

// An image of the batch, and its time.
struct DrawnImage {
    BatchImage of;
    int t;
    float signal, level;

    __device__ __forceinline__ DrawnImage(const StemDrawArgs& a, int j) : of(a, a.batch_seed, j) {
        uint32_t word = element_word(a.time_seed, a.first_time + j, a.step[0], a.purpose_time);
        t = a.low + (int)draw_below(word, (uint32_t)a.values);
        int row = min(max(t, 0), a.times - 1);
        signal = a.signal[row], level = a.level[row];
    }

    __device__ __forceinline__ float stored(const StemDrawArgs& a, int row, int column) const {
        int64_t at = (int64_t)of.image * a.height * a.width + row * a.width + (of.mirrored ? a.width - 1 - column : column);
        float value = a.bytes == 1 ? (float)((const uint8_t*)a.stored)[at] : ((const float*)a.stored)[at];
        return __fmaf_rn(a.factor, value, a.shift);
    }
};

// Four neighbours of an image's row, from `column` on.
struct Drawn {
    float x0[4], noise[4];
    uint2 noised;

    __device__ __forceinline__ Drawn(const StemDrawArgs& a, const DrawnImage& image, int j, int row, int column) {
        int64_t element = a.first_noise + (int64_t)j * a.height * a.width + row * a.width + column;
        uint32_t words[4];
        philox(a.noise_seed, (uint64_t)(element / 4), (uint32_t)a.step[0], (uint32_t)a.purpose_noise, words);
        draw_normals(words[0], words[1], noise, noise + 1);
        draw_normals(words[2], words[3], noise + 2, noise + 3);
        float mixed[4];
        for (int i = 0; i < 4; i++) {
            x0[i] = image.stored(a, row, column + i);
            mixed[i] = __fmaf_rn(image.signal, x0[i], __fmul_rn(image.level, noise[i]));
        }
        noised = make_uint2(pack_bf16(mixed[0], mixed[1]), pack_bf16(mixed[2], mixed[3]));
    }

    __device__ __forceinline__ void write(const StemDrawArgs& a, int64_t pixel) const {
        *(uint2*)((bf16*)a.noised + pixel) = noised;
        *(float4*)(a.noise + pixel) = make_float4(noise[0], noise[1], noise[2], noise[3]);
        if (a.x0 != nullptr) *(float4*)(a.x0 + pixel) = make_float4(x0[0], x0[1], x0[2], x0[3]);
    }
};

// As Taps::load of what is drawn. WRITES: and to memory, what is not border.
__device__ __forceinline__ void draw(const StemDrawArgs& a, const Taps& taps, const Pieces::Piece& piece, int j, bool writes) {
    DrawnImage image(a, j);
    if (writes && piece.row == 0 && threadIdx.x == 0) {
        a.t[j] = image.t;
        if (a.index != nullptr) a.index[j] = (int32_t)image.of.image;
    }
    int fours = a.width / 4;
#pragma unroll 1
    for (int i = threadIdx.x; i < (piece.rows + 2) * fours; i += TAPS_THREADS) {
        int h = i / fours, column = (i - h * fours) * 4, row = piece.row + h - 1;
        uint2 noised = make_uint2(0, 0);
        if ((unsigned)row < (unsigned)a.height) {
            Drawn drawn(a, image, j, row, column);
            noised = drawn.noised;
            if (writes && h > 0 && h <= piece.rows) drawn.write(a, piece.first + (h - 1) * a.width + column);
        }
        bf16* to = taps.near + h * taps.pitch + column + 1;
        for (int n = 0; n < 4; n++) to[n] = {(uint16_t)((n < 2 ? noised.x : noised.y) >> n % 2 * 16)};
        if (column == 0) to[-1] = {0};
        if (column + 4 == a.width) to[4] = {0};
    }
}

template <int TILES>
__device__ __forceinline__ void conv2d_taps_drawn(const StemDrawArgs& a) {
    __shared__ uint4 matrix[TAPS_MATRIX / 8];
    __shared__ bf16 near[MOST_NEAR];
    Pieces pieces(a.height, a.width);
    Taps taps(pieces, (bf16*)matrix, near);
    TapFilters<TILES> filters((const bf16*)a.w, a.bias, a.filters, blockIdx.y * 8 * TILES, false);
    taps.fill_rest(0);
    int count = a.count * pieces.bands;
#pragma unroll 1
    for (int index = blockIdx.x; index < count; index += gridDim.x) {
        auto piece = pieces[index];
        draw(a, taps, piece, index / pieces.bands, blockIdx.y == 0);
        __syncthreads(); // the values are there, and nobody reads the matrix any more
        taps.spread(piece);
        __syncthreads(); // the matrix is there
        filters.multiply(taps, piece, (bf16*)a.y, a.filters);
    }
}

KERNEL_RESIDENT(conv2d_taps_drawn_8, StemDrawArgs, TAPS_THREADS, 3) { conv2d_taps_drawn<1>(a); }
KERNEL_RESIDENT(conv2d_taps_drawn_16, StemDrawArgs, TAPS_THREADS, 3) { conv2d_taps_drawn<2>(a); }
KERNEL_RESIDENT(conv2d_taps_drawn_32, StemDrawArgs, TAPS_THREADS, 3) { conv2d_taps_drawn<4>(a); }
KERNEL_RESIDENT(conv2d_taps_drawn_64, StemDrawArgs, TAPS_THREADS, 2) { conv2d_taps_drawn<8>(a); }
