// optimizer.cu: what ends a training step: learning rate, norm and clipping of the gradients, the update of all
// parameters over flat buffers, their moving average and bf16 copy, the recorded loss and the step counter.
//
// Math         learning_rate  peak (s+1)/warmup, then peak, or last + (peak-last)(1+cos(pi progress))/2
//              global_norm    sqrt(sum x^2), by chunks of 4096
//              clip_scale     min(1, limit / (norm + 1e-6)); NaN if the norm is not finite
//              sgd            g' = scale g + decay p   v = momentum v + g' (v = g' at step 0)   p = p - lr v
//              adam           g' = scale g (+ decay p)   m = b1 m + (1-b1) g'   v = b2 v + (1-b2) g'^2
//                             p = p keep - rate m / (sqrt(v correction) + eps), keep = 1 - lr decay if decoupled
//              ema            e = e + (1 - decay)(p - e); e = p at step 0
//              record         ring[step mod capacity] = value           advance   step = step + 1
// Shapes       parameters, gradients, moments, average, copy [n]; lr, scale, norm, value [1]; step [1] i32
// Layout       flat
// Requires     nothing; `average` and `copy` may be null
// Tiling       update: one thread per element, blocks of 256: memory-bound. norm: one block of 256 per chunk, then one
//              block over the chunks
// Numerics     squares summed in double, as the norm decides on clipping; bias corrections in double once per block.
//              The element's arithmetic in f32 without contraction, in the order of the CPU device
// Determinism  run-to-run: fixed-shape sums, no atomics
// Cost         adam reads 16 and writes 12 bytes per parameter, with average 20 and 16, with copy 2 more written
// Reference    LearningRateReference, GlobalNormReference, ClipScaleReference, SgdUpdateReference, AdamUpdateReference,
//              EmaUpdateReference, RecordValueReference, AdvanceReference (double)
#include "bf16.cuh"

constexpr int NORM_CHUNK = 4096;

struct UpdateArgs {
    float* p;           // [n]
    const float* g;     // [n]
    float* m;           // [n]; sgd: the momentum
    float* v;           // [n]; null for sgd
    const float* lr;    // [1]
    const float* scale; // [1]
    const int32_t* step;
    bf16* copy;     // [n], null if there is none
    float* average; // [n], null if there is none
    int64_t n;
    float beta1; // sgd: the momentum
    float beta2;
    float eps;
    float decay;
    float average_share; // 1 - decay of the average
    int decoupled;
};
LAYOUT(UpdateArgs, p, g, m, v, lr, scale, step, copy, average, n, beta1, beta2, eps, decay, average_share, decoupled)

__device__ __forceinline__ void finish(const UpdateArgs& a, int64_t i, float p, int step) {
    a.p[i] = p;
    if (a.copy != nullptr) a.copy[i] = from_float<bf16>(p);
    if (a.average != nullptr) {
        float e = a.average[i];
        float share = step == 0 ? 1.0f : a.average_share;
        a.average[i] = __fadd_rn(__fmul_rn(__fadd_rn(p, -e), share), e);
    }
}

KERNEL(sgd_update, UpdateArgs, 256) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    int step = a.step[0];
    float p = a.p[i];
    float g = __fadd_rn(__fmul_rn(a.g[i], a.scale[0]), __fmul_rn(p, a.decay));
    float v = __fadd_rn(__fmul_rn(a.m[i], step == 0 ? 0.0f : a.beta1), g);
    a.m[i] = v;
    finish(a, i, __fadd_rn(p, -__fmul_rn(v, a.lr[0])), step);
}

KERNEL(adam_update, UpdateArgs, 256) {
    __shared__ float shared[3]; // rate, correction, keep
    int step = a.step[0];
    if (threadIdx.x == 0) {
        double k = step + 1.0, lr = a.lr[0];
        shared[0] = (float)(lr / (1.0 - pow((double)a.beta1, k)));
        shared[1] = (float)(1.0 / (1.0 - pow((double)a.beta2, k)));
        shared[2] = a.decoupled ? (float)(1.0 - lr * a.decay) : 1.0f;
    }
    __syncthreads(); // the three numbers are there
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    float p = a.p[i];
    float decayed = a.decoupled ? 0.0f : a.decay;
    float g = __fadd_rn(__fmul_rn(a.g[i], a.scale[0]), __fmul_rn(p, decayed));
    float m = __fadd_rn(__fmul_rn(a.m[i], a.beta1), __fmul_rn(g, 1.0f - a.beta1));
    float v = __fadd_rn(__fmul_rn(a.v[i], a.beta2), __fmul_rn(__fmul_rn(g, g), 1.0f - a.beta2));
    a.m[i] = m;
    a.v[i] = v;
    float root = __fadd_rn(__fsqrt_rn(__fmul_rn(v, shared[1])), a.eps);
    finish(a, i, __fadd_rn(__fmul_rn(p, shared[2]), -(__fmul_rn(m, shared[0]) / root)), step);
}

struct EmaArgs {
    float* average;     // [n]
    const float* p;     // [n]
    const int32_t* step; // [1]
    int64_t n;
    float share; // 1 - decay
};
LAYOUT(EmaArgs, average, p, step, n, share)

KERNEL(ema_update, EmaArgs, 256) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    float e = a.average[i], share = a.step[0] == 0 ? 1.0f : a.share;
    a.average[i] = __fadd_rn(__fmul_rn(__fadd_rn(a.p[i], -e), share), e);
}

struct NormArgs {
    const float* x;   // [n]
    double* partials; // [chunks]
    float* y;         // [1]
    int64_t n;
    int64_t chunks;
};
LAYOUT(NormArgs, x, partials, y, n, chunks)

// Sum over a block of 256 threads, by halves: a fixed tree.
__device__ __forceinline__ double tree_sum(double x, double* scratch) {
    scratch[threadIdx.x] = x;
    __syncthreads(); // all 256 are there
    for (int half = 128; half > 0; half /= 2) {
        if ((int)threadIdx.x < half) scratch[threadIdx.x] += scratch[threadIdx.x + half];
        __syncthreads(); // this level of the tree is done
    }
    return scratch[0];
}

KERNEL(global_norm_chunks, NormArgs, 256) {
    __shared__ double scratch[256];
    int64_t begin = blockIdx.x * (int64_t)NORM_CHUNK;
    int64_t end = min(a.n, begin + NORM_CHUNK);
    double sum = 0;
    for (int64_t i = begin + threadIdx.x; i < end; i += 256) sum += (double)a.x[i] * a.x[i];
    sum = tree_sum(sum, scratch);
    if (threadIdx.x == 0) a.partials[blockIdx.x] = sum;
}

KERNEL(global_norm, NormArgs, 256) {
    __shared__ double scratch[256];
    double sum = 0;
    for (int64_t i = threadIdx.x; i < a.chunks; i += 256) sum += a.partials[i];
    sum = tree_sum(sum, scratch);
    if (threadIdx.x == 0) a.y[0] = (float)sqrt(sum);
}

struct ScalarArgs {
    const float* x;   // [1] clip_scale: the norm; record: the value
    int32_t* step;    // [1]
    float* y;         // [1]; record: the ring [capacity]
    int64_t capacity; // of the ring
    int64_t total;    // learning_rate: updates in all
    int warmup;
    int cosine;
    float peak;
    float last;
    float limit; // clip_scale
};
LAYOUT(ScalarArgs, x, step, y, capacity, total, warmup, cosine, peak, last, limit)

KERNEL(learning_rate, ScalarArgs, 1) {
    int s = a.step[0];
    double rate = a.peak;
    if (s < a.warmup) {
        rate = (double)a.peak * (s + 1.0) / a.warmup;
    } else if (a.cosine) {
        double progress = fmin(1.0, (double)(s - a.warmup) / (double)(a.total - a.warmup));
        rate = a.last + 0.5 * ((double)a.peak - a.last) * (1.0 + cos(3.14159265358979323846 * progress));
    }
    a.y[0] = (float)rate;
}

KERNEL(clip_scale, ScalarArgs, 1) {
    float norm = a.x[0];
    bool finite = norm - norm == 0.0f;
    a.y[0] = finite ? fminf(1.0f, a.limit / (norm + 1e-6f)) : norm - norm;
}

KERNEL(record_value, ScalarArgs, 1) { a.y[a.step[0] % a.capacity] = a.x[0]; }

KERNEL(advance, ScalarArgs, 1) { a.step[0] += 1; }
