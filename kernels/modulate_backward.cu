// modulate_backward.cu: gradient of y[n,p,c] = x[n,p,c] (1 + scale[n,c]) + shift[n,c].
//
// Math         dx = dy (1 + scale)   dscale[n,c] = sum_p dy x   dshift[n,c] = sum_p dy
// Shapes       dy, x, dx [N,P,C]   scale, dscale, dshift [N,C]
// Layout       C fastest
// Requires     nothing
// Tiling       a block owns 32 channels of an image: 8 pixels at a time, 64 or 128 bytes of each
// Numerics     sums of 16 in f32, f64 from there on, rounded once
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         two reads and one write: memory-bound
// Reference    ModulateReference (double)
#include "bf16.cuh"
#include "sums.cuh"

struct ModulateBackwardArgs {
    const void* dy;    // [N,P,C]
    const void* x;     // [N,P,C]
    const void* scale; // [N,C]
    void* dx;          // [N,P,C]
    void* dscale;      // [N,C]
    void* dshift;      // [N,C]
    int64_t pixels;
    int channels;
};
LAYOUT(ModulateBackwardArgs, dy, x, scale, dx, dscale, dshift, pixels, channels)

template <class T>
__device__ __forceinline__ void modulate_backward(const ModulateBackwardArgs& a) {
    __shared__ double scratch[256];
    int tiles = (a.channels + 31) / 32;
    int64_t image = blockIdx.x / tiles;
    int channel = (int)(blockIdx.x % tiles) * 32 + threadIdx.x % 32;
    int64_t at = image * a.channels + channel; // in [N,C]
    double sum[2] = {};
    if (channel < a.channels) {
        float factor = 1.0f + to_float(((const T*)a.scale)[at]);
        int64_t start = image * a.pixels * a.channels + channel;
        blocked_sums<2>(threadIdx.x / 32, a.pixels, 8, sum, [&](int64_t p, float(&part)[2]) {
            int64_t i = start + p * a.channels;
            float dy = to_float(((const T*)a.dy)[i]);
            part[0] += dy * to_float(((const T*)a.x)[i]);
            part[1] += dy;
            ((T*)a.dx)[i] = from_float<T>(dy * factor);
        });
    }
    fold_columns<2>(sum, 32, scratch);
    if (threadIdx.x < 32 && channel < a.channels) {
        ((T*)a.dscale)[at] = from_float<T>((float)sum[0]);
        ((T*)a.dshift)[at] = from_float<T>((float)sum[1]);
    }
}

KERNEL(modulate_backward_f32, ModulateBackwardArgs, 256) { modulate_backward<float>(a); }
KERNEL(modulate_backward_bf16, ModulateBackwardArgs, 256) { modulate_backward<bf16>(a); }
