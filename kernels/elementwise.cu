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
// Requires     nothing; y may be x. `packed` promises that all tensors are aligned to 16 bytes, and that elements, those
//              of an image where `a` or `b` is per image, and channels where there is one number each, are multiples of
//              a pack
// Tiling       one thread per pack of 16 bytes, blocks of 256: memory-bound
// Numerics     computed in f32, rounded once; `mix` is fma(a, x, b z) as on every device, bit for bit. SiLU's sigmoid
//              is 1/(1 + exp(-x)) with the accurate expf: __expf's error grows with |x|
// Determinism  run-to-run: every element is written by one thread
// Cost         one read of every input, one write; 1 to 20 flop per element
// Reference    ActivationReference, AddReference, MultiplyReference, ScaleReference, MixReference,
//              MeanSquaredErrorReference, AddChannelsReference, ModulateReference, ClampReference, CastReference,
//              FillReference (double)
#include "packed.cuh"

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
    int packed;
    int kind;     // of activation
    float factor; // `scale`; `squared_error_backward`: 2 weight; `clamp`: low
    float shift;  // `scale`; `clamp`: high
};
LAYOUT(ElementArgs, x, z, v, a, b, y, n, per_image, channels, a_per_image, b_per_image, packed, kind, factor,
       shift)

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
        case SILU:
            return sigmoid(x) * (1.0f + x * sigmoid(-x)); // 1 - sigmoid(x) would cancel
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

// What an operation reads beside x: z of each element; v, or v and z, of each image and channel; a and b.
enum { NOTHING = 0, Z = 1, V = 2, Z_AND_V_OF_CHANNEL = 4, A = 8, A_AND_B = 16 };

// One element's numbers.
struct Element {
    float x, z, v, a, b;
};

template <class T>
__device__ __forceinline__ float at(const void* values, int64_t i) {
    return to_float(((const T*)values)[i]);
}

template <class T>
__device__ __forceinline__ void load(const void* values, int64_t first, float (&x)[PACKED<T>]) {
    unpack(*(const uint4*)((const T*)values + first), x);
}

__device__ __forceinline__ void read_factors(const ElementArgs& a, int reads, int64_t image, Element& e) {
    if (reads == A) e.a = a.a[0];
    if (reads == A_AND_B) e.a = a.a[a.a_per_image ? image : 0], e.b = a.b[a.b_per_image ? image : 0];
}

// y = f(element) for the PACKED elements of this thread.
template <class T, int READS, class F>
__device__ __forceinline__ void map_elements(const ElementArgs& a, F f) {
    constexpr int SIZE = PACKED<T>;
    constexpr bool PER_CHANNEL = READS == V || READS == Z_AND_V_OF_CHANNEL;
    int64_t first = (blockIdx.x * (int64_t)blockDim.x + threadIdx.x) * SIZE;
    if (first >= a.n) return;
    if (a.packed) {
        float x[SIZE], z[SIZE] = {}, v[SIZE] = {}, y[SIZE];
        int64_t image = READS == NOTHING || READS == Z ? 0 : first / a.per_image;
        int64_t channel = PER_CHANNEL ? image * a.channels + first % a.channels : 0;
        load<T>(a.x, first, x);
        if (READS == Z || READS == A || READS == A_AND_B) load<T>(a.z, first, z);
        if (READS == Z_AND_V_OF_CHANNEL) load<T>(a.z, channel, z);
        if (PER_CHANNEL) load<T>(a.v, channel, v);
        Element e = {};
        read_factors(a, READS, image, e);
#pragma unroll
        for (int i = 0; i < SIZE; i++) {
            e.x = x[i], e.z = z[i], e.v = v[i];
            y[i] = f(e);
        }
        *(uint4*)((T*)a.y + first) = pack(y);
        return;
    }
    for (int64_t i = first; i < first + SIZE && i < a.n; i++) {
        int64_t image = i / a.per_image, channel = image * a.channels + i % a.channels;
        Element e = {};
        e.x = at<T>(a.x, i);
        if (READS == Z || READS == A || READS == A_AND_B) e.z = at<T>(a.z, i);
        if (READS == Z_AND_V_OF_CHANNEL) e.z = at<T>(a.z, channel);
        if (PER_CHANNEL) e.v = at<T>(a.v, channel);
        read_factors(a, READS, image, e);
        ((T*)a.y)[i] = from_float<T>(f(e));
    }
}

#define ELEMENT_KERNEL(name, reads, expression)                                                      \
    KERNEL(name##_f32, ElementArgs, 256) {                                                           \
        map_elements<float, reads>(a, [&](const Element& e) -> float { return expression; });        \
    }                                                                                                \
    KERNEL(name##_bf16, ElementArgs, 256) {                                                          \
        map_elements<bf16, reads>(a, [&](const Element& e) -> float { return expression; });         \
    }

ELEMENT_KERNEL(activation, NOTHING, activated(e.x, a.kind))
ELEMENT_KERNEL(activation_backward, Z, e.z * slope(e.x, a.kind))
ELEMENT_KERNEL(add, Z, e.x + e.z)
ELEMENT_KERNEL(multiply, Z, e.x * e.z)
ELEMENT_KERNEL(scale, NOTHING, __fadd_rn(__fmul_rn(e.x, a.factor), a.shift))
ELEMENT_KERNEL(clamp, NOTHING, clamped(e.x, a.factor, a.shift))
ELEMENT_KERNEL(mix, A_AND_B, __fmaf_rn(e.a, e.x, __fmul_rn(e.b, e.z)))
ELEMENT_KERNEL(squared_error_backward, A, (e.x - e.z) * (a.factor * e.a))
ELEMENT_KERNEL(add_channels, V, e.x + e.v)
ELEMENT_KERNEL(modulate, Z_AND_V_OF_CHANNEL, e.x * (1.0f + e.v) + e.z)

struct CastArgs {
    const void* x;
    void* y;
    int64_t n;
    int from; // 0 f32, 1 bf16, 2 i32, 3 u8
    int to;   // 0 f32, 1 bf16
    int packed;
};
LAYOUT(CastArgs, x, y, n, from, to, packed)

constexpr int CAST = 8; // elements of a thread

__device__ __forceinline__ float number(const void* x, int from, int64_t i) {
    switch (from) {
        case 0: return ((const float*)x)[i];
        case 1: return to_float(((const bf16*)x)[i]);
        case 2: return (float)((const int32_t*)x)[i];
        default: return (float)((const uint8_t*)x)[i];
    }
}

KERNEL(cast, CastArgs, 256) {
    int64_t first = (blockIdx.x * (int64_t)blockDim.x + threadIdx.x) * CAST;
    if (first >= a.n) return;
    if (a.packed && a.from == 0 && a.to == 1) {
        const uint4* x = (const uint4*)((const float*)a.x + first);
        float low[4], high[4];
        unpack(x[0], low);
        unpack(x[1], high);
        float all[CAST] = {low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3]};
        *(uint4*)((bf16*)a.y + first) = pack(all);
        return;
    }
    if (a.packed && a.from == 1 && a.to == 0) {
        float all[CAST];
        unpack(*(const uint4*)((const bf16*)a.x + first), all);
        float low[4] = {all[0], all[1], all[2], all[3]}, high[4] = {all[4], all[5], all[6], all[7]};
        uint4* y = (uint4*)((float*)a.y + first);
        y[0] = pack(low);
        y[1] = pack(high);
        return;
    }
    for (int64_t i = first; i < first + CAST && i < a.n; i++) {
        float value = number(a.x, a.from, i);
        if (a.to == 0) {
            ((float*)a.y)[i] = value;
        } else {
            ((bf16*)a.y)[i] = from_float<bf16>(value);
        }
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
