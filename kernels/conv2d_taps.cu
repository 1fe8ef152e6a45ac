// conv2d_taps.cu: 3x3 convolutions with a single channel on one side in bf16 on tensor cores: from one channel to many (a stem, and
// backward data of a head), and the weight gradients of both.
//
// Math         conv2d_taps_stem                      y[n,p,q,k] = bias[k] + sum_{r,s} x[n,p+r-1,q+s-1] w[k,r,s], x zero outside
//              conv2d_taps_backward_data_head        dx[n,h,w,c] = sum_{r,s} dy[n,h+1-r,w+1-s] w[r,s,c]
//              conv2d_taps_backward_weight_stem      dw[k,r,s] = sum_{n,p,q} dy[n,p,q,k] x[n,p+r-1,q+s-1]
//              conv2d_taps_backward_weight_head      dw[r,s,c] = sum_{n,h,w} x[n,h,w,c] dy[n,h-r+1,w-s+1]
//              dbias the sums of dy
// Shapes       x, dx [N,H,W,C]   w [K,3,3,C]   y, dy [N,H,W,K], one of C and K 1; dw [K,3,3,C], bias, dbias [K] f32
// Layout       C and K fastest
// Requires     stride 1, padding 1; W a multiple of 16, at most 512; the many channels a multiple of the number in the
//              kernel's name; all but bias 16-byte aligned; one image fits in 31 bits
// Tiling       pieces of up to 512 pixels, as taps.cuh. To many channels: a product [pixels,16 taps][16 taps,channels], the
//              filters in registers, blocks take pieces in turn. Weight gradients: [16 taps,pixels][pixels,channels], of
//              which the many channels come by cp.async while the taps are spread; a block has the pieces of its split and so many
//              channels. The tenth row of the stem's taps is ones: its sums are dbias
// Numerics     f32 sums. A pixel outside the image multiplies w by 0: w that is not finite shows there too
// Determinism  run-to-run, and the same on every device: the number of splits depends on the shapes alone
// Cost         32*N*H*W*K*C flop as products, 18 of which count. N=512, 32x32, 32 channels: 34 MB written, or read: 8 us at
//              4.3 TB/s. NOT MEASURED; conv2d_narrow.cu and conv2d_backward_weight_narrow.cu, with multiply-adds, take 24 to 37 us
// Reference    Conv2dReference, Conv2dReference.backwardData, Conv2dReference.backwardWeight (double)
#include "async_copy.cuh"
#include "conv2d.cuh"
#include "taps.cuh"

// From one channel to 8 TILES of the many.
template <int TILES, bool BACKWARD>
__device__ __forceinline__ void conv2d_taps_widen(const Conv2dArgs& a) {
    __shared__ uint4 matrix[TAPS_MATRIX / 8];
    __shared__ bf16 near[MOST_NEAR];
    const bf16* from = (const bf16*)(BACKWARD ? a.y : a.x);
    int wide = BACKWARD ? a.channels : a.filters;
    Pieces pieces(a.height, a.width);
    Taps taps(pieces, (bf16*)matrix, near);
    TapFilters<TILES> filters((const bf16*)a.w, BACKWARD ? nullptr : a.bias, wide, blockIdx.y * 8 * TILES, BACKWARD);
    taps.fill_rest(0);
    int count = a.images * pieces.bands;
#pragma unroll 1
    for (int index = blockIdx.x; index < count; index += gridDim.x) {
        auto piece = pieces[index];
        taps.load(pieces, piece, from);
        __syncthreads(); // the values are there, and nobody reads the matrix any more
        taps.spread(piece);
        __syncthreads(); // the matrix is there
        filters.multiply(taps, piece, (bf16*)(BACKWARD ? a.x : a.y), wide);
    }
}

// The sums of a block's warps, [WARPS,16,8 TILES] in shared memory, in their order: store(tap, channel, sum).
template <int TILES, class F>
__device__ __forceinline__ void add_warps(const float (&sums)[TILES][4], float* met, F store) {
    constexpr int CHANNELS = 8 * TILES;
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    float* mine = met + (int)threadIdx.x / 32 * 16 * CHANNELS;
#pragma unroll
    for (int n = 0; n < TILES; n++) {
        for (int i = 0; i < 4; i++) mine[(g + i / 2 * 8) * CHANNELS + 8 * n + 2 * t + i % 2] = sums[n][i];
    }
    __syncthreads(); // those of all warps are there
    for (int i = threadIdx.x; i < 10 * CHANNELS; i += TAPS_THREADS) {
        float sum = 0;
#pragma unroll
        for (int w = 0; w < TAPS_WARPS; w++) sum += met[w * 16 * CHANNELS + i];
        store(i / CHANNELS, i % CHANNELS, sum);
    }
}

// Of 8 TILES of the many channels.
template <int TILES, bool HEAD>
__device__ __forceinline__ void conv2d_taps_backward_weight(const Conv2dArgs& a) {
    constexpr int CHANNELS = 8 * TILES, ROW = CHANNELS + 8; // of the many in shared memory
    DYNAMIC_SHARED(bf16, matrix);
    bf16* rows = matrix + TAPS_MATRIX; // [PIECE,ROW]; in the end the sums of the warps
    __shared__ bf16 near[MOST_NEAR];
    __shared__ float totals[TAPS_WARPS];
    const bf16* few = (const bf16*)(HEAD ? a.y : a.x);
    const bf16* many = (const bf16*)(HEAD ? a.x : a.y);
    int wide = HEAD ? a.channels : a.filters, first = blockIdx.x * CHANNELS;
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    Pieces pieces(a.height, a.width);
    Taps taps(pieces, matrix, near);
    taps.fill_rest(HEAD ? 0.0f : 1.0f);
    float sums[TILES][4] = {}, total = 0;
    int begin = blockIdx.y * a.depth_per_split, end = min(begin + a.depth_per_split, a.images * pieces.bands);
#pragma unroll 1
    for (int index = begin; index < end; index++) {
        auto piece = pieces[index];
        if (index > begin) __syncthreads(); // nobody reads the piece before any more
#pragma unroll 4
        for (int i = threadIdx.x; i < PIECE * TILES; i += TAPS_THREADS) {
            int pixel = i / TILES, c = i % TILES * 8;
            bool is = pixel < piece.pixels;
            copy_async<16>(rows + pixel * ROW + c, is ? many + ((piece.first + pixel) * wide + first + c) : many, is);
        }
        commit_copies();
        total += taps.load(pieces, piece, few);
        __syncthreads(); // the values are there
        taps.spread(piece);
        wait_copies<0>();
        __syncthreads(); // the taps and the many channels are there
#pragma unroll 1
        for (int pixel = 16 * warp; pixel < piece.pixels; pixel += 16 * TAPS_WARPS) {
            unsigned left[4];
            taps.get_taps(left, pixel);
            if constexpr (TILES == 1) {
                unsigned right[2];
                load_matrix<2, true>(right, rows + (pixel + lane % 16) * ROW);
                mma_bf16(sums[0], left, right);
            } else {
                const bf16* row = rows + (pixel + lane % 16) * ROW + lane / 16 * 8;
#pragma unroll
                for (int n = 0; n < TILES; n += 2) {
                    unsigned right[4];
                    load_matrix<4, true>(right, row + 8 * n);
                    mma_bf16(sums[n], left, {right[0], right[1]});
                    mma_bf16(sums[n + 1], left, {right[2], right[3]});
                }
            }
        }
    }
    __syncthreads(); // nobody reads the rows any more
    auto to = split_result((float*)a.w, a.bias, a.partial, blockIdx.y, a.filters, 9 * a.channels);
    add_warps(sums, (float*)rows, [&](int tap, int channel, float sum) {
        channel += first;
        if (tap < 9) to.y[HEAD ? (8 - tap) * wide + channel : channel * 9 + tap] = sum;
        else if (!HEAD && to.row_sums != nullptr) to.row_sums[channel] = sum;
    });
    if constexpr (HEAD) {
        if (to.row_sums == nullptr || blockIdx.x > 0) return;
        for (int lanes = 16; lanes > 0; lanes /= 2) total += __shfl_xor_sync(~0u, total, lanes);
        if (lane == 0) totals[warp] = total;
        __syncthreads(); // those of all warps are there
        if (threadIdx.x > 0) return;
        float sum = 0;
        for (int w = 0; w < TAPS_WARPS; w++) sum += totals[w];
        to.row_sums[0] = sum;
    }
}

#define WIDEN(tiles, channels, blocks)                                                                      \
    KERNEL_RESIDENT(conv2d_taps_stem_##channels, Conv2dArgs, TAPS_THREADS, blocks) {                        \
        conv2d_taps_widen<tiles, false>(a);                                                                 \
    }                                                                                                       \
    KERNEL_RESIDENT(conv2d_taps_backward_data_head_##channels, Conv2dArgs, TAPS_THREADS, blocks) {          \
        conv2d_taps_widen<tiles, true>(a);                                                                  \
    }
#define WEIGHTS(tiles, channels)                                                                \
    KERNEL_RESIDENT(conv2d_taps_backward_weight_stem_##channels, Conv2dArgs, TAPS_THREADS, 3) { \
        conv2d_taps_backward_weight<tiles, false>(a);                                           \
    }                                                                                           \
    KERNEL_RESIDENT(conv2d_taps_backward_weight_head_##channels, Conv2dArgs, TAPS_THREADS, 3) { \
        conv2d_taps_backward_weight<tiles, true>(a);                                            \
    }

WIDEN(1, 8, 3)
WIDEN(2, 16, 3)
WIDEN(4, 32, 3)
WIDEN(8, 64, 2)
WEIGHTS(1, 8)
WEIGHTS(2, 16)
WEIGHTS(4, 32)
WEIGHTS(8, 64)
