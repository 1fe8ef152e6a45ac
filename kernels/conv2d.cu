// conv2d.cu: two-dimensional convolution, forward.
//
// Math         y[n,p,q,k] = bias[k] + sum_{r,s,c} x[n, p*stride + r - top, q*stride + s - left, c] w[k,r,s,c], x zero
//              outside, and its pixel (h/2,w/2) in the place of (h,w) where it is upsampled (conv2d.cuh); a product of
//              [N*P*Q, R*S*C] with [R*S*C, K] whose left operand is gathered, never stored
// Shapes       x [N,H,W,C]   w [K,R,S,C]   bias [K] f32 or none   y [N,P,Q,K] in the type of x
// Layout       C and K fastest
// Requires     _f32, _bf16: nothing. _tensor: C a multiple of 16 bytes, x and w 16-byte aligned
// Tiling       _<rows>x<columns>, chosen in ProductTiles: few output channels want narrow tiles, since a tile wider than
//              K multiplies by zeros. See fma_tile.cuh and tensor_tile.cuh
// Numerics     f32 sums. General: blocked by 64 terms. Tensor cores: bf16 products are exact; tf32 rounds x and w to 10
//              bits of mantissa. A tap outside the image multiplies w by 0: w that is not finite shows there too
// Determinism  run-to-run: one block per tile, a fixed order, no atomics
// Cost         2*N*P*Q*K*R*S*C flop; x is read R*S times, all but once from L2. N=512, 32x32, C=K=32: 9.7 GFLOP, 67 MB
//              in bf16: 16 us at 4.3 TB/s
// Reference    Conv2dReference (double)
#include "conv2d.cuh"
#include "fma_tile.cuh"
#include "tensor_tile.cuh"

template <class T, class Tile>
__device__ __forceinline__ void conv2d(const Conv2dArgs& a) {
    int pixels = a.images * a.out_height * a.out_width, depth = a.filter_height * a.filter_width * a.channels;
    TilePosition at = TilePosition::of(pixels, a.filters, Tile::ROWS, Tile::COLUMNS);
    GatherLoader<ConvPatches<T>, Tile::ROWS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> patches(ConvPatches<T>(a), at.row, 0);
    MatrixOperand<T> w {(const T*)a.w, depth, 1, a.filters, depth};
    MatrixLoader<T, Fastest::DEPTH, Tile::COLUMNS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> filters(w, at.column, 0);
    Tile tile;
    tile.multiply(patches, filters, depth, false);
    tile.store(ProductResult<T> {(T*)a.y, a.bias, nullptr, pixels, a.filters}, at.row, at.column);
}

KERNEL(conv2d_f32_128x64, Conv2dArgs, 256) { conv2d<float, FmaTile<float, 128, 64, 8, 4>>(a); }
KERNEL(conv2d_f32_128x32, Conv2dArgs, 256) { conv2d<float, FmaTile<float, 128, 32, 4, 4>>(a); }
KERNEL_RESIDENT(conv2d_f32_128x8, Conv2dArgs, 256, 2) { conv2d<float, FmaTile<float, 128, 8, 2, 2>>(a); }
KERNEL(conv2d_bf16_128x64, Conv2dArgs, 256) { conv2d<bf16, FmaTile<bf16, 128, 64, 8, 4>>(a); }
KERNEL(conv2d_bf16_128x32, Conv2dArgs, 256) { conv2d<bf16, FmaTile<bf16, 128, 32, 4, 4>>(a); }
KERNEL(conv2d_bf16_128x8, Conv2dArgs, 256) { conv2d<bf16, FmaTile<bf16, 128, 8, 2, 2>>(a); }
KERNEL(conv2d_tensor_bf16_128x64, Conv2dArgs, 128) { conv2d<bf16, TensorTile<bf16, 128, 64, 64, 32>>(a); }
KERNEL(conv2d_tensor_bf16_128x32, Conv2dArgs, 128) { conv2d<bf16, TensorTile<bf16, 128, 32, 32, 32>>(a); }
KERNEL(conv2d_tensor_bf16_64x64, Conv2dArgs, 128) { conv2d<bf16, TensorTile<bf16, 64, 64, 32, 32>>(a); }
KERNEL(conv2d_tensor_tf32_128x64, Conv2dArgs, 128) { conv2d<float, TensorTile<float, 128, 64, 64, 32>>(a); }
KERNEL(conv2d_tensor_tf32_128x32, Conv2dArgs, 128) { conv2d<float, TensorTile<float, 128, 32, 32, 32>>(a); }
KERNEL(conv2d_tensor_tf32_64x64, Conv2dArgs, 128) { conv2d<float, TensorTile<float, 64, 64, 32, 32>>(a); }
