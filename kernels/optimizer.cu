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
// Requires     nothing; `average` and `copy` may be null. `packed` promises alignment to 16 bytes and n a multiple of 4
// Tiling       update: 4 times 4 parameters per thread, blocks of 256: memory-bound. norm: one block of 256 per chunk, then
//              one block over the chunks
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
    int packed; // all are aligned to 16 bytes, and n is a multiple of 4
};
LAYOUT(UpdateArgs, p, g, m, v, lr, scale, step, copy, average, n, beta1, beta2, eps, decay, average_share, decoupled,
       packed)

constexpr int UPDATE_RUN = 4, UPDATE_RUNS = 4; // values of a thread at once, and how often

__device__ __forceinline__ void take(float (&x)[UPDATE_RUN], const float* from, int64_t i, const UpdateArgs& a) {
    if (a.packed) {
        float4 four = *(const float4*)(from + i);
        x[0] = four.x, x[1] = four.y, x[2] = four.z, x[3] = four.w;
        return;
    }
    for (int k = 0; k < UPDATE_RUN; k++) x[k] = i + k < a.n ? from[i + k] : 0.0f;
}

__device__ __forceinline__ void put(float* to, const float (&x)[UPDATE_RUN], int64_t i, const UpdateArgs& a) {
    if (a.packed) {
        *(float4*)(to + i) = make_float4(x[0], x[1], x[2], x[3]);
        return;
    }
    for (int k = 0; k < UPDATE_RUN; k++) {
        if (i + k < a.n) to[i + k] = x[k];
    }
}

__device__ __forceinline__ void put_copy(const float (&p)[UPDATE_RUN], int64_t i, const UpdateArgs& a) {
    if (a.packed) {
        *(uint2*)(a.copy + i) = make_uint2(pack_bf16(p[0], p[1]), pack_bf16(p[2], p[3]));
        return;
    }
    for (int k = 0; k < UPDATE_RUN; k++) {
        if (i + k < a.n) a.copy[i + k] = from_float<bf16>(p[k]);
    }
}

// new_p = f(p, g, m, v), which changes m and v, for this thread's parameters; v only if there is one.
template <bool SECOND, class F>
__device__ __forceinline__ void update(const UpdateArgs& a, int step, F f) {
    for (int run = 0; run < UPDATE_RUNS; run++) {
        int64_t i = ((blockIdx.x * (int64_t)UPDATE_RUNS + run) * blockDim.x + threadIdx.x) * UPDATE_RUN;
        if (i >= a.n) return;
        float p[UPDATE_RUN], g[UPDATE_RUN], m[UPDATE_RUN], v[UPDATE_RUN] = {}, e[UPDATE_RUN];
        take(p, a.p, i, a);
        take(g, a.g, i, a);
        take(m, a.m, i, a);
        if (SECOND) take(v, a.v, i, a);
        if (a.average != nullptr) take(e, a.average, i, a);
        for (int k = 0; k < UPDATE_RUN; k++) p[k] = f(p[k], g[k], m[k], v[k]);
        put(a.p, p, i, a);
        put(a.m, m, i, a);
        if (SECOND) put(a.v, v, i, a);
        if (a.copy != nullptr) put_copy(p, i, a);
        if (a.average != nullptr) {
            float share = step == 0 ? 1.0f : a.average_share;
            for (int k = 0; k < UPDATE_RUN; k++) e[k] = __fadd_rn(__fmul_rn(__fadd_rn(p[k], -e[k]), share), e[k]);
            put(a.average, e, i, a);
        }
    }
}

KERNEL(sgd_update, UpdateArgs, 256) {
    int step = a.step[0];
    float scale = a.scale[0], lr = a.lr[0], momentum = step == 0 ? 0.0f : a.beta1;
    update<false>(a, step, [&](float p, float gradient, float& m, float&) {
        float g = __fadd_rn(__fmul_rn(gradient, scale), __fmul_rn(p, a.decay));
        m = __fadd_rn(__fmul_rn(m, momentum), g);
        return __fadd_rn(p, -__fmul_rn(m, lr));
    });
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
    float scale = a.scale[0], decayed = a.decoupled ? 0.0f : a.decay;
    update<true>(a, step, [&](float p, float gradient, float& m, float& v) {
        float g = __fadd_rn(__fmul_rn(gradient, scale), __fmul_rn(p, decayed));
        m = __fadd_rn(__fmul_rn(m, a.beta1), __fmul_rn(g, 1.0f - a.beta1));
        v = __fadd_rn(__fmul_rn(v, a.beta2), __fmul_rn(__fmul_rn(g, g), 1.0f - a.beta2));
        float root = __fadd_rn(__fsqrt_rn(__fmul_rn(v, shared[1])), a.eps);
        return __fadd_rn(__fmul_rn(p, shared[2]), -(__fmul_rn(m, shared[0]) / root));
    });
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
