// norm_parameters.cu: gradients of a norm's scale and shift, the second stage of group_norm_backward and
// layer_norm_backward.
//
// Math         dgamma[c] = sum_r sums[0,r,c]   dbeta[c] = sum_r sums[1,r,c]
// Shapes       sums [2,rows,C] f32, rows the images or the chunks of rows   dgamma, dbeta [C] f32
// Layout       C fastest
// Requires     threads a power of two, 32 at least
// Tiling       a block owns 32 channels of one of the two: 1,024 threads, 32 rows at a time, 16 loads each on their
//              way together, since the grid is small
// Numerics     sums in f64: the rows are few
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         one read of sums, 1/P of the tensor's size: latency-bound
// Reference    GroupNormReference, LayerNormReference (double)
#include "sums.cuh"

struct NormParametersArgs {
    const float* sums; // [2,rows,channels]
    float* dgamma;     // [channels]
    float* dbeta;      // [channels]
    int64_t rows;
    int channels;
};
LAYOUT(NormParametersArgs, sums, dgamma, dbeta, rows, channels)

constexpr int AT_ONCE = 16; // loads of a thread that are on their way together: all of a batch of 512

KERNEL_RESIDENT(norm_parameters, NormParametersArgs, 1024, 1) {
    __shared__ double scratch[1024];
    int tiles = (a.channels + 31) / 32, which = blockIdx.x / tiles;
    int channel = (int)(blockIdx.x % tiles) * 32 + threadIdx.x % 32;
    double sum[1] = {};
    if (channel < a.channels) {
        const float* sums = a.sums + which * a.rows * a.channels + channel;
        int warps = blockDim.x / 32;
        for (int64_t r = threadIdx.x / 32; r < a.rows; r += AT_ONCE * warps) {
            float row[AT_ONCE];
            for (int i = 0; i < AT_ONCE; i++) row[i] = r + i * warps < a.rows ? sums[(r + i * warps) * a.channels] : 0.0f;
            for (int i = 0; i < AT_ONCE; i++) sum[0] += row[i];
        }
    }
    fold_columns<1>(sum, 32, scratch);
    if (threadIdx.x < 32 && channel < a.channels) (which == 0 ? a.dgamma : a.dbeta)[channel] = (float)sum[0];
}
