// conv2d_backward_weight_sm90.cu: the gradients of a 3x3 convolution with respect to filter and bias by the copy engine and
// the matrix instructions of sm_90.
//
// Math         as conv2d_backward_weight_halo.cu: nine products with the same factors
// Shapes       as conv2d_backward_weight_halo.cu
// Layout       C and K fastest
// Requires     compute capability 9.0: on others the kernels are empty and must not be launched. stride 1, padding 1; W 8 or
//              a multiple of 16; a strip of `lines` rows is a multiple of 16 pixels; C a multiple of CHANNELS, K of 32;
//              16-byte aligned
// Tiling       a block owns 64 filters x CHANNELS x nine taps and a range of strips, `lines` whole rows of an image. Of a
//              strip come dy, and x once with the pixels around it, as in conv2d_sm90.cuh. Pixels are the depth, so both
//              operands are read across their lines. Three groups of four warps, one for each row of the filter, multiply
//              the same dy by x as the three columns of the filter see it, a line apart: 64 x 3 CHANNELS x 16 an instruction,
//              96 or 48 sums a thread; the sums of dy are a product with ones, by one of the groups of the first channels.
//              Of an enlarged x the pixels of dy of one parity are a strip, and the columns fall on lines that are not
//              evenly apart: three instructions. One block on a multiprocessor
// Numerics     f32 sums in the order of the tensor cores over a block's strips, then over splits
// Determinism  run-to-run; tile and splits depend on the shapes alone
// Cost         18*N*H*W*K*C flop, twice as much where K is 32; dy is read C/CHANNELS times, x about 1.4 times for 64 filters,
//              all but once from L2; dw is written once per split. N=512, 8x8, C=K=128: 9.7 GFLOP, 33 splits of 0.6 MB: 12 us
//              at 800 TFLOP/s, and 9 us for the splits
// Reference    Conv2dReference.backwardWeight (double); common/wgmma_bf16.cuh, common/tensor_copy.cuh
#include "tensor_copy.cuh"
#include "tile_store.cuh"
#include "wgmma_bf16.cuh"

struct ConvWeightSm90Args {
    TensorMap image;    // x [images,height,1,width,channels]: boxes [1,lines + 2,1,width + 2,CHANNELS]
    TensorMap gradient; // dy as planes like x, as in conv2d_sm90.cuh: boxes [1,lines,1,width,64]
    float* dw;          // [filters,9,channels]
    float* dbias;       // [filters] or null
    float* partial;     // [splits][dw, then dbias], or null if there is one split
    int images;
    int height; // of x
    int width;
    int channels;
    int filters;
    int planes; // of dy: 1, or 4 of one parity each where x is enlarged
    int lines;
    int strips_per_split;
    int stages; // of the ring in shared memory
};
LAYOUT(ConvWeightSm90Args, image, gradient, dw, dbias, partial, images, height, width, channels, filters, planes,
       lines, strips_per_split, stages)

constexpr int CONV_WEIGHT_SM90_THREADS = 384, CONV_WEIGHT_SM90_STAGES = 8;

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

struct ConvWeightSm90Shared {
    uint64_t loaded[CONV_WEIGHT_SM90_STAGES]; // barriers
    int strip, plane, slot;                   // of the thread that copies
    alignas(512) bf16 ones[256];              // 8 lines of 64 bytes: every value of an operand of ones
};
constexpr int CONV_WEIGHT_SM90_STATE = 1024;
static_assert(sizeof(ConvWeightSm90Shared) <= CONV_WEIGHT_SM90_STATE, "state");

template <int CHANNELS, bool ENLARGED>
struct ConvWeightSm90 {
    static constexpr int FILTERS = 64, LINE = 2 * CHANNELS, FILTER_LINE = 2 * FILTERS, SUMS = 3 * CHANNELS / 2;
    using Gradient = ProductOperand<FILTER_LINE, Fastest::OUTER>;
    using Pixels = ProductOperand<LINE, Fastest::OUTER>;
    using Ones = ProductOperand<64, Fastest::DEPTH>;

    const ConvWeightSm90Args& a;
    ConvWeightSm90Shared& shared;
    unsigned char* ring; // stages of dy and a box of x, each from a multiple of 1024 bytes on
    int filter, channel, first, end, per_image, gradient_bytes, box_bytes;

    __device__ __forceinline__ ConvWeightSm90(const ConvWeightSm90Args& a, unsigned char* dynamic)
        : a(a), shared(*reinterpret_cast<ConvWeightSm90Shared*>(dynamic)), ring(dynamic + CONV_WEIGHT_SM90_STATE) {
        int across = a.channels / CHANNELS;
        filter = (int)blockIdx.x / across * FILTERS;
        channel = (int)blockIdx.x % across * CHANNELS;
        per_image = (a.height + a.lines - 1) / a.lines;
        first = blockIdx.y * a.strips_per_split;
        end = min(first + a.strips_per_split, a.images * per_image);
        gradient_bytes = a.lines * a.width * FILTER_LINE;
        box_bytes = (a.lines + 2) * (a.width + 2) * LINE;
    }

    __device__ __forceinline__ int stage_bytes() const { return (gradient_bytes + box_bytes + 1023) & ~1023; }

    // One thread: the next strip of this block, if there is one; all planes of a strip follow one another.
    __device__ __forceinline__ void load() {
        if (shared.strip >= end) return;
        uint64_t* barrier = shared.loaded + shared.slot;
        unsigned char* stage = ring + shared.slot * stage_bytes();
        int image = shared.strip / per_image, row = (shared.strip - image * per_image) * a.lines;
        expect_bulk(barrier, gradient_bytes + box_bytes);
        copy_box(stage, a.gradient, shared.plane % 2 * a.filters + filter, 0, shared.plane / 2, row, image, barrier);
        copy_box(stage + gradient_bytes, a.image, channel, -1, 0, row - 1, image, barrier);
        shared.slot = shared.slot + 1 == a.stages ? 0 : shared.slot + 1;
        if (++shared.plane == a.planes) {
            shared.plane = 0;
            shared.strip++;
        }
    }

    __device__ __forceinline__ void start() {
        if (threadIdx.x < 128) reinterpret_cast<unsigned*>(shared.ones)[threadIdx.x] = 0x3f803f80u;
        fence_shared();
        if (threadIdx.x == 0) {
            for (int i = 0; i < a.stages; i++) init_bulk_barrier(shared.loaded + i);
            shared.strip = first;
            shared.plane = shared.slot = 0;
            for (int i = 0; i < a.stages - 1; i++) load();
        }
        __syncthreads(); // the barriers of the copies and the ones are there
    }

    // The row of the box on which row `r` of the filter falls, or the column; `parity` of the pixels of dy.
    __device__ __forceinline__ static int fallen(int r, int parity) { return ENLARGED ? (r + parity + 1) / 2 : r; }

    // The products of one strip, for one row of the filter; BIASED: and the sums of dy.
    template <bool BIASED>
    __device__ __forceinline__ void multiply(float (&sum)[SUMS], float (&bias)[4], const Gradient& left, const Pixels& right,
                                             int columns, bool begun) const {
        int line = (a.width + 2) * LINE, place = 0, column = 0; // of 16 pixels in the box
        bool narrow = a.width == 8;                             // they are two rows
        Ones ones(shared.ones);
#pragma unroll 4
        for (int k = 0; k < a.lines * a.width / 16; k++) {
            int adds = begun || k > 0;
            if constexpr (ENLARGED) {
#pragma unroll
                for (int s = 0; s < 3; s++) {
                    auto& part = reinterpret_cast<float(&)[CHANNELS / 2]>(sum[s * CHANNELS / 2]);
                    wgmma_bf16<1, 1>(part, left.at(k * 16 * FILTER_LINE), right.at(place + fallen(s, columns) * LINE), adds);
                }
            } else {
                wgmma_bf16<1, 1>(sum, left.at(k * 16 * FILTER_LINE), right.at(place), adds);
            }
            if constexpr (BIASED) wgmma_bf16<1, 0>(bias, left.at(k * 16 * FILTER_LINE), ones.at(0), adds);
            column += 16;
            bool wraps = column >= a.width;
            place += narrow ? 2 * line : wraps ? 18 * LINE : 16 * LINE;
            if (wraps) column = 0;
        }
    }

    __device__ __forceinline__ void run() {
        start();
        // By a shuffle, that the compiler knows it to be the same for a warp: else it would serialise what a branch begins.
        int row = __shfl_sync(~0u, (int)threadIdx.x / 128, 0), slot = 0, parity = 0; // of the filter
        bool biased = a.dbias != nullptr && channel == 0 && row == 0;
        float sum[SUMS], bias[4];
        int strips = (end - first) * a.planes;
        for (int strip = 0; strip < strips; strip++) {
            const unsigned char* stage = ring + slot * stage_bytes();
            int plane = ENLARGED ? strip % 4 : 0, line = (a.width + 2) * LINE;
            wait_bulk(shared.loaded + slot, parity);
            Gradient left(stage);
            Pixels right(stage + gradient_bytes + fallen(row, plane / 2) * line, a.width == 8 ? line : 8 * LINE, LINE);
            fence_products();
            if (biased) {
                multiply<true>(sum, bias, left, right, plane % 2, strip > 0);
            } else {
                multiply<false>(sum, bias, left, right, plane % 2, strip > 0);
            }
            commit_products();
            wait_products<1>(sum); // those of the strip before
            __syncthreads();       // nobody reads the stage before, which is loaded over
            if (threadIdx.x == 0) load();
            if (++slot == a.stages) slot = 0, parity ^= 1;
        }
        wait_products<0>(sum);
        wait_products<0>(bias);
        ProductResult<float> to = split_result(a.dw, a.dbias, a.partial, blockIdx.y, a.filters, 9 * a.channels);
        store(to, row, sum);
        if (biased) store_bias(to, bias);
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

template <int CHANNELS, bool ENLARGED>
__device__ __forceinline__ void conv2d_backward_weight_sm90(const ConvWeightSm90Args& a) {
    DYNAMIC_SHARED(unsigned char, dynamic);
    ConvWeightSm90<CHANNELS, ENLARGED>(a, dynamic).run();
}

#define CONV_WEIGHT_SM90(name, channels, enlarged)                            \
    KERNEL_RESIDENT(name, ConvWeightSm90Args, CONV_WEIGHT_SM90_THREADS, 1) { \
        conv2d_backward_weight_sm90<channels, enlarged>(a);                  \
    }

#else

#define CONV_WEIGHT_SM90(name, channels, enlarged) \
    KERNEL_RESIDENT(name, ConvWeightSm90Args, CONV_WEIGHT_SM90_THREADS, 1) {}

#endif

CONV_WEIGHT_SM90(conv2d_backward_weight_sm90_32, 32, false)
CONV_WEIGHT_SM90(conv2d_backward_weight_sm90_64, 64, false)
CONV_WEIGHT_SM90(conv2d_upsampled_backward_weight_sm90_32, 32, true)
CONV_WEIGHT_SM90(conv2d_upsampled_backward_weight_sm90_64, 64, true)
