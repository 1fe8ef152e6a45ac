// conv2d_strided_sm90.cu: 3x3 convolutions of stride 2, forward and the gradients of filter and bias, by the copy engine and the matrix
// instructions of sm_90.
//
// Math         conv2d_strided_sm90_<depth>x<columns>       y[n,p,q,k] = bias[k] + sum_{r,s,c} x[n,2p+r-1,2q+s-1,c] w[k,r,s,c], x zero
//                outside
//              conv2d_strided_backward_weight_sm90_<columns>  dw[k,r,s,c] = sum_{n,p,q} dy[n,p,q,k] x[n,2p+r-1,2q+s-1,c]; dbias the
//                sums of dy
// Shapes       x [N,H,W,C]   w [K,3,3,C]   bias [K] f32 or none   y, dy [N,H/2,W/2,K]; dw [K,3,3,C], dbias [K] f32
// Layout       C and K fastest
// Requires     compute capability 9.0: on others the kernels are empty and must not be launched. padding 1, H and W even;
//              256 pixels of y, of gradients 64, are whole rows of an image or whole images; C a multiple of <depth>, K of
//              <columns>; of gradients 9 C of <columns>, C of a box's 32 (96) or 64 (192, 128) channels, and K of 32; 16-byte aligned
// Tiling       as linear_sm90.cu and linear_backward_weight_sm90.cu: a linear layer of 9 C channels whose rows are the pixels of y. As
//              the copy engine sees x, its pixels of one parity lie together, so those under a tap are a box. A gradient's
//              block has 96, 192 or 128 of the 9 C columns: of 32 and 64 channels the taps of a row of the filter, of 128 one tap
// Numerics     as linear_sm90.cu and linear_backward_weight_sm90.cu
// Determinism  run-to-run; tile and splits depend on the shapes alone
// Cost         18*N*P*Q*K*C flop; x is brought 9/4 times, all but once from L2. N=512, 32x32, C=K=32: 2.4 GFLOP, 42 MB of memory and 84
//              of L2: 15 us at 5.5 TB/s. NOT MEASURED; gathered, by `mma.sync`, 34 us forward and 40 for the filter's gradient
// Reference    Conv2dReference, Conv2dReference.backwardWeight (double); common/wgmma_bf16.cuh, common/tensor_copy.cuh
#include "linear_sm90_tile.cuh"
#include "linear_weight_sm90.cuh"

struct ConvStridedSm90Args {
    TensorMap left;  // x as planes, as in conv2d_sm90.cuh: boxes [images,lines,1,W/2,depth] of 256 pixels
    TensorMap right; // w [filters,9 C]: boxes [columns,depth]
    void* y;         // [rows,columns]
    void* y2;        // the same
    const float* bias; // [columns] or null
    const void* addend; // null
    int rows;          // pixels of y
    int depth;         // 9 C
    int columns;       // filters
    int first_columns; // the same
    int stages;        // of the ring in shared memory
    int channels;      // C
    int image;         // pixels of an image of y
    int line;          // of a row
};
LAYOUT(ConvStridedSm90Args, left, right, y, y2, bias, addend, rows, depth, columns, first_columns, stages, channels, image, line)

struct ConvStridedWeightSm90Args {
    TensorMap x;        // as planes: boxes [images,lines,1,W/2,32 or 64] of 64 pixels
    TensorMap gradient; // dy [rows,filters]: boxes [64,64]
    float* dw;          // [filters,9 C]
    float* dbias;       // [filters] or null
    float* partial;     // [splits][dw, then dbias], or null if there is one split
    int rows;           // pixels of dy
    int channels;       // 9 C
    int filters;
    int steps_per_split; // of 64 rows
    int stages;          // of the ring in shared memory
    int of_tap;          // C
    int image;           // pixels of an image of dy
    int line;            // of a row
};
LAYOUT(ConvStridedWeightSm90Args, x, gradient, dw, dbias, partial, rows, channels, filters, steps_per_split, stages, of_tap, image,
       line)

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

// The pixels under a tap from pixel `row` of y on; `from` counts taps and their channels.
__device__ __forceinline__ void copy_tap(unsigned char* stage, const TensorMap& x, int from, int channels, int row, int image,
                                         int line, uint64_t* barrier) {
    int tap = from / channels, r = tap / 3, s = tap - 3 * r;
    int in = row / image, above = (row - in * image) / line;
    int odd_row = r != 1, odd_column = s != 1; // of the pixels: 2 p + r - 1
    copy_box(stage, x, odd_column * channels + from - tap * channels, s == 0 ? -1 : 0, odd_row, r == 0 ? above - 1 : above, in,
             barrier);
}

struct StridedRows {
    using Args = ConvStridedSm90Args;

    __device__ __forceinline__ static void copy(unsigned char* stage, const Args& a, int above, int depth, uint64_t* barrier) {
        copy_tap(stage, a.left, depth, a.channels, above * LINEAR_SM90_ROWS, a.image, a.line, barrier);
    }
};

struct StridedColumns {
    using Args = ConvStridedWeightSm90Args;

    __device__ __forceinline__ static void copy(unsigned char* stage, const Args& a, int channel, int row, uint64_t* barrier) {
        copy_tap(stage, a.x, channel, a.of_tap, row, a.image, a.line, barrier);
    }
};

template <int LINE, int COLUMNS>
__device__ __forceinline__ void conv2d_strided_sm90(const ConvStridedSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    LinearSm90<LINE, COLUMNS, false, StridedRows>(a, dynamic).run();
}

template <int COLUMNS, int LINE>
__device__ __forceinline__ void conv2d_strided_backward_weight_sm90(const ConvStridedWeightSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    LinearWeightSm90<COLUMNS, LINE, StridedColumns>(a, dynamic).run();
}

#define FORWARD(depth, columns, blocks)                                                                               \
    KERNEL_RESIDENT(conv2d_strided_sm90_##depth##x##columns, ConvStridedSm90Args, LINEAR_SM90_THREADS, blocks) {      \
        conv2d_strided_sm90<2 * depth, columns>(a);                                                                   \
    }
#define WEIGHTS(columns, line)                                                                                        \
    KERNEL_RESIDENT(conv2d_strided_backward_weight_sm90_##columns, ConvStridedWeightSm90Args, LINEAR_WEIGHT_SM90_THREADS, 1) { \
        conv2d_strided_backward_weight_sm90<columns, line>(a);                                                        \
    }

#else

#define FORWARD(depth, columns, blocks) \
    KERNEL_RESIDENT(conv2d_strided_sm90_##depth##x##columns, ConvStridedSm90Args, LINEAR_SM90_THREADS, blocks) {}
#define WEIGHTS(columns, line)                                                                                       \
    KERNEL_RESIDENT(conv2d_strided_backward_weight_sm90_##columns, ConvStridedWeightSm90Args, LINEAR_WEIGHT_SM90_THREADS, 1) {}

#endif

FORWARD(32, 32, 2)
FORWARD(32, 64, 2)
FORWARD(64, 128, 1)
WEIGHTS(96, 64)
WEIGHTS(192, 128)
WEIGHTS(128, 128)
