// conv2d_taps_head.cu: 3x3 convolutions from many channels to one (a head) in bf16 on tensor cores, alone or with the squared error
// of its result and that one's gradient.
//
// Math         p[n,h,w] = bias + sum_{r,s,c} x[n,h+r-1,w+s-1,c] w[r,s,c], x zero outside
//              conv2d_taps_head        y = p
//              conv2d_taps_head_loss   y = factor (p - target), partial = sum (p - target)^2 over the pixels of each piece
// Shapes       as TapsHeadArgs
// Layout       C fastest
// Requires     W a multiple of 16, at most 208; C a multiple of 8; x, w and y 16-byte aligned; one image fits in 31 bits
// Tiling       a block has a piece, a band of rows of an image, and the rows above and below: at most 640 pixels in all, of which 32
//              channels at a time are in shared memory. Products [pixels,channels][channels,16 taps] give what each pixel
//              adds to its nine neighbours, in registers over all channels, then in shared memory, where each pixel finds its nine
// Numerics     f32 sums, over channels, then over taps in order from the bias on. p is not rounded before target is taken off.
//              Squares of a thread's pixels in f32, f64 from there on
// Determinism  run-to-run, and the same on every device: fixed order; a piece's pixels depend on the width alone
// Cost         32*N*H*W*C flop as products, 18 of which count; x is read (rows + 2) / rows times, all but once from L2. N=512,
//              32x32, 32 channels: 34 MB, 8 us at 4.3 TB/s. NOT MEASURED
// Reference    Conv2dReference, MeanSquaredErrorReference (double)
#include "async_copy.cuh"
#include "mma.cuh"

struct TapsHeadArgs {
    const void* x;       // [images,height,width,channels]
    const void* w;       // [3,3,channels]
    const float* bias;   // [1] or null
    const float* target; // [images,height,width]; `_loss` only
    void* y;             // [images,height,width]
    double* partial;     // [pieces]; `_loss` only
    int images;
    int height;
    int width;
    int channels;
    float factor; // `_loss` only
};
LAYOUT(TapsHeadArgs, x, w, bias, target, y, partial, images, height, width, channels, factor)

constexpr int HEAD_THREADS = 256, HEAD_WARPS = HEAD_THREADS / 32;
constexpr int HEAD_PIXELS = 640, HEAD_SIXTEENS = HEAD_PIXELS / 16 / HEAD_WARPS; // of a block, and of a warp
constexpr int HEAD_CHANNELS = 32, HEAD_ROW = HEAD_CHANNELS + 8; // at a time, and a pixel's row in shared memory
constexpr int HEAD_PITCH = HEAD_PIXELS + 4; // of a tap's row: lanes that write meet different banks
static_assert(9 * HEAD_PITCH * (int)sizeof(float) <= HEAD_PIXELS * HEAD_ROW * (int)sizeof(bf16), "taps lie where x was");

template <bool LOSS>
__device__ __forceinline__ void conv2d_taps_head(const TapsHeadArgs& a) {
    DYNAMIC_SHARED(bf16, rows);  // [HEAD_PIXELS,HEAD_ROW]
    float* taps = (float*)rows;  // then [9,HEAD_PITCH]
    __shared__ double squares[HEAD_WARPS];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    int most = HEAD_PIXELS / a.width - 2, bands = (a.height + most - 1) / most;
    int image = blockIdx.x / bands, row = ((int)blockIdx.x - image * bands) * most, count = min(most, a.height - row);
    int pixels = (count + 2) * a.width; // with the rows above and below
    int64_t corner = ((int64_t)image * a.height + row) * a.width; // the first pixel of the piece
    int first = -row * a.width, end = (a.height - row) * a.width; // those of the image, counted from there
    const bf16* x = (const bf16*)a.x + corner * a.channels;
    float sums[HEAD_SIXTEENS][2][4] = {};
#pragma unroll 1
    for (int from = 0; from < a.channels; from += HEAD_CHANNELS) {
        if (from > 0) __syncthreads(); // nobody reads the channels before any more
#pragma unroll 2
        for (int i = threadIdx.x; i < HEAD_PIXELS * HEAD_CHANNELS / 8; i += HEAD_THREADS) {
            int pixel = i / (HEAD_CHANNELS / 8), c = i % (HEAD_CHANNELS / 8) * 8, at = pixel - a.width;
            bool is = pixel < pixels && at >= first && at < end && from + c < a.channels;
            copy_async<16>(rows + pixel * HEAD_ROW + c, x + (is ? at * a.channels + from + c : 0), is);
        }
        commit_copies();
        unsigned filters[HEAD_CHANNELS / 16][2][2]; // channels as rows, taps as columns
#pragma unroll
        for (int k = 0; k < HEAD_CHANNELS / 16; k++) {
            for (int i = 0; i < 4; i++) {
                int tap = i / 2 * 8 + g, c = from + 16 * k + i % 2 * 8 + 2 * t;
                bool is = tap < 9 && c < a.channels;
                filters[k][i / 2][i % 2] = is ? *(const unsigned*)((const bf16*)a.w + tap * a.channels + c) : 0u;
            }
        }
        wait_copies<0>();
        __syncthreads(); // these channels are there
#pragma unroll
        for (int s = 0; s < HEAD_SIXTEENS; s++) {
            const bf16* at = rows + (16 * (warp + s * HEAD_WARPS) + lane / 8 % 2 * 8 + lane % 8) * HEAD_ROW + lane / 16 * 8;
#pragma unroll
            for (int k = 0; k < HEAD_CHANNELS / 16; k++) {
                unsigned left[4];
                load_matrix(left, at + 16 * k);
                for (int j = 0; j < 2; j++) mma_bf16(sums[s][j], left, filters[k][j]);
            }
        }
    }
    __syncthreads(); // nobody reads channels any more
#pragma unroll
    for (int s = 0; s < HEAD_SIXTEENS; s++) {
        float* at = taps + 16 * (warp + s * HEAD_WARPS) + g;
        for (int i = 0; i < 4; i++) at[(2 * t + i % 2) * HEAD_PITCH + i / 2 * 8] = sums[s][0][i];
        if (t == 0) at[8 * HEAD_PITCH] = sums[s][1][0], at[8 * HEAD_PITCH + 8] = sums[s][1][2];
    }
    __syncthreads(); // what all pixels add is there
    float bias = a.bias == nullptr ? 0.0f : a.bias[0], square = 0;
#pragma unroll 1
    for (int pixel = threadIdx.x; pixel < count * a.width; pixel += HEAD_THREADS) {
        int column = pixel % a.width;
        float sum = bias;
#pragma unroll
        for (int tap = 0; tap < 9; tap++) {
            int r = tap / 3, s = tap % 3;
            bool inside = s == 1 || (unsigned)(column + s - 1) < (unsigned)a.width;
            sum += inside ? taps[tap * HEAD_PITCH + pixel + r * a.width + s - 1] : 0.0f;
        }
        if (LOSS) {
            sum -= a.target[corner + pixel];
            square += sum * sum;
            sum *= a.factor;
        }
        ((bf16*)a.y)[corner + pixel] = from_float<bf16>(sum);
    }
    if constexpr (LOSS) {
        double total = square;
        for (int lanes = 16; lanes > 0; lanes /= 2) total += __shfl_xor_sync(~0u, total, lanes);
        if (lane == 0) squares[warp] = total;
        __syncthreads(); // those of all warps are there
        if (threadIdx.x > 0) return;
        total = 0;
        for (int w = 0; w < HEAD_WARPS; w++) total += squares[w];
        a.partial[blockIdx.x] = total;
    }
}

// The entry for replicas needs registers to find its arguments.
KERNEL_RESIDENT_ROOMY(conv2d_taps_head, TapsHeadArgs, HEAD_THREADS, 3, 2) { conv2d_taps_head<false>(a); }
KERNEL_RESIDENT_ROOMY(conv2d_taps_head_loss, TapsHeadArgs, HEAD_THREADS, 3, 2) { conv2d_taps_head<true>(a); }
