// cublas.cpp: the stand-in for cuBLAS: handles, and matrix products as cublas_api.h 13 declares them.
#include <cstdio>

#include "vendor.h"

using vendor::Type;

namespace {

enum { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };
enum { R_32F = 0, R_16BF = 14 };
enum { COMPUTE_32F = 68, COMPUTE_32F_FAST_TF32 = 77 };
enum { WITHOUT_REDUCED_PRECISION = 16 };

struct Handle {
    void* stream = nullptr;
    void* workspace = nullptr;
    size_t workspace_bytes = 0;
    int math = 0;
};

struct Matrix {
    const void* values;
    int type, ld, transposed;
    long long stride;
};

bool type_of(int given, Type& type) {
    type = given == R_16BF ? Type::BF16 : Type::F32;
    return given == R_16BF || given == R_32F;
}

// C[m,n] = alpha op(A)[m,k] op(B)[k,n] + beta C, columns contiguous.
int product(Handle* handle, int m, int n, int k, float alpha, const Matrix& a, const Matrix& b, float beta, void* c,
            int c_type, int ldc, long long c_stride, int batch, int compute) {
    if (handle == nullptr) return NOT_INITIALIZED;
    bool tf32 = compute == COMPUTE_32F_FAST_TF32;
    if (compute != COMPUTE_32F && !tf32) return NOT_SUPPORTED;
    Type ta, tb, tc;
    if (!type_of(a.type, ta) || !type_of(b.type, tb) || !type_of(c_type, tc) || ta != tb) return NOT_SUPPORTED;
    if (ta == Type::F32 && tc == Type::BF16) return NOT_SUPPORTED;
    // What Rote promises of every call: nothing is allocated for it, and sums stay in f32.
    if (handle->workspace == nullptr || handle->math != WITHOUT_REDUCED_PRECISION) return EXECUTION_FAILED;
    if (m < 1 || n < 1 || k < 1 || batch < 1) return INVALID_VALUE;
    if (a.ld < (a.transposed ? k : m) || b.ld < (b.transposed ? n : k) || ldc < m) return INVALID_VALUE;
    Matrix left = a, right = b;
    int status = vendor::enqueue(handle->stream, [=] {
        for (int i = 0; i < batch; i++) {
            for (int column = 0; column < n; column++) {
                for (int row = 0; row < m; row++) {
                    float sum = 0;
                    for (int d = 0; d < k; d++) {
                        int64_t at_a = i * left.stride + (left.transposed ? int64_t(row) * left.ld + d : int64_t(d) * left.ld + row);
                        int64_t at_b = i * right.stride + (right.transposed ? int64_t(d) * right.ld + column : int64_t(column) * right.ld + d);
                        float x = vendor::load(left.values, ta, at_a), y = vendor::load(right.values, tb, at_b);
                        sum += tf32 ? vendor::shortened(x) * vendor::shortened(y) : x * y;
                    }
                    int64_t at_c = i * c_stride + int64_t(column) * ldc + row;
                    float before = beta == 0 ? 0 : beta * vendor::load(c, tc, at_c);
                    vendor::store(c, tc, at_c, alpha * sum + before);
                }
            }
        }
    });
    return status == 0 ? SUCCESS : EXECUTION_FAILED;
}

} // namespace

API int cublasCreate_v2(void** handle) {
    *handle = new Handle();
    return SUCCESS;
}

API int cublasDestroy_v2(void* handle) {
    delete static_cast<Handle*>(handle);
    return SUCCESS;
}

API int cublasGetVersion_v2(void*, int* version) {
    *version = 130000;
    return SUCCESS;
}

API int cublasSetStream_v2(void* handle, void* stream) {
    auto* mine = static_cast<Handle*>(handle);
    mine->stream = stream;
    mine->workspace = nullptr; // as documented: back to the library's own
    return SUCCESS;
}

API int cublasSetWorkspace_v2(void* handle, void* workspace, size_t bytes) {
    auto* mine = static_cast<Handle*>(handle);
    if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0) return INVALID_VALUE;
    mine->workspace = workspace;
    mine->workspace_bytes = bytes;
    return SUCCESS;
}

API int cublasSetMathMode(void* handle, int mode) {
    static_cast<Handle*>(handle)->math = mode;
    return SUCCESS;
}

API int cublasGemmEx(void* handle, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int a_type,
                     int lda, const void* b, int b_type, int ldb, const void* beta, void* c, int c_type, int ldc,
                     int compute, int) {
    return product(static_cast<Handle*>(handle), m, n, k, *static_cast<const float*>(alpha), {a, a_type, lda, ta, 0},
                   {b, b_type, ldb, tb, 0}, *static_cast<const float*>(beta), c, c_type, ldc, 0, 1, compute);
}

API int cublasGemmStridedBatchedEx(void* handle, int ta, int tb, int m, int n, int k, const void* alpha, const void* a,
                                   int a_type, int lda, long long a_stride, const void* b, int b_type, int ldb,
                                   long long b_stride, const void* beta, void* c, int c_type, int ldc,
                                   long long c_stride, int batch, int compute, int) {
    return product(static_cast<Handle*>(handle), m, n, k, *static_cast<const float*>(alpha),
                   {a, a_type, lda, ta, a_stride}, {b, b_type, ldb, tb, b_stride}, *static_cast<const float*>(beta), c,
                   c_type, ldc, c_stride, batch, compute);
}
