// matmul.cu: matrix products: the batched product with transposes, the linear layer and its gradients.
//
// Math         matmul                  y[b,i,j] = bias[j] + sum_k a[b,i,k] b[b,k,j]; a linear layer is a = x, b = w',
//                                      its data gradient a = dy, b = w
//              linear_backward_weight  dw[k,c] = sum_n dy[n,k] x[n,c], dbias[k] = sum_n dy[n,k]
//              sum_splits, _few, _joined  y[i] = sum over splits s of partial[s,i]
// Shapes       a [batch,m,k]   b [batch,k,n]   bias [n] f32 or none   y [batch,m,n] in the type of a, or dw [m,n] and
//              dbias [m] f32; partial [splits][dw, then dbias]
// Layout       given by strides: of a, and of b, either index may be the fastest
// Requires     _f32, _bf16: one stride of each operand is 1. _tensor: the names say which (n: as written, a is m x k; t:
//              transposed), the fastest extents are multiples of 16 bytes, a and b 16-byte aligned. sum_splits_few: at
//              most 8 splits; n and sums multiples of 4; 16-byte aligned
// Tiling       _<rows>x<columns>, chosen in ProductTiles; weight gradients split their long sum over blocks, as
//              conv2d_backward_weight.cu. See fma_tile.cuh and tensor_tile.cuh. sum_splits: 256 values a block, or 32 where
//              there are more than 32 splits. With 32 for all, blocks of one to four loads a thread took 1.03 ms on an H200
//              for the 1.2 GB of sixteen networks of W = 16, 0.28 ms for memory
// Numerics     f32 sums; general: blocked by 64 terms; tf32 rounds both factors to 10 bits of mantissa. sum_splits adds
//              8 interleaved partial sums
// Determinism  run-to-run: a fixed order, no atomics
// Cost         2*batch*m*n*k flop; each operand is read once per tile of the other, from L2
// Reference    MatMulReference, LinearReference (double)
#include "fma_tile.cuh"
#include "tensor_tile.cuh"

struct MatMulArgs {
    const void* a;      // [batch,m,k], (i,k) at i*a_row + k*a_depth
    const void* b;      // [batch,k,n], (k,j) at j*b_column + k*b_depth
    void* y;            // [batch,m,n]
    const float* bias;  // [n] or null
    float* row_sums;    // [m] or null: sums of a over k
    float* partial;     // [splits][m*n, then m], or null if there is one split
    int64_t a_batch;    // strides, in values
    int64_t a_row;
    int64_t a_depth;
    int64_t b_batch;
    int64_t b_column;
    int64_t b_depth;
    int m;
    int n;
    int k;
    int depth_per_split; // a multiple of every tile's depth
};
LAYOUT(MatMulArgs, a, b, y, bias, row_sums, partial, a_batch, a_row, a_depth, b_batch, b_column, b_depth, m, n, k,
       depth_per_split)

template <class T, class Tile, Fastest A, Fastest B>
struct MatMulLoaders {
    MatrixLoader<T, A, Tile::ROWS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> left;
    MatrixLoader<T, B, Tile::COLUMNS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> right;

    __device__ __forceinline__ MatMulLoaders(const MatMulArgs& a, const TilePosition& at, int begin)
        : left({(const T*)a.a + at.batch * a.a_batch, a.a_row, a.a_depth, a.m, a.k}, at.row, begin),
          right({(const T*)a.b + at.batch * a.b_batch, a.b_column, a.b_depth, a.n, a.k}, at.column, begin) {}
};

template <class T, class Tile, Fastest A, Fastest B>
__device__ __forceinline__ void matmul(const MatMulArgs& a) {
    TilePosition at = TilePosition::of(a.m, a.n, Tile::ROWS, Tile::COLUMNS);
    MatMulLoaders<T, Tile, A, B> loaders(a, at, 0);
    Tile tile;
    tile.multiply(loaders.left, loaders.right, a.k, false);
    tile.store(ProductResult<T> {(T*)a.y + at.batch * a.m * a.n, a.bias, nullptr, a.m, a.n}, at.row, at.column);
}

template <class T, class Tile>
__device__ __forceinline__ void linear_backward_weight(const MatMulArgs& a) {
    int split = blockIdx.y, begin = split * a.depth_per_split, end = min(begin + a.depth_per_split, a.k);
    TilePosition at = TilePosition::of(a.m, a.n, Tile::ROWS, Tile::COLUMNS);
    MatMulLoaders<T, Tile, Fastest::OUTER, Fastest::OUTER> loaders(a, at, begin);
    Tile tile;
    bool sums = a.row_sums != nullptr && at.column == 0;
    tile.multiply(loaders.left, loaders.right, end - begin, sums);
    ProductResult<float> to = split_result((float*)a.y, a.row_sums, a.partial, split, a.m, a.n);
    tile.store(to, at.row, at.column);
    if (sums) tile.store_row_sums(to, at.row);
}

#define MATMUL(name, threads, T, Tile, A, B) \
    KERNEL(name, MatMulArgs, threads) { matmul<T, Tile, Fastest::A, Fastest::B>(a); }
// For a tile that needs 130 registers: ptxas would rather spill a few than have one block per multiprocessor.
#define MATMUL_WIDE(name, threads, T, Tile, A, B) \
    KERNEL_RESIDENT(name, MatMulArgs, threads, 1) { matmul<T, Tile, Fastest::A, Fastest::B>(a); }
#define LINEAR_BACKWARD_WEIGHT(name, threads, T, Tile) \
    KERNEL(name, MatMulArgs, threads) { linear_backward_weight<T, Tile>(a); }

using FmaLargeF32 = FmaTile<float, 128, 64, 8, 4>;
using FmaMiddleF32 = FmaTile<float, 64, 64, 4, 4>;
using FmaSmallF32 = FmaTile<float, 32, 32, 2, 2>;
using FmaLargeBf16 = FmaTile<bf16, 128, 64, 8, 4>;
using FmaMiddleBf16 = FmaTile<bf16, 64, 64, 4, 4>;
using FmaSmallBf16 = FmaTile<bf16, 32, 32, 2, 2>;
MATMUL_WIDE(matmul_f32_128x64, 256, float, FmaLargeF32, EITHER, EITHER)
MATMUL(matmul_f32_32x32, 256, float, FmaSmallF32, EITHER, EITHER)
MATMUL_WIDE(matmul_bf16_128x64, 256, bf16, FmaLargeBf16, EITHER, EITHER)
MATMUL(matmul_bf16_32x32, 256, bf16, FmaSmallBf16, EITHER, EITHER)
LINEAR_BACKWARD_WEIGHT(linear_backward_weight_f32_64x64, 256, float, FmaMiddleF32)
LINEAR_BACKWARD_WEIGHT(linear_backward_weight_f32_32x32, 256, float, FmaSmallF32)
LINEAR_BACKWARD_WEIGHT(linear_backward_weight_bf16_64x64, 256, bf16, FmaMiddleBf16)
LINEAR_BACKWARD_WEIGHT(linear_backward_weight_bf16_32x32, 256, bf16, FmaSmallBf16)

using TensorLargeBf16 = TensorTile<bf16, 128, 64, 64, 32>;
using TensorSquareBf16 = TensorTile<bf16, 64, 64, 32, 32>;
using TensorFlatBf16 = TensorTile<bf16, 32, 128, 32, 32>;
MATMUL(matmul_nn_tensor_bf16_128x64, 128, bf16, TensorLargeBf16, DEPTH, OUTER)
MATMUL(matmul_nt_tensor_bf16_128x64, 128, bf16, TensorLargeBf16, DEPTH, DEPTH)
MATMUL(matmul_nn_tensor_bf16_64x64, 128, bf16, TensorSquareBf16, DEPTH, OUTER)
MATMUL(matmul_nt_tensor_bf16_64x64, 128, bf16, TensorSquareBf16, DEPTH, DEPTH)
MATMUL(matmul_tn_tensor_bf16_64x64, 128, bf16, TensorSquareBf16, OUTER, OUTER)
MATMUL(matmul_tt_tensor_bf16_64x64, 128, bf16, TensorSquareBf16, OUTER, DEPTH)
LINEAR_BACKWARD_WEIGHT(linear_backward_weight_tensor_bf16_64x64, 128, bf16, TensorSquareBf16)
LINEAR_BACKWARD_WEIGHT(linear_backward_weight_tensor_bf16_32x128, 128, bf16, TensorFlatBf16)

using TensorLargeF32 = TensorTile<float, 128, 64, 64, 32>;
using TensorSquareF32 = TensorTile<float, 64, 64, 32, 32>;
using TensorFlatF32 = TensorTile<float, 32, 128, 32, 32>;
MATMUL(matmul_nn_tensor_tf32_128x64, 128, float, TensorLargeF32, DEPTH, OUTER)
MATMUL(matmul_nt_tensor_tf32_128x64, 128, float, TensorLargeF32, DEPTH, DEPTH)
MATMUL(matmul_nn_tensor_tf32_64x64, 128, float, TensorSquareF32, DEPTH, OUTER)
MATMUL(matmul_nt_tensor_tf32_64x64, 128, float, TensorSquareF32, DEPTH, DEPTH)
MATMUL(matmul_tn_tensor_tf32_64x64, 128, float, TensorSquareF32, OUTER, OUTER)
MATMUL(matmul_tt_tensor_tf32_64x64, 128, float, TensorSquareF32, OUTER, DEPTH)
LINEAR_BACKWARD_WEIGHT(linear_backward_weight_tensor_tf32_64x64, 128, float, TensorSquareF32)
LINEAR_BACKWARD_WEIGHT(linear_backward_weight_tensor_tf32_32x128, 128, float, TensorFlatF32)

struct SumSplitsArgs {
    const float* partial; // [splits, n + sums]
    float* y;             // [n]
    float* row_sums;      // [sums], or null if that is 0
    int64_t n;
    int64_t sums;
    int splits;
};
LAYOUT(SumSplitsArgs, partial, y, row_sums, n, sums, splits)

constexpr int SUM_THREADS = 256, SUM_CHAINS = 8, WIDE_SPLITS = 32;

// Split s of eight, s + 8, ... in a chain of their own, then the eight chains. Of up to WIDE_SPLITS a block sums 256 values, a thread
// for each: what a block costs by itself is more than few splits are. Of more it sums 32, eight threads for each, so that many
// loads are on their way however small the result is. Both have the same bits.
__device__ __forceinline__ void sum_splits_of(const SumSplitsArgs& a, int64_t block) {
    __shared__ float parts[SUM_CHAINS][32];
    int64_t size = a.n + a.sums, i;
    float sum = 0;
    if (a.splits <= WIDE_SPLITS) {
        i = block * SUM_THREADS + threadIdx.x;
        if (i >= size) return;
        float chain[SUM_CHAINS] = {};
        for (int split = 0; split < a.splits; split += SUM_CHAINS) {
#pragma unroll
            for (int s = 0; s < SUM_CHAINS; s++) {
                if (split + s < a.splits) chain[s] += a.partial[(split + s) * size + i];
            }
        }
        sum = chain[0];
#pragma unroll
        for (int s = 1; s < SUM_CHAINS; s++) sum += chain[s];
    } else {
        int lane = threadIdx.x % 32, slice = threadIdx.x / 32;
        i = block * 32 + lane;
        if (i < size) {
            for (int split = slice; split < a.splits; split += SUM_CHAINS) sum += a.partial[split * size + i];
        }
        parts[slice][lane] = sum;
        __syncthreads(); // all 8 parts are there
        if (slice != 0 || i >= size) return;
        for (int other = 1; other < SUM_CHAINS; other++) sum += parts[other][lane];
    }
    if (i < a.n) {
        a.y[i] = sum;
    } else {
        a.row_sums[i - a.n] = sum;
    }
}

KERNEL(sum_splits, SumSplitsArgs, SUM_THREADS) { sum_splits_of(a, blockIdx.x); }

// Those of up to 32 gradients, one behind the other, with the bits of each alone.
constexpr int JOINED_SUMS = 32;

struct SumSplitsJoinedArgs {
    const float* partial[JOINED_SUMS];
    float* y[JOINED_SUMS];
    float* row_sums[JOINED_SUMS];
    int n[JOINED_SUMS];
    int sums[JOINED_SUMS];
    int splits[JOINED_SUMS];
    int first_block[JOINED_SUMS]; // blocks of those before
    int count;
};
LAYOUT(SumSplitsJoinedArgs, partial, y, row_sums, n, sums, splits, first_block, count)

KERNEL(sum_splits_joined, SumSplitsJoinedArgs, SUM_THREADS) {
    int which = 0;
    while (which + 1 < a.count && a.first_block[which + 1] <= (int)blockIdx.x) which++;
    SumSplitsArgs one = {a.partial[which], a.y[which], a.row_sums[which], a.n[which], a.sums[which], a.splits[which]};
    sum_splits_of(one, (int)blockIdx.x - a.first_block[which]);
}

// Four values per thread, for results that fill the device so, with the bits of sum_splits.
KERNEL(sum_splits_few, SumSplitsArgs, 256) {
    constexpr int MOST = 8;
    int64_t size = a.n + a.sums, i = 4 * (blockIdx.x * (int64_t)blockDim.x + threadIdx.x);
    if (i >= size) return;
    float4 part[MOST];
#pragma unroll
    for (int split = 0; split < MOST; split++) {
        part[split] = make_float4(0, 0, 0, 0);
        if (split < a.splits) part[split] = *(const float4*)(a.partial + split * size + i);
    }
    float4 sum = part[0];
#pragma unroll
    for (int split = 1; split < MOST; split++) {
        sum.x += part[split].x, sum.y += part[split].y, sum.z += part[split].z, sum.w += part[split].w;
    }
    *(float4*)(i < a.n ? a.y + i : a.row_sums + (i - a.n)) = sum;
}
