// norm_parameters.cu: gradients of a norm's scale and shift, the second stage of group_norm_backward and
// layer_norm_backward.
//
// Math         dgamma[c] = sum_r sums[0,r,c]   dbeta[c] = sum_r sums[1,r,c]
// Shapes       sums [2,rows,C] f32, rows the images or the chunks of rows   dgamma, dbeta [C] f32
// Layout       C fastest
// Requires     threads a multiple of 32, at most 256
// Tiling       a block owns 8 channels of one of the two, 32 bytes of each row: one sector of device memory. 256 threads
//              take 32 rows at a time, 16 loads each on their way together. Few threads and many blocks: with 32 channels
//              and 1,024 threads the grid was 2 blocks for C = 32. One barrier
// Numerics     sums in f64: the rows are few. A thread's rows in order, then a tree over lanes, then over the warps in
//              order
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         one read of sums, 1/P of the tensor's size: latency-bound. 4.5 us measured on an H200 with the wider blocks,
//              2.5 expected
// Reference    GroupNormReference, LayerNormReference (double)
#include "kernel.cuh"

struct NormParametersArgs {
    const float* sums; // [2,rows,channels]
    float* dgamma;     // [channels]
    float* dbeta;      // [channels]
    int64_t rows;
    int channels;
};
LAYOUT(NormParametersArgs, sums, dgamma, dbeta, rows, channels)

constexpr int COLUMNS = 8;  // channels of a block
constexpr int AT_ONCE = 16; // loads of a thread that are on their way together: all of a batch of 512
constexpr int MOST_WARPS = 8;

KERNEL_RESIDENT(norm_parameters, NormParametersArgs, 32 * MOST_WARPS, 4) {
    __shared__ double met[MOST_WARPS][COLUMNS];
    int tiles = (a.channels + COLUMNS - 1) / COLUMNS, which = blockIdx.x / tiles;
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
    int channel = (int)(blockIdx.x % tiles) * COLUMNS + lane % COLUMNS;
    double sum = 0;
    if (channel < a.channels) {
        const float* sums = a.sums + which * a.rows * a.channels + channel;
        int rows = blockDim.x / COLUMNS; // at a time
        for (int64_t r = threadIdx.x / COLUMNS; r < a.rows; r += AT_ONCE * rows) {
            float row[AT_ONCE];
            for (int i = 0; i < AT_ONCE; i++) row[i] = r + i * rows < a.rows ? sums[(r + i * rows) * a.channels] : 0.0f;
            for (int i = 0; i < AT_ONCE; i++) sum += row[i];
        }
    }
    for (int distance = COLUMNS; distance < 32; distance *= 2) sum += __shfl_xor_sync(~0u, sum, distance);
    if (lane < COLUMNS) met[warp][lane] = sum;
    __syncthreads(); // the sums of all warps are there
    if (threadIdx.x >= COLUMNS || channel >= a.channels) return;
    sum = 0;
    for (int w = 0; w < warps; w++) sum += met[w][lane];
    (which == 0 ? a.dgamma : a.dbeta)[channel] = (float)sum;
}
