// conv2d_upsampled_backward_data.cu: the gradient of a convolution of an upsampled image with respect to the small image.
//
// Math         dx[n,h,w,c] = sum_{a,b,r,s,k} dy[n, (2h+a+top-r)/stride, (2w+b+left-s)/stride, k] w[k,r,s,c] over a, b in
//              {0,1} and the taps for which both divide and lie within: the four gradients of a cell as one sum; a product
//              of [N*H*W, 4*R*S*K] with [4*R*S*K, C] whose operands are gathered
// Shapes       dy [N,P,Q,K]   w [K,R,S,C]   dx [N,H,W,C] in the type of dy
// Layout       C and K fastest
// Requires     _f32, _bf16: nothing. _tensor: C and K multiples of 16 bytes, dy and w 16-byte aligned
// Tiling       as conv2d_backward_data.cu, over a quarter of the pixels and four times the depth
// Numerics     as conv2d.cu; in bf16 the sum of the four is rounded once
// Determinism  run-to-run: every dx is one block's sum; gathering, not scattering, so no atomics
// Cost         8*N*H*W*C*R*S*K flop; dy is read R*S times, all but once from L2. N=512, 16x16 to 32x32, C=K=64 in bf16:
//              39 GFLOP, 83 MB: 49 us at 790 TFLOP/s
// Reference    Conv2dReference.backwardData (double)
#include "conv2d.cuh"
#include "fma_tile.cuh"
#include "tensor_tile.cuh"

template <class T, class Tile>
__device__ __forceinline__ void conv2d_upsampled_backward_data(const Conv2dArgs& a) {
    int pixels = a.images * (a.height / 2) * (a.width / 2), depth = 4 * a.filter_height * a.filter_width * a.filters;
    TilePosition at = TilePosition::of(pixels, a.channels, Tile::ROWS, Tile::COLUMNS);
    GatherLoader<ConvCellGradients<T>, Tile::ROWS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> dy(ConvCellGradients<T>(a),
                                                                                             at.row, 0);
    GatherLoader<ConvFilters<T, 4>, Tile::COLUMNS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> w(ConvFilters<T, 4>(a),
                                                                                            at.column, 0);
    Tile tile;
    tile.multiply(dy, w, depth, false);
    tile.store(ProductResult<T> {(T*)a.x, nullptr, nullptr, pixels, a.channels}, at.row, at.column);
}

#define UPSAMPLED_BACKWARD_DATA(suffix, threads, T, ...)                      \
    KERNEL(conv2d_upsampled_backward_data_##suffix, Conv2dArgs, threads) {    \
        conv2d_upsampled_backward_data<T, __VA_ARGS__>(a);                    \
    }

UPSAMPLED_BACKWARD_DATA(f32_128x64, 256, float, FmaTile<float, 128, 64, 8, 4>)
UPSAMPLED_BACKWARD_DATA(f32_128x32, 256, float, FmaTile<float, 128, 32, 4, 4>)
UPSAMPLED_BACKWARD_DATA(f32_128x8, 256, float, FmaTile<float, 128, 8, 2, 2>)
UPSAMPLED_BACKWARD_DATA(bf16_128x64, 256, bf16, FmaTile<bf16, 128, 64, 8, 4>)
UPSAMPLED_BACKWARD_DATA(bf16_128x32, 256, bf16, FmaTile<bf16, 128, 32, 4, 4>)
KERNEL_ROOMY(conv2d_upsampled_backward_data_bf16_128x8, Conv2dArgs, 256, 2) {
    conv2d_upsampled_backward_data<bf16, FmaTile<bf16, 128, 8, 2, 2>>(a);
}
UPSAMPLED_BACKWARD_DATA(tensor_bf16_128x64, 128, bf16, TensorTile<bf16, 128, 64, 64, 32>)
UPSAMPLED_BACKWARD_DATA(tensor_bf16_128x32, 128, bf16, TensorTile<bf16, 128, 32, 32, 32>)
UPSAMPLED_BACKWARD_DATA(tensor_bf16_64x64, 128, bf16, TensorTile<bf16, 64, 64, 32, 32>)
UPSAMPLED_BACKWARD_DATA(tensor_tf32_128x64, 128, float, TensorTile<float, 128, 64, 64, 32>)
UPSAMPLED_BACKWARD_DATA(tensor_tf32_128x32, 128, float, TensorTile<float, 128, 32, 32, 32>)
UPSAMPLED_BACKWARD_DATA(tensor_tf32_64x64, 128, float, TensorTile<float, 64, 64, 32, 32>)
