// conv2d_backward_weight.cu: the gradients of a convolution with respect to its filter and bias.
//
// Math         dw[k,r,s,c] = sum_{n,p,q} x[n, p*stride + r - top, q*stride + s - left, c] dy[n,p,q,k]
//              dbias[k]    = sum_{n,p,q} dy[n,p,q,k]
//              x's pixel (h/2,w/2) in the place of (h,w) where x is upsampled (conv2d.cuh);
//              a product of [K, N*P*Q] with [N*P*Q, R*S*C] whose right operand is gathered, and the left one's row sums
// Shapes       x [N,H,W,C]   dy [N,P,Q,K] of x's type   dw [K,R,S,C], dbias [K] f32
// Layout       C and K fastest
// Requires     _f32, _bf16: nothing. _tensor: C and K multiples of 16 bytes, x and dy 16-byte aligned
// Tiling       the result is small and the sum long (N*P*Q = 524,288 at batch 512), so blocks share a tile: each sums
//              `depth_per_split` pixels into its part of the workspace, and sum_splits (matmul.cu) adds the parts
// Numerics     f32 sums of at most `depth_per_split` terms, then over the splits; the general kernel blocks by 64
// Determinism  run-to-run, and the same on every device: the number of splits depends on the shapes alone
// Cost         2*N*P*Q*K*R*S*C flop; x is read R*S times, all but once from L2. N=512, 32x32, C=K=32: 9.7 GFLOP, 67 MB
//              in bf16: 16 us at 4.3 TB/s
// Reference    Conv2dReference.backwardWeight (double)
#include "conv2d.cuh"
#include "fma_tile.cuh"
#include "tensor_tile.cuh"

template <class T, class Tile>
__device__ __forceinline__ void conv2d_backward_weight(const Conv2dArgs& a) {
    int pixels = a.images * a.out_height * a.out_width, columns = a.filter_height * a.filter_width * a.channels;
    int split = blockIdx.y, begin = split * a.depth_per_split, end = min(begin + a.depth_per_split, pixels);
    TilePosition at = TilePosition::of(a.filters, columns, Tile::ROWS, Tile::COLUMNS);
    MatrixOperand<T> gradients {(const T*)a.y, 1, a.filters, a.filters, pixels};
    MatrixLoader<T, Fastest::OUTER, Tile::ROWS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> dy(gradients, at.row, begin);
    GatherLoader<ConvPatchColumns<T>, Tile::COLUMNS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> x(ConvPatchColumns<T>(a),
                                                                                             at.column, begin);
    Tile tile;
    bool sums = a.bias != nullptr && at.column == 0;
    tile.multiply(dy, x, end - begin, sums);
    ProductResult<float> to = split_result((float*)a.w, a.bias, a.partial, split, a.filters, columns);
    tile.store(to, at.row, at.column);
    if (sums) tile.store_row_sums(to, at.row);
}

KERNEL(conv2d_backward_weight_f32_64x64, Conv2dArgs, 256) {
    conv2d_backward_weight<float, FmaTile<float, 64, 64, 4, 4>>(a);
}
KERNEL(conv2d_backward_weight_f32_32x32, Conv2dArgs, 256) {
    conv2d_backward_weight<float, FmaTile<float, 32, 32, 2, 2>>(a);
}
KERNEL(conv2d_backward_weight_bf16_64x64, Conv2dArgs, 256) {
    conv2d_backward_weight<bf16, FmaTile<bf16, 64, 64, 4, 4>>(a);
}
KERNEL(conv2d_backward_weight_bf16_32x32, Conv2dArgs, 256) {
    conv2d_backward_weight<bf16, FmaTile<bf16, 32, 32, 2, 2>>(a);
}
KERNEL(conv2d_backward_weight_tensor_bf16_64x64, Conv2dArgs, 128) {
    conv2d_backward_weight<bf16, TensorTile<bf16, 64, 64, 32, 32>>(a);
}
KERNEL(conv2d_backward_weight_tensor_bf16_32x128, Conv2dArgs, 128) {
    conv2d_backward_weight<bf16, TensorTile<bf16, 32, 128, 32, 32>>(a);
}
KERNEL(conv2d_backward_weight_tensor_tf32_64x64, Conv2dArgs, 128) {
    conv2d_backward_weight<float, TensorTile<float, 64, 64, 32, 32>>(a);
}
KERNEL(conv2d_backward_weight_tensor_tf32_32x128, Conv2dArgs, 128) {
    conv2d_backward_weight<float, TensorTile<float, 32, 128, 32, 32>>(a);
}
