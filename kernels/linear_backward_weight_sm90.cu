// linear_backward_weight_sm90.cu: the gradients of linear layers with respect to weights and bias, of one tensor or of two
// side by side, by the copy engine and the matrix instructions of sm_90.
//
// Math         linear_backward_weight_sm90_<channels>  as linear_joined_backward_weight of linear_joined.cu
// Shapes       x [N,F]   x2 [N,C-F], none where F = C   dy [N,K]   dw [K,C], dbias [K] f32; <channels> of a block
// Layout       C, F and K fastest
// Requires     compute capability 9.0: on others the kernels are empty and must not be launched. C and F multiples of
//              <channels>, K of 64; 16-byte aligned; N fits in 31 bits
// Tiling       a block owns 64, 128 or 192 filters, 64 for each group of four warps, x 32, 64 or 128 channels, and a range of
//              64 rows at a time. Rows are the depth, so both operands are read across their lines; the sums of dy are a
//              product with ones, in the blocks of the first channels alone. One block on a multiprocessor
// Numerics     f32 sums in the order of the tensor cores over a block's rows, then over splits
// Determinism  run-to-run; tile and splits depend on the shapes alone
// Cost         2*N*C*K flop; dy is read C/channels times, x K/filters times, all but once from L2; dw is written once per
//              split. N=131072, C=64, K=192: 3.2 GFLOP, 67 MB: 16 us at 4.3 TB/s
// Reference    LinearReference, Conv2dReference (double); common/wgmma_bf16.cuh, common/tensor_copy.cuh
#include "linear_weight_sm90.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

template <int CHANNELS>
__device__ __forceinline__ void linear_backward_weight_sm90(const LinearWeightSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    LinearWeightSm90<CHANNELS>(a, dynamic).run();
}

#define LINEAR_WEIGHT_SM90(channels)                                                                                          \
    KERNEL_RESIDENT(linear_backward_weight_sm90_##channels, LinearWeightSm90Args, LINEAR_WEIGHT_SM90_THREADS, 1) {            \
        linear_backward_weight_sm90<channels>(a);                                                                             \
    }

#else

#define LINEAR_WEIGHT_SM90(channels) \
    KERNEL_RESIDENT(linear_backward_weight_sm90_##channels, LinearWeightSm90Args, LINEAR_WEIGHT_SM90_THREADS, 1) {}

#endif

LINEAR_WEIGHT_SM90(32)
LINEAR_WEIGHT_SM90(64)
LINEAR_WEIGHT_SM90(128)
