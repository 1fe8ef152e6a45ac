// conv2d_backward_weight_sm90.cu: the gradients of a 3x3 convolution with respect to filter and bias by the copy engine and
// the matrix instructions of sm_90.
//
// Math         as conv2d_backward_weight_halo.cu, no upsampling: nine products with the same factors
// Shapes       as conv2d_backward_weight_halo.cu
// Layout       C and K fastest
// Requires     compute capability 9.0: on others the kernels are empty and must not be launched. stride 1, padding 1; W a
//              multiple of 8; a strip of `lines` rows is a multiple of 16 pixels; C a multiple of CHANNELS, K of 32; 16-byte
//              aligned
// Tiling       a block owns 64 filters x CHANNELS x nine taps and a range of strips, `lines` whole rows of an image. Of a
//              strip come dy and three copies of x with a row above and below, moved by a column as in conv2d_sm90.cuh.
//              Pixels are the depth, so both operands are read across their lines. Three groups of four warps, one for each
//              row of the filter, multiply the same dy by the three copies at once: 64 x 3 CHANNELS x 16 an instruction, 96
//              or 48 sums a thread; the sums of dy are a product with ones. One block on a multiprocessor
// Numerics     f32 sums in the order of the tensor cores over a block's strips, then over splits
// Determinism  run-to-run; tile and splits depend on the shapes alone
// Cost         18*N*H*W*K*C flop, more where K is no multiple of 64; dy is read C/CHANNELS times, x 3 (lines + 2) / lines
//              times for 64 filters, all but once from L2; dw is written once per split. N=512, 8x8, C=K=128: 9.7 GFLOP, 33
//              splits of 0.6 MB: 12 us at 800 TFLOP/s, and 9 us for the splits
// Reference    Conv2dReference.backwardWeight (double); common/wgmma_bf16.cuh, common/tensor_copy.cuh
#include "tensor_copy.cuh"
#include "tile_store.cuh"
#include "wgmma_bf16.cuh"

struct ConvWeightSm90Args {
    TensorMap image;    // x [images,height,width,channels]: boxes of `lines` + 2 rows, CHANNELS channels
    TensorMap gradient; // dy [images,height,width,filters]: boxes of `lines` rows, 64 filters
    float* dw;          // [filters,9,channels]
    float* dbias;       // [filters] or null
    float* partial;     // [splits][dw, then dbias], or null if there is one split
    int images;
    int height;
    int width;
    int channels;
    int filters;
    int lines;
    int strips_per_split;
    int stages; // of the ring in shared memory
};
LAYOUT(ConvWeightSm90Args, image, gradient, dw, dbias, partial, images, height, width, channels, filters, lines,
       strips_per_split, stages)

constexpr int CONV_WEIGHT_SM90_THREADS = 384, CONV_WEIGHT_SM90_STAGES = 8;

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

struct ConvWeightSm90Shared {
    uint64_t loaded[CONV_WEIGHT_SM90_STAGES]; // barriers
    int strip, slot;                          // of the thread that copies
    alignas(512) bf16 ones[256];              // 8 lines of 64 bytes: every value of an operand of ones
};
constexpr int CONV_WEIGHT_SM90_STATE = 1024;
static_assert(sizeof(ConvWeightSm90Shared) <= CONV_WEIGHT_SM90_STATE, "state");

template <int CHANNELS>
struct ConvWeightSm90 {
    static constexpr int FILTERS = 64, LINE = 2 * CHANNELS, FILTER_LINE = 2 * FILTERS, SUMS = 3 * CHANNELS / 2;
    using Gradient = ProductOperand<FILTER_LINE, Fastest::OUTER>;
    using Pixels = ProductOperand<LINE, Fastest::OUTER>;
    using Ones = ProductOperand<64, Fastest::DEPTH>;

    const ConvWeightSm90Args& a;
    ConvWeightSm90Shared& shared;
    unsigned char* ring; // stages of dy and three copies of x
    int filter, channel, end, per_image, pixels, copy_bytes, stage_bytes;

    __device__ __forceinline__ ConvWeightSm90(const ConvWeightSm90Args& a, unsigned char* dynamic)
        : a(a), shared(*reinterpret_cast<ConvWeightSm90Shared*>(dynamic)), ring(dynamic + CONV_WEIGHT_SM90_STATE) {
        int across = a.channels / CHANNELS;
        filter = (int)blockIdx.x / across * FILTERS;
        channel = (int)blockIdx.x % across * CHANNELS;
        per_image = (a.height + a.lines - 1) / a.lines;
        end = min((int)(blockIdx.y + 1) * a.strips_per_split, a.images * per_image);
        pixels = a.lines * a.width;
        copy_bytes = (a.lines + 2) * a.width * LINE;
        stage_bytes = pixels * FILTER_LINE + 3 * copy_bytes;
    }

    // One thread: the next strip of this block, if there is one.
    __device__ __forceinline__ void load() {
        if (shared.strip >= end) return;
        uint64_t* barrier = shared.loaded + shared.slot;
        unsigned char* stage = ring + shared.slot * stage_bytes;
        int image = shared.strip / per_image, row = (shared.strip - image * per_image) * a.lines;
        expect_bulk(barrier, stage_bytes);
        copy_box(stage, a.gradient, filter, 0, row, image, barrier);
        stage += pixels * FILTER_LINE;
        for (int s = 0; s < 3; s++) copy_box(stage + s * copy_bytes, a.image, channel, s - 1, row - 1, image, barrier);
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        shared.strip++;
    }

    __device__ __forceinline__ void start() {
        if (threadIdx.x < 128) reinterpret_cast<unsigned*>(shared.ones)[threadIdx.x] = 0x3f803f80u;
        fence_shared();
        if (threadIdx.x == 0) {
            for (int i = 0; i < a.stages; i++) init_bulk_barrier(shared.loaded + i);
            shared.strip = blockIdx.y * a.strips_per_split;
            shared.slot = 0;
            for (int i = 0; i < a.stages - 1; i++) load();
        }
        __syncthreads(); // the barriers of the copies and the ones are there
    }

    __device__ __forceinline__ void run() {
        start();
        int row = threadIdx.x / 128, slot = 0, parity = 0; // of the filter
        float sum[SUMS], bias[4];
        Ones ones(shared.ones);
        for (int first = blockIdx.y * a.strips_per_split, strip = first; strip < end; strip++) {
            const unsigned char* stage = ring + slot * stage_bytes;
            wait_bulk(shared.loaded + slot, parity);
            Gradient left(stage);
            Pixels right(stage + pixels * FILTER_LINE + row * a.width * LINE, copy_bytes);
            fence_products();
#pragma unroll 4
            for (int k = 0; k < pixels / 16; k++) {
                int adds = strip > first || k > 0;
                wgmma_bf16<1, 1>(sum, left.along(k), right.along(k), adds);
                wgmma_bf16<1, 0>(bias, left.along(k), ones.along(0), adds); // by all: a branch would keep products apart
            }
            commit_products();
            wait_products<1>(sum); // those of the strip before
            __syncthreads();       // nobody reads the stage before, which is loaded over
            if (threadIdx.x == 0) load();
            if (++slot == a.stages) slot = 0, parity ^= 1;
        }
        wait_products<0>(sum);
        wait_products<0>(bias);
        ProductResult<float> to =
            split_result(a.dw, a.dbias, a.partial, blockIdx.y, a.filters, 9 * a.channels);
        store(to, row, sum);
        if (a.dbias != nullptr && channel == 0 && row == 0) store_bias(to, bias);
    }

    __device__ __forceinline__ void store(const ProductResult<float>& to, int row, const float (&sum)[SUMS]) const {
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int k = filter + threadIdx.x / 32 % 4 * 16 + 8 * half + lane / 4;
            if (k >= a.filters) continue;
#pragma unroll
            for (int j = 0; j < SUMS / 4; j++) {
                int column = 8 * j + lane % 4 * 2, s = column / CHANNELS, c = column % CHANNELS;
                float* at = to.y + (int64_t)k * to.columns + (3 * row + s) * a.channels + channel + c;
                *reinterpret_cast<float2*>(at) = make_float2(sum[4 * j + 2 * half], sum[4 * j + 2 * half + 1]);
            }
        }
    }

    // All columns of the product with ones are equal.
    __device__ __forceinline__ void store_bias(const ProductResult<float>& to, const float (&bias)[4]) const {
        int lane = threadIdx.x % 32;
        for (int half = 0; half < 2; half++) {
            int k = filter + threadIdx.x / 32 % 4 * 16 + 8 * half + lane / 4;
            if (k < a.filters && lane % 4 == 0) to.row_sums[k] = bias[2 * half];
        }
    }
};

template <int CHANNELS>
__device__ __forceinline__ void conv2d_backward_weight_sm90(const ConvWeightSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    ConvWeightSm90<CHANNELS>(a, dynamic).run();
}

KERNEL_RESIDENT(conv2d_backward_weight_sm90_32, ConvWeightSm90Args, CONV_WEIGHT_SM90_THREADS, 1) {
    conv2d_backward_weight_sm90<32>(a);
}
KERNEL_RESIDENT(conv2d_backward_weight_sm90_64, ConvWeightSm90Args, CONV_WEIGHT_SM90_THREADS, 1) {
    conv2d_backward_weight_sm90<64>(a);
}

#else

KERNEL_RESIDENT(conv2d_backward_weight_sm90_32, ConvWeightSm90Args, CONV_WEIGHT_SM90_THREADS, 1) {}
KERNEL_RESIDENT(conv2d_backward_weight_sm90_64, ConvWeightSm90Args, CONV_WEIGHT_SM90_THREADS, 1) {}

#endif
