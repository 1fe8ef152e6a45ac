// conv2d_sm90.cu: 3x3 convolutions of stride 1 that keep the size of the image, forward and backward data, which reads dy as
// x and the filters turned, and backward data of stride 2, by the matrix instructions of sm_90.
//
// Math         conv2d_sm90_<channels>x<columns>                as conv2d_halo of conv2d_halo.cu
//              ..._skip  y[n,h,w,k] += skip_bias[k] + sum_c skip[n,h,w,c] skip_filters[k,c], of one tensor or of two side by side
//              conv2d_backward_data_sm90_<channels>x<columns>  as conv2d_backward_data_halo and, of an enlarged x,
//                                                              conv2d_upsampled_backward_data_halo
//              conv2d_strided_backward_data_sm90_<channels>x<columns>
//                dx[n,h,w,c] = sum_{r,s,k} dy[n,(h+1-r)/2,(w+1-s)/2,k] w[k,r,s,c], over r and s of whole pixels of dy
// Shapes       as conv2d_halo.cu; <channels> of a step, <columns> of a block
// Layout       C and K fastest
// Requires     compute capability 9.0: on others the kernels are empty and must not be launched. y may be the addend that
//              is like it. H a multiple of 8, W 8, 16 or a multiple of 32, of what is read; the channels read and written
//              multiples of those in the name, of each tensor of a skip too; N*H*W*C and N*H*W*K fit in 31 bits; 16-byte aligned
// Tiling       256 pixels x 32, 64 or 128 columns, 128 x columns per four warps, 32 to 128 sums a thread; 32 or 64 channels
//              at a time. Blocks go from tile to tile, and copies for the next tile are on their way while one is stored. In
//              the kernels without `_streamed` the filters of a block's columns stay in shared memory; where two blocks of
//              up to 64 columns fit on a multiprocessor, one multiplies while the other stores
// Numerics     bf16 products are exact, f32 sums in the order of the device's tensor cores; bias and addend are added in f32,
//              before y is rounded; a skip's products join the same sums
// Determinism  run-to-run: one block per tile, a fixed order, no atomics
// Cost         18 N*H*W*K*C flop; x is read 1.3 to 1.6 times per 128 columns, else 3.4 to 3.8 times per block of columns, all
//              but once from L2, an addend once; with stride 2 4.5 N*H*W*K*C flop; a skip 2 N*H*W*K flop a
//              channel, its pixels read 1.25 to 1.6 times. N=512, 32x32, C=K=32: 9.7 GFLOP, 67 MB:
//              16 us at 4.3 TB/s
// Reference    Conv2dReference, Conv2dReference.backwardData (double); common/wgmma_bf16.cuh, common/tensor_copy.cuh
#include "conv2d_sm90.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define CONV2D_SM90_ROOMY(name, channels, columns, backward, kept, blocks, replica_blocks, ...)      \
    KERNEL_RESIDENT_ROOMY(name, ConvSm90Args, CONV_SM90_THREADS, blocks, replica_blocks) {           \
        conv2d_sm90<2 * channels, columns, backward, kept __VA_OPT__(,) __VA_ARGS__>(a);             \
    }
#else
#define CONV2D_SM90_ROOMY(name, channels, columns, backward, kept, blocks, replica_blocks, ...) \
    KERNEL_RESIDENT_ROOMY(name, ConvSm90Args, CONV_SM90_THREADS, blocks, replica_blocks) {}
#endif
#define CONV2D_SM90(name, channels, columns, backward, kept, blocks, ...) \
    CONV2D_SM90_ROOMY(name, channels, columns, backward, kept, blocks, blocks __VA_OPT__(,) __VA_ARGS__)

CONV2D_SM90(conv2d_sm90_32x32, 32, 32, false, true, 2)
CONV2D_SM90(conv2d_sm90_32x64, 32, 64, false, true, 2)
CONV2D_SM90(conv2d_sm90_32x32_streamed, 32, 32, false, false, 2)
CONV2D_SM90_ROOMY(conv2d_sm90_32x64_streamed, 32, 64, false, false, 2, 1)
CONV2D_SM90(conv2d_sm90_64x128_streamed, 64, 128, false, false, 1)

CONV2D_SM90(conv2d_sm90_32x32_skip, 32, 32, false, true, 2, false, true)
CONV2D_SM90(conv2d_sm90_32x64_skip, 32, 64, false, true, 2, false, true)
CONV2D_SM90(conv2d_sm90_32x32_streamed_skip, 32, 32, false, false, 2, false, true)
CONV2D_SM90_ROOMY(conv2d_sm90_32x64_streamed_skip, 32, 64, false, false, 2, 1, false, true)
CONV2D_SM90(conv2d_sm90_64x128_streamed_skip, 64, 128, false, false, 1, false, true)

CONV2D_SM90(conv2d_backward_data_sm90_32x32, 32, 32, true, true, 2)
CONV2D_SM90(conv2d_backward_data_sm90_32x64, 32, 64, true, true, 2)
CONV2D_SM90(conv2d_backward_data_sm90_32x32_streamed, 32, 32, true, false, 2)
CONV2D_SM90(conv2d_backward_data_sm90_32x64_streamed, 32, 64, true, false, 2)
CONV2D_SM90(conv2d_backward_data_sm90_64x128_streamed, 64, 128, true, false, 1)

CONV2D_SM90(conv2d_strided_backward_data_sm90_32x32, 32, 32, true, true, 2, true)
CONV2D_SM90(conv2d_strided_backward_data_sm90_32x64, 32, 64, true, true, 2, true)
CONV2D_SM90(conv2d_strided_backward_data_sm90_32x32_streamed, 32, 32, true, false, 2, true)
CONV2D_SM90(conv2d_strided_backward_data_sm90_32x64_streamed, 32, 64, true, false, 2, true)
CONV2D_SM90(conv2d_strided_backward_data_sm90_64x128_streamed, 64, 128, true, false, 1, true)
