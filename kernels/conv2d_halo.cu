// conv2d_halo.cu: 3x3 convolutions of stride 1 that keep the size of the image, forward and backward data, which reads dy
// as x and the filters turned.
//
// Math         conv2d_halo         y[n,p,q,k] = bias[k] + sum_{r,s,c} x[n,p+r-1,q+s-1,c] w[k,r,s,c], x zero outside
//              conv2d_backward_data_halo   dx[n,h,w,c] = sum_{r,s,k} dy[n,h+1-r,w+1-s,k] w[k,r,s,c]
//              conv2d_halo adds a tensor like y, or one of which the pixels of an image share a line, if there is one
//              Of an upsampled x (conv2d.cuh) conv2d_halo reads pixel (h/2,w/2) in the place of (h,w), and
//              conv2d_upsampled_backward_data_halo adds up the four dx of each cell
// Shapes       x, dx [N,H,W,C], or [N,H/2,W/2,C] where x is upsampled   w [K,3,3,C]   bias [K] f32 or none
//              y, dy [N,H,W,K]; all but bias bf16
// Layout       C and K fastest
// Requires     y may be the addend that is like it. W a multiple of 8 that divides 256; H*W a multiple of 256 or a divisor
//              of it; a tile with its surroundings is at most 400 pixels; the channels read multiples of 32, those written
//              of the number in the name; N*H*W*C and N*H*W*K fit in 31 bits; 16-byte aligned
// Tiling       256 pixels x 32 or 64 channels, see halo_tile.cuh; shared memory 40 to 88 KiB
// Numerics     bf16 products are exact, f32 sums in the order of the device's tensor cores; a tap outside the image
//              multiplies w by 0: w that is not finite shows there too. The addend is added in f32, before y is rounded
// Determinism  run-to-run: one block per tile, a fixed order, no atomics
// Cost         18 N*H*W*K*C flop; x is read (256 + halo) / 256 = 1.3 to 1.6 times per 32 or 64 output channels, all but
//              once from L2; an addend is read once. N=512, 32x32, C=K=32: 9.7 GFLOP, 67 MB: 16 us at 4.3 TB/s
// Reference    Conv2dReference, Conv2dReference.backwardData (double)
#include "conv2d.cuh"
#include "halo_tile.cuh"

template <int COLUMNS>
__device__ __forceinline__ void conv2d_halo(const Conv2dArgs& a) {
    int pixels = a.images * a.height * a.width;
    TilePosition at = TilePosition::of(pixels, a.filters, HALO_PIXELS, COLUMNS);
    HaloInput in {(const bf16*)a.x, (const bf16*)a.w, a.images, a.height, a.width, a.channels, a.filters, a.shift};
    HaloTile<COLUMNS, false> tile(in, at.row);
    tile.multiply(in, at.column);
    if (a.addend != nullptr) tile.add((const bf16*)a.addend, a.addend_pixels, pixels, a.filters, at.row, at.column);
    tile.store(ProductResult<bf16> {(bf16*)a.y, a.bias, nullptr, pixels, a.filters}, at.row, at.column);
}

template <int COLUMNS>
__device__ __forceinline__ void conv2d_backward_data_halo(const Conv2dArgs& a) {
    int pixels = a.images * a.height * a.width;
    TilePosition at = TilePosition::of(pixels, a.channels, HALO_PIXELS, COLUMNS);
    HaloInput in {(const bf16*)a.y, (const bf16*)a.w, a.images, a.height, a.width, a.filters, a.channels, 0};
    HaloTile<COLUMNS, true> tile(in, at.row);
    tile.multiply(in, at.column);
    tile.store(ProductResult<bf16> {(bf16*)a.x, nullptr, nullptr, pixels, a.channels}, at.row, at.column);
}

// A tile has whole pairs of lines, so whole cells: 256 pixels of a line are too many for it.
template <int COLUMNS>
__device__ __forceinline__ void conv2d_upsampled_backward_data_halo(const Conv2dArgs& a) {
    int pixels = a.images * a.height * a.width;
    TilePosition at = TilePosition::of(pixels, a.channels, HALO_PIXELS, COLUMNS);
    HaloInput in {(const bf16*)a.y, (const bf16*)a.w, a.images, a.height, a.width, a.filters, a.channels, 0};
    HaloTile<COLUMNS, true, HaloOrder::CELLS> tile(in, at.row);
    tile.multiply(in, at.column);
    tile.store_cells(ProductResult<bf16> {(bf16*)a.x, nullptr, nullptr, pixels / 4, a.channels}, in, at.row / 4, at.column);
}

KERNEL_RESIDENT(conv2d_halo_32, Conv2dArgs, 256, 3) { conv2d_halo<32>(a); }
KERNEL_RESIDENT(conv2d_halo_64, Conv2dArgs, 256, 2) { conv2d_halo<64>(a); }
KERNEL_RESIDENT(conv2d_backward_data_halo_32, Conv2dArgs, 256, 3) { conv2d_backward_data_halo<32>(a); }
KERNEL_RESIDENT(conv2d_backward_data_halo_64, Conv2dArgs, 256, 2) { conv2d_backward_data_halo<64>(a); }
KERNEL_RESIDENT(conv2d_upsampled_backward_data_halo_32, Conv2dArgs, 256, 3) {
    conv2d_upsampled_backward_data_halo<32>(a);
}
KERNEL_RESIDENT(conv2d_upsampled_backward_data_halo_64, Conv2dArgs, 256, 2) {
    conv2d_upsampled_backward_data_halo<64>(a);
}
