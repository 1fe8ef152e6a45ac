// cudnn.cpp: the stand-in for cuDNN: descriptors, and 2-D convolutions as cudnn_cnn.h 9 declares them.
//
// It offers three algorithms, expected quickest first: one that is not deterministic, one that the library then refuses
// to run, and a good one, which uses its workspace. As documented for bf16, the gradient of the filters is bf16 too. A
// stride of 3 is refused altogether.
#include "vendor.h"

using vendor::Type;

namespace {

enum { SUCCESS = 0, BAD_PARAM = 2000, NOT_SUPPORTED = 3000, EXECUTION_FAILED = 5000 };
enum { DATA_FLOAT = 0, DATA_BFLOAT16 = 9, TENSOR_NHWC = 1, CROSS_CORRELATION = 1 };
enum { DEFAULT_MATH = 0, TENSOR_OP_MATH = 1, FMA_MATH = 3 };
enum { GOOD = 1, REFUSED = 2, ERRATIC = 3 };
constexpr size_t WORKSPACE_BYTES = 1000;

struct Tensor { // filters as well: n is K
    int type = -1, n = 0, c = 0, h = 0, w = 0;
};

struct Convolution {
    int pad_h = 0, pad_w = 0, stride = 1, math = DEFAULT_MATH;
};

struct Handle {
    void* stream = nullptr;
};

struct Performance { // cudnnConvolutionFwdAlgoPerf_t and its like
    int algorithm, status;
    float time;
    size_t memory;
    int deterministic, math, reserved[3];
};

Tensor& tensor(void* at) { return *static_cast<Tensor*>(at); }
Convolution& convolution(void* at) { return *static_cast<Convolution*>(at); }
Type type(const Tensor& of) { return of.type == DATA_BFLOAT16 ? Type::BF16 : Type::F32; }

int offer(const Convolution& c, int wanted, int* count, Performance* results) {
    if (c.stride == 3 || wanted < 3) return NOT_SUPPORTED;
    int algorithms[] = {ERRATIC, REFUSED, GOOD};
    for (int i = 0; i < 3; i++) {
        results[i] = {algorithms[i], SUCCESS, 1.0f + i, WORKSPACE_BYTES, algorithms[i] != ERRATIC, c.math, {}};
    }
    *count = 3;
    return SUCCESS;
}

// Hands every product of the sums to f(at_x, at_w, at_y); x [N,H,W,C], w [K,R,S,C], y [N,P,Q,K].
template <class F>
void visit(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& y, F f) {
    for (int n = 0; n < y.n; n++)
        for (int p = 0; p < y.h; p++)
            for (int q = 0; q < y.w; q++)
                for (int k = 0; k < y.c; k++)
                    for (int r = 0; r < w.h; r++)
                        for (int s = 0; s < w.w; s++) {
                            int h = p * c.stride + r - c.pad_h, v = q * c.stride + s - c.pad_w;
                            if (h < 0 || h >= x.h || v < 0 || v >= x.w) continue;
                            int64_t at_x = ((int64_t(n) * x.h + h) * x.w + v) * x.c;
                            int64_t at_w = ((int64_t(k) * w.h + r) * w.w + s) * w.c;
                            int64_t at_y = ((int64_t(n) * y.h + p) * y.w + q) * y.c + k;
                            for (int i = 0; i < x.c; i++) f(at_x + i, at_w + i, at_y);
                        }
}

struct Call {
    Handle* handle;
    Convolution convolution;
    int algorithm;
    void* workspace;
    size_t bytes;
    float alpha, beta;
};

// left * right of each product is added to the element of `result` that `choose` names: (left, right, result).
template <class F>
int run(const Call& call, const Tensor& x, const Tensor& w, const Tensor& y, const Tensor& left_of, const void* left,
        const Tensor& right_of, const void* right, const Tensor& result_of, void* result, F choose) {
    if (call.algorithm != GOOD) return call.algorithm == REFUSED ? NOT_SUPPORTED : EXECUTION_FAILED;
    if (call.workspace == nullptr || call.bytes < WORKSPACE_BYTES || call.alpha != 1 || call.beta != 0) return BAD_PARAM;
    if (x.type != w.type || w.type != y.type) return NOT_SUPPORTED;
    Convolution c = call.convolution;
    if (y.h != (x.h + 2 * c.pad_h - w.h) / c.stride + 1 || y.w != (x.w + 2 * c.pad_w - w.w) / c.stride + 1) return BAD_PARAM;
    if (x.c != w.c || y.c != w.n || x.n != y.n) return BAD_PARAM;
    bool tf32 = x.type == DATA_FLOAT && c.math != FMA_MATH;
    Type lt = type(left_of), rt = type(right_of), type_of_result = type(result_of);
    size_t elements = size_t(result_of.n) * result_of.h * result_of.w * result_of.c;
    void* workspace = call.workspace;
    int status = vendor::enqueue(call.handle->stream, [=] {
        std::memset(workspace, 0xff, WORKSPACE_BYTES); // NaN, for whoever thinks it free
        std::vector<float> sums(elements, 0.0f);
        visit(c, x, w, y, [&](int64_t at_x, int64_t at_w, int64_t at_y) {
            int64_t at[3];
            choose(at_x, at_w, at_y, at);
            float l = vendor::load(left, lt, at[0]), r = vendor::load(right, rt, at[1]);
            sums[at[2]] += tf32 ? vendor::shortened(l) * vendor::shortened(r) : l * r;
        });
        for (size_t i = 0; i < elements; i++) vendor::store(result, type_of_result, i, sums[i]);
    });
    return status == 0 ? SUCCESS : EXECUTION_FAILED;
}

float scalar(const void* at) { return *static_cast<const float*>(at); }

} // namespace

API size_t cudnnGetVersion() { return 92400; }

API const char* cudnnGetErrorString(int status) {
    switch (status) {
        case SUCCESS: return "CUDNN_STATUS_SUCCESS";
        case BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
        case NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
        default: return "CUDNN_STATUS_EXECUTION_FAILED";
    }
}

API int cudnnCreate(void** handle) { *handle = new Handle(); return SUCCESS; }
API int cudnnDestroy(void* handle) { delete static_cast<Handle*>(handle); return SUCCESS; }
API int cudnnSetStream(void* handle, void* stream) { static_cast<Handle*>(handle)->stream = stream; return SUCCESS; }

API int cudnnCreateTensorDescriptor(void** made) { *made = new Tensor(); return SUCCESS; }
API int cudnnDestroyTensorDescriptor(void* given) { delete &tensor(given); return SUCCESS; }
API int cudnnCreateFilterDescriptor(void** made) { *made = new Tensor(); return SUCCESS; }
API int cudnnDestroyFilterDescriptor(void* given) { delete &tensor(given); return SUCCESS; }
API int cudnnCreateConvolutionDescriptor(void** made) { *made = new Convolution(); return SUCCESS; }
API int cudnnDestroyConvolutionDescriptor(void* given) { delete &convolution(given); return SUCCESS; }

API int cudnnSetTensor4dDescriptor(void* given, int format, int type, int n, int c, int h, int w) {
    tensor(given) = {type, n, c, h, w};
    return format == TENSOR_NHWC ? SUCCESS : NOT_SUPPORTED;
}

API int cudnnSetFilter4dDescriptor(void* given, int type, int format, int k, int c, int h, int w) {
    tensor(given) = {type, k, c, h, w};
    return format == TENSOR_NHWC ? SUCCESS : NOT_SUPPORTED;
}

API int cudnnSetConvolution2dDescriptor(void* given, int pad_h, int pad_w, int stride_h, int stride_w, int dilation_h,
                                        int dilation_w, int mode, int compute) {
    bool known = stride_h == stride_w && dilation_h == 1 && dilation_w == 1 && mode == CROSS_CORRELATION && compute == DATA_FLOAT;
    convolution(given) = {pad_h, pad_w, stride_h, DEFAULT_MATH};
    return known ? SUCCESS : NOT_SUPPORTED;
}

API int cudnnSetConvolutionMathType(void* given, int math) { convolution(given).math = math; return SUCCESS; }

API int cudnnGetConvolutionForwardAlgorithm_v7(void*, void* x, void* w, void* c, void* y, int wanted, int* count, Performance* results) {
    return tensor(x).type == tensor(w).type && tensor(w).type == tensor(y).type ? offer(convolution(c), wanted, count, results) : NOT_SUPPORTED;
}

API int cudnnGetConvolutionBackwardDataAlgorithm_v7(void*, void* w, void* dy, void* c, void* dx, int wanted, int* count, Performance* results) {
    return tensor(dx).type == tensor(w).type && tensor(w).type == tensor(dy).type ? offer(convolution(c), wanted, count, results) : NOT_SUPPORTED;
}

API int cudnnGetConvolutionBackwardFilterAlgorithm_v7(void*, void* x, void* dy, void* c, void* dw, int wanted, int* count, Performance* results) {
    return tensor(x).type == tensor(dy).type && tensor(dy).type == tensor(dw).type ? offer(convolution(c), wanted, count, results) : NOT_SUPPORTED;
}

API int cudnnGetConvolutionForwardWorkspaceSize(void*, void*, void*, void*, void*, int, size_t* bytes) { *bytes = WORKSPACE_BYTES; return SUCCESS; }
API int cudnnGetConvolutionBackwardDataWorkspaceSize(void*, void*, void*, void*, void*, int, size_t* bytes) { *bytes = WORKSPACE_BYTES; return SUCCESS; }
API int cudnnGetConvolutionBackwardFilterWorkspaceSize(void*, void*, void*, void*, void*, int, size_t* bytes) { *bytes = WORKSPACE_BYTES; return SUCCESS; }

API int cudnnConvolutionForward(void* handle, const void* alpha, void* x_of, const void* x, void* w_of, const void* w, void* c, int algorithm,
                                void* workspace, size_t bytes, const void* beta, void* y_of, void* y) {
    Call call = {static_cast<Handle*>(handle), convolution(c), algorithm, workspace, bytes, scalar(alpha), scalar(beta)};
    return run(call, tensor(x_of), tensor(w_of), tensor(y_of), tensor(x_of), x, tensor(w_of), w, tensor(y_of), y,
               [](int64_t at_x, int64_t at_w, int64_t at_y, int64_t* at) { at[0] = at_x, at[1] = at_w, at[2] = at_y; });
}

API int cudnnConvolutionBackwardData(void* handle, const void* alpha, void* w_of, const void* w, void* dy_of, const void* dy, void* c,
                                     int algorithm, void* workspace, size_t bytes, const void* beta, void* dx_of, void* dx) {
    Call call = {static_cast<Handle*>(handle), convolution(c), algorithm, workspace, bytes, scalar(alpha), scalar(beta)};
    return run(call, tensor(dx_of), tensor(w_of), tensor(dy_of), tensor(dy_of), dy, tensor(w_of), w, tensor(dx_of), dx,
               [](int64_t at_x, int64_t at_w, int64_t at_y, int64_t* at) { at[0] = at_y, at[1] = at_w, at[2] = at_x; });
}

API int cudnnConvolutionBackwardFilter(void* handle, const void* alpha, void* x_of, const void* x, void* dy_of, const void* dy, void* c,
                                       int algorithm, void* workspace, size_t bytes, const void* beta, void* dw_of, void* dw) {
    Call call = {static_cast<Handle*>(handle), convolution(c), algorithm, workspace, bytes, scalar(alpha), scalar(beta)};
    return run(call, tensor(x_of), tensor(dw_of), tensor(dy_of), tensor(x_of), x, tensor(dy_of), dy, tensor(dw_of), dw,
               [](int64_t at_x, int64_t at_w, int64_t at_y, int64_t* at) { at[0] = at_x, at[1] = at_y, at[2] = at_w; });
}
