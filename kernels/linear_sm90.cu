// linear_sm90.cu: linear layers over the channels of one tensor or of two side by side, forward and backward data, by the
// copy engine and the matrix instructions of sm_90.
//
// Math         linear_sm90_<depth>x<columns>                as the product of matmul.cu, linear_joined of linear_joined.cu;
//                adds a tensor like y, if there is one
//              linear_backward_data_sm90_<depth>x<columns>  as linear_joined_backward_data, of one tensor or of two
// Shapes       x, dx [N,F]   x2, dx2 [N,C-F], none where F = C   w [K,C]   bias [K] f32 or none   y, dy, addend [N,K]; all but
//              bias bf16. <depth> values of a step, <columns> of a block
// Layout       C, F and K fastest
// Requires     compute capability 9.0: on others the kernels are empty and must not be launched. What is summed over, and
//              F where it is, are multiples of <depth>; what is written of <columns>; 16-byte aligned; N fits in 31
//              bits. y may be the addend
// Tiling       256 rows x 32, 64 or 128 columns, 128 x columns per four warps. Blocks go from tile to tile, the columns of the
//              same rows next to each other; a ring of steps of both operands runs ahead of them, over the ends of tiles,
//              so copies go on while a tile is stored. Two blocks on a multiprocessor, which hide each other's stores; one
//              where columns are 128: it stores a tile during the first products of the next
// Numerics     bf16 products are exact, f32 sums in the order of the device's tensor cores; bias and addend are added in f32,
//              before y is rounded
// Determinism  run-to-run: one block per tile, a fixed order, no atomics
// Cost         2*N*C*K flop; x is read K / columns times, all but once from L2. N=131072, C=64, K=192: 3.2 GFLOP, 67 MB:
//              16 us at 4.3 TB/s. An addend is read once
// Reference    LinearReference, Conv2dReference (double); common/wgmma_bf16.cuh, common/tensor_copy.cuh
#include "linear_sm90_tile.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

template <int LINE, int COLUMNS, bool BACKWARD>
__device__ __forceinline__ void linear_sm90(const LinearSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    LinearSm90<LINE, COLUMNS, BACKWARD>(a, dynamic).run();
}

#define LINEAR_SM90(name, depth, columns, backward, blocks)             \
    KERNEL_RESIDENT(name, LinearSm90Args, LINEAR_SM90_THREADS, blocks) { \
        linear_sm90<2 * depth, columns, backward>(a);                   \
    }

#else

#define LINEAR_SM90(name, depth, columns, backward, blocks) \
    KERNEL_RESIDENT(name, LinearSm90Args, LINEAR_SM90_THREADS, blocks) {}

#endif

LINEAR_SM90(linear_sm90_32x32, 32, 32, false, 2)
LINEAR_SM90(linear_sm90_32x64, 32, 64, false, 2)
LINEAR_SM90(linear_sm90_64x128, 64, 128, false, 1)
LINEAR_SM90(linear_backward_data_sm90_32x32, 32, 32, true, 2)
LINEAR_SM90(linear_backward_data_sm90_32x64, 32, 64, true, 2)
LINEAR_SM90(linear_backward_data_sm90_64x128, 64, 128, true, 1)
