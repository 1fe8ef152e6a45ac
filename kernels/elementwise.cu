// elementwise.cu: operations on each element alone, with at most one number per image or per image and channel.
//
// Math         activation    y = f(x): 0 SiLU x sigmoid(x), 1 GELU x (1 + erf(x/sqrt 2))/2, 2 ReLU max(x,0), 3 tanh;
//                            backward dx = dy f'(x)
//              add, multiply y = x + z, x z             scale  y = factor x + shift
//              mix           y[n,...] = a[n] x[n,...] + b[n] z[n,...]
//              squared_error_backward   dx = 2 weight dloss (x - z)
//              add_channels  y[n,...,c] = x[n,...,c] + v[n,c]
//              modulate      y[n,...,c] = x[n,...,c] (1 + v[n,c]) + z[n,c]
//              clamp         y = min(max(x, low), high) where x is finite, else x
//              cast, fill
// Shapes       x, y, z, dy [elements]; [N,...,C] where a number per image or channel is used
// Layout       C fastest
// Requires     nothing; y may be x
// Tiling       one thread per element, blocks of 256: memory-bound
// Numerics     computed in f32, rounded once; `mix` is fma(a, x, b z) as on every device, bit for bit. SiLU's sigmoid
//              is 1/(1 + exp(-x)) with the accurate expf: __expf's error grows with |x|
// Determinism  run-to-run: every element is written by one thread
// Cost         one read of every input, one write; 1 to 20 flop per element
// Reference    ActivationReference, AddReference, MultiplyReference, ScaleReference, MixReference,
//              MeanSquaredErrorReference, AddChannelsReference, ModulateReference, ClampReference, CastReference,
//              FillReference (double)
#include "bf16.cuh"

struct ElementArgs {
    const void* x;
    const void* z;  // second operand: dy of a backward activation, target of the squared error, shift of `modulate`
    const void* v;  // [N,C]; null where the operation has none
    const float* a; // [N] or [1]; `squared_error_backward`: dloss [1]
    const float* b; // [N] or [1]
    void* y;
    int64_t n;         // elements
    int64_t per_image; // elements of an image
    int channels;
    int a_per_image; // 0: one for all images
    int b_per_image;
    int kind;     // of activation
    float factor; // `scale`; `squared_error_backward`: 2 weight; `clamp`: low
    float shift;  // `scale`; `clamp`: high
};
LAYOUT(ElementArgs, x, z, v, a, b, y, n, per_image, channels, a_per_image, b_per_image, kind, factor, shift)

enum { SILU, GELU, RELU, TANH };

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

__device__ __forceinline__ float activated(float x, int kind) {
    switch (kind) {
        case SILU: return x * sigmoid(x);
        case GELU: return 0.5f * x * (1.0f + erff(x * 0.70710678f));
        case RELU: return x > 0.0f || x != x ? x : 0.0f; // NaN stays NaN
        default: return tanhf(x);
    }
}

__device__ __forceinline__ float slope(float x, int kind) {
    switch (kind) {
        case SILU: {
            float s = sigmoid(x);
            return s * (1.0f + x * (1.0f - s));
        }
        case GELU: return 0.5f * (1.0f + erff(x * 0.70710678f)) + x * expf(-0.5f * x * x) * 0.39894228f;
        case RELU: return x > 0.0f ? 1.0f : 0.0f;
        default: {
            float t = tanhf(x);
            return 1.0f - t * t;
        }
    }
}

__device__ __forceinline__ float clamped(float x, float low, float high) {
    return x - x == 0.0f ? fminf(fmaxf(x, low), high) : x;
}

template <class T>
struct Elements {
    const ElementArgs& a;
    int64_t i;

    __device__ float x() const { return to_float(((const T*)a.x)[i]); }
    __device__ float z() const { return to_float(((const T*)a.z)[i]); }
    __device__ int64_t image() const { return i / a.per_image; }
    __device__ int64_t channel() const { return image() * a.channels + i % a.channels; }
    __device__ float per_channel(const void* v) const { return to_float(((const T*)v)[channel()]); }
    __device__ void write(float y) const { ((T*)a.y)[i] = from_float<T>(y); }
};

#define ELEMENT_KERNEL(name, expression)                                            \
    KERNEL(name##_f32, ElementArgs, 256) {                                          \
        Elements<float> e {a, blockIdx.x * (int64_t)blockDim.x + threadIdx.x};      \
        if (e.i < a.n) e.write(expression);                                         \
    }                                                                               \
    KERNEL(name##_bf16, ElementArgs, 256) {                                         \
        Elements<bf16> e {a, blockIdx.x * (int64_t)blockDim.x + threadIdx.x};       \
        if (e.i < a.n) e.write(expression);                                         \
    }

ELEMENT_KERNEL(activation, activated(e.x(), a.kind))
ELEMENT_KERNEL(activation_backward, e.z() * slope(e.x(), a.kind))
ELEMENT_KERNEL(add, e.x() + e.z())
ELEMENT_KERNEL(multiply, e.x() * e.z())
ELEMENT_KERNEL(scale, __fadd_rn(__fmul_rn(e.x(), a.factor), a.shift))
ELEMENT_KERNEL(clamp, clamped(e.x(), a.factor, a.shift))
ELEMENT_KERNEL(mix, __fmaf_rn(a.a[a.a_per_image ? e.image() : 0], e.x(),
                              __fmul_rn(a.b[a.b_per_image ? e.image() : 0], e.z())))
ELEMENT_KERNEL(squared_error_backward, (e.x() - e.z()) * (a.factor * a.a[0]))
ELEMENT_KERNEL(add_channels, e.x() + e.per_channel(a.v))
ELEMENT_KERNEL(modulate, e.x() * (1.0f + e.per_channel(a.v)) + e.per_channel(a.z))

struct CastArgs {
    const void* x;
    void* y;
    int64_t n;
    int from; // 0 f32, 1 bf16, 2 i32, 3 u8
    int to;   // 0 f32, 1 bf16
};
LAYOUT(CastArgs, x, y, n, from, to)

KERNEL(cast, CastArgs, 256) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    float value = 0;
    switch (a.from) {
        case 0: value = ((const float*)a.x)[i]; break;
        case 1: value = to_float(((const bf16*)a.x)[i]); break;
        case 2: value = (float)((const int32_t*)a.x)[i]; break;
        default: value = (float)((const uint8_t*)a.x)[i]; break;
    }
    if (a.to == 0) {
        ((float*)a.y)[i] = value;
    } else {
        ((bf16*)a.y)[i] = from_float<bf16>(value);
    }
}

struct FillArgs {
    void* y;
    int64_t n;
    uint32_t bits; // of the element, in its low bytes
    int bytes;     // 4, 2 or 1
};
LAYOUT(FillArgs, y, n, bits, bytes)

KERNEL(fill, FillArgs, 256) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= a.n) return;
    switch (a.bytes) {
        case 4: ((uint32_t*)a.y)[i] = a.bits; break;
        case 2: ((uint16_t*)a.y)[i] = (uint16_t)a.bits; break;
        default: ((uint8_t*)a.y)[i] = (uint8_t)a.bits; break;
    }
}
