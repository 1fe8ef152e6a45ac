// norm_parameters.cu: gradients of the scales and shifts of norms, the second stage of group_norm_backward and
// layer_norm_backward.
//
// Math         dgamma[c] = sum_r sums[0,r,c]   dbeta[c] = sum_r sums[1,r,c], of each norm
// Shapes       sums [2,rows,C] f32, rows the images or the chunks of rows   dgamma, dbeta [C] f32
// Layout       C fastest
// Requires     threads a multiple of 32, at most 256; at most 32 norms, of the same rows
// Tiling       a block owns 8 channels of one of the two, 32 bytes of each row: one sector of device memory. 256 threads
//              take 32 rows at a time, 16 loads each on their way together. Few threads and many blocks: with 32 channels
//              and 1,024 threads the grid was 2 blocks for C = 32. One barrier. Norms are joined because one alone is over
//              before it has filled the GPU: the 46 of a U-Net's step were a tenth of its launches
// Numerics     sums in f64: the rows are few. A thread's rows in order, then a tree over lanes, then over the warps in
//              order
// Determinism  run-to-run: fixed-shape sums, no atomics; the same whatever norms are joined
// Cost         one read of sums, 1/P of the tensors' size. 4.5 us measured of one norm on an H200 with wider blocks, 2.5
//              expected
// Reference    GroupNormReference, LayerNormReference (double)
#include "kernel.cuh"

constexpr int NORMS = 32;

struct NormParametersArgs {
    const float* sums[NORMS]; // [2,rows,channels]
    float* dgamma[NORMS];     // [channels]
    float* dbeta[NORMS];      // [channels]
    int channels[NORMS];
    int first_block[NORMS]; // blocks of the norms before
    int rows;
    int norms;
};
LAYOUT(NormParametersArgs, sums, dgamma, dbeta, channels, first_block, rows, norms)

constexpr int COLUMNS = 8;  // channels of a block
constexpr int AT_ONCE = 16; // loads of a thread that are on their way together: all of a batch of 512
constexpr int MOST_WARPS = 8;

KERNEL_RESIDENT(norm_parameters, NormParametersArgs, 32 * MOST_WARPS, 4) {
    __shared__ double met[MOST_WARPS][COLUMNS];
    int norm = 0;
    while (norm + 1 < a.norms && a.first_block[norm + 1] <= (int)blockIdx.x) norm++;
    int channels = a.channels[norm], block = (int)blockIdx.x - a.first_block[norm];
    int tiles = (channels + COLUMNS - 1) / COLUMNS, which = block / tiles;
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
    int channel = (block - which * tiles) * COLUMNS + lane % COLUMNS;
    double sum = 0;
    if (channel < channels) {
        int rows = blockDim.x / COLUMNS, r = threadIdx.x / COLUMNS; // at a time
        int64_t step = (int64_t)rows * channels;
        const float* at = a.sums[norm] + ((int64_t)which * a.rows + r) * channels + channel;
        for (; r < a.rows; r += AT_ONCE * rows, at += AT_ONCE * step) {
            float row[AT_ONCE];
            for (int i = 0; i < AT_ONCE; i++) row[i] = r + i * rows < a.rows ? at[i * step] : 0.0f;
            for (int i = 0; i < AT_ONCE; i++) sum += row[i];
        }
    }
    for (int distance = COLUMNS; distance < 32; distance *= 2) sum += __shfl_xor_sync(~0u, sum, distance);
    if (lane < COLUMNS) met[warp][lane] = sum;
    __syncthreads(); // the sums of all warps are there
    if (threadIdx.x >= COLUMNS || channel >= channels) return;
    sum = 0;
    for (int w = 0; w < warps; w++) sum += met[w][lane];
    (which == 0 ? a.dgamma[norm] : a.dbeta[norm])[channel] = (float)sum;
}
