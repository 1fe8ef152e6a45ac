// conv2d_sm90.cu: 3x3 convolutions of stride 1 that keep the size of the image, forward and backward data, which reads dy as
// x and the filters turned, by the matrix instructions of sm_90.
//
// Math         conv2d_sm90_<channels>x<columns>                as conv2d_halo of conv2d_halo.cu, no upsampling
//              conv2d_backward_data_sm90_<channels>x<columns>  as conv2d_backward_data_halo
// Shapes       as conv2d_halo.cu; <channels> of a step, <columns> of a block
// Layout       C and K fastest
// Requires     compute capability 9.0: on others the kernels are empty and must not be launched. y may be the addend that
//              is like it. W a multiple of 8 that divides 256; H*W a multiple of 256 or a divisor of it, and of 64; the
//              channels read and written multiples of those in the name; N*H*W*C and N*H*W*K fit in 31 bits; 16-byte aligned
// Tiling       256 pixels x 32, 64 or 128 columns, 128 x columns per four warps, 32 to 128 sums a thread; 32 or 64 channels
//              and one column of the filter at a time. Blocks go from tile to tile, copies for the next tile are on their
//              way while one is stored. Up to 64 columns two blocks share a multiprocessor where their filters and three
//              stages fit in 113 KiB, so that one multiplies while the other stores
// Numerics     bf16 products are exact, f32 sums in the order of the device's tensor cores; bias and addend are added in f32,
//              before y is rounded
// Determinism  run-to-run: one block per tile, a fixed order, no atomics
// Cost         18 N*H*W*K*C flop; x is read 3 (lines + 2) / lines = 3.4 to 3.8 times per block of columns, all but once from
//              L2; an addend is read once. N=512, 32x32, C=K=32: 9.7 GFLOP, 67 MB: 16 us at 4.3 TB/s
// Reference    Conv2dReference, Conv2dReference.backwardData (double); common/wgmma_bf16.cuh, common/tensor_copy.cuh
#include "conv2d_sm90.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define CONV2D_SM90(channels, columns, blocks)                                                                 \
    KERNEL_RESIDENT(conv2d_sm90_##channels##x##columns, ConvSm90Args, CONV_SM90_THREADS, blocks) {               \
        conv2d_sm90<2 * channels, columns, false>(a);                                                          \
    }                                                                                                          \
    KERNEL_RESIDENT(conv2d_backward_data_sm90_##channels##x##columns, ConvSm90Args, CONV_SM90_THREADS, blocks) { \
        conv2d_sm90<2 * channels, columns, true>(a);                                                           \
    }
#else
#define CONV2D_SM90(channels, columns, blocks)                                                                      \
    KERNEL_RESIDENT(conv2d_sm90_##channels##x##columns, ConvSm90Args, CONV_SM90_THREADS, blocks) {}                 \
    KERNEL_RESIDENT(conv2d_backward_data_sm90_##channels##x##columns, ConvSm90Args, CONV_SM90_THREADS, blocks) {}
#endif

CONV2D_SM90(32, 32, 2)
CONV2D_SM90(32, 64, 2)
CONV2D_SM90(64, 64, 1)
CONV2D_SM90(64, 128, 1)
