// conv2d_backward_data.cu: the gradient of a convolution with respect to its input.
//
// Math         dx[n,h,w,c] = sum_{r,s,k} dy[n, (h+top-r)/stride, (w+left-s)/stride, k] w[k,r,s,c] over the taps for which
//              both divide and lie within; a product of [N*H*W, R*S*K] with [R*S*K, C] whose left operand is gathered
// Shapes       dy [N,P,Q,K]   w [K,R,S,C]   dx [N,H,W,C] in the type of dy
// Layout       C and K fastest
// Requires     _f32, _bf16: nothing. _tensor: C and K multiples of 16 bytes, dy and w 16-byte aligned
// Tiling       as conv2d.cu, with C in the place of K. With a stride, (stride^2-1)/stride^2 of the products are by zero
// Numerics     as conv2d.cu
// Determinism  run-to-run: every dx is one block's sum; gathering, not scattering, so no atomics
// Cost         2*N*H*W*C*R*S*K flop; dy is read R*S times, all but once from L2. N=512, 32x32, C=K=32: 9.7 GFLOP, 67 MB
//              in bf16: 16 us at 4.3 TB/s
// Reference    Conv2dReference.backwardData (double)
#include "conv2d.cuh"
#include "fma_tile.cuh"
#include "tensor_tile.cuh"

template <class T, class Tile>
__device__ __forceinline__ void conv2d_backward_data(const Conv2dArgs& a) {
    int pixels = a.images * a.height * a.width, depth = a.filter_height * a.filter_width * a.filters;
    TilePosition at = TilePosition::of(pixels, a.channels, Tile::ROWS, Tile::COLUMNS);
    GatherLoader<ConvGradients<T>, Tile::ROWS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> dy(ConvGradients<T>(a), at.row, 0);
    GatherLoader<ConvFilters<T>, Tile::COLUMNS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> w(ConvFilters<T>(a), at.column, 0);
    Tile tile;
    tile.multiply(dy, w, depth, false);
    tile.store(ProductResult<T> {(T*)a.x, nullptr, nullptr, pixels, a.channels}, at.row, at.column);
}

KERNEL(conv2d_backward_data_f32_128x64, Conv2dArgs, 256) { conv2d_backward_data<float, FmaTile<float, 128, 64, 8, 4>>(a); }
KERNEL(conv2d_backward_data_f32_128x32, Conv2dArgs, 256) { conv2d_backward_data<float, FmaTile<float, 128, 32, 4, 4>>(a); }
KERNEL(conv2d_backward_data_f32_128x8, Conv2dArgs, 256) { conv2d_backward_data<float, FmaTile<float, 128, 8, 2, 2>>(a); }
KERNEL(conv2d_backward_data_bf16_128x64, Conv2dArgs, 256) { conv2d_backward_data<bf16, FmaTile<bf16, 128, 64, 8, 4>>(a); }
KERNEL(conv2d_backward_data_bf16_128x32, Conv2dArgs, 256) { conv2d_backward_data<bf16, FmaTile<bf16, 128, 32, 4, 4>>(a); }
KERNEL(conv2d_backward_data_bf16_128x8, Conv2dArgs, 256) { conv2d_backward_data<bf16, FmaTile<bf16, 128, 8, 2, 2>>(a); }

KERNEL(conv2d_backward_data_tensor_bf16_128x64, Conv2dArgs, 128) {
    conv2d_backward_data<bf16, TensorTile<bf16, 128, 64, 64, 32>>(a);
}
KERNEL(conv2d_backward_data_tensor_bf16_128x32, Conv2dArgs, 128) {
    conv2d_backward_data<bf16, TensorTile<bf16, 128, 32, 32, 32>>(a);
}
KERNEL(conv2d_backward_data_tensor_bf16_64x64, Conv2dArgs, 128) {
    conv2d_backward_data<bf16, TensorTile<bf16, 64, 64, 32, 32>>(a);
}
KERNEL(conv2d_backward_data_tensor_tf32_128x64, Conv2dArgs, 128) {
    conv2d_backward_data<float, TensorTile<float, 128, 64, 64, 32>>(a);
}
KERNEL(conv2d_backward_data_tensor_tf32_128x32, Conv2dArgs, 128) {
    conv2d_backward_data<float, TensorTile<float, 128, 32, 32, 32>>(a);
}
KERNEL(conv2d_backward_data_tensor_tf32_64x64, Conv2dArgs, 128) {
    conv2d_backward_data<float, TensorTile<float, 64, 64, 32, 32>>(a);
}
