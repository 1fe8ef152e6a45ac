package dev.rote.device.cuda;

import dev.rote.errors.DeviceException;
import dev.rote.graph.DType;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUdeviceptr;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/// Matrix products by cuBLAS on the stream of a device, in workspace of its own, so that a capture allocates nothing
/// and the same products give the same bits (cuBLAS documentation, "Results Reproducibility").
final class Cublas implements AutoCloseable {
    /// What NVIDIA recommends from compute capability 9.0 on ("cublasSetWorkspace").
    private static final long WORKSPACE_BYTES = 32L << 20;

    private final CudaDevice device;
    private final cublasHandle handle = new cublasHandle();
    private final DeviceAddress workspace;
    private final Pointer one = Pointer.to(new float[] {1});
    private final Pointer zero = Pointer.to(new float[] {0});

    /// @throws DeviceException if cuBLAS does not start
    Cublas(CudaDevice device) {
        this.device = device;
        JCublas2.setExceptionsEnabled(false);
        check(JCublas2.cublasCreate(handle), "start");
        workspace = device.take("cuBLAS", WORKSPACE_BYTES);
        check(JCublas2.cublasSetStream(handle, new cudaStream_t(device.stream())), "stream");
        check(JCublas2.cublasSetWorkspace(handle, workspace, WORKSPACE_BYTES), "workspace");
        // Sums of bf16 products stay in f32 also where cuBLAS divides them.
        int math = cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
        check(JCublas2.cublasSetMathMode(handle, math), "math mode");
    }

    /// Its version, such as 13.1.0.
    String version() {
        int[] version = new int[1];
        check(JCublas2.cublasGetVersion(handle, version), "version");
        return version[0] / 10000 + "." + version[0] / 100 % 100 + "." + version[0] % 100;
    }

    private static void check(int status, String what) {
        if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
            throw new DeviceException("cuBLAS, " + what + ": " + cublasStatus.stringFor(status));
        }
    }

    /// `y[m,n] = op(a)[m,k] op(b)[k,n]` for each of `batch`, all row-major and without gaps.
    ///
    /// @param transposeA whether a is stored as [k,m]
    /// @param transposeB whether b is stored as [n,k]
    /// @param type of a and b
    /// @param resultType of y
    record Product(
            int m,
            int n,
            int k,
            int batch,
            boolean transposeA,
            boolean transposeB,
            DType type,
            DType resultType,
            boolean tf32) {
        int rowOfA() {
            return transposeA ? m : k;
        }

        int rowOfB() {
            return transposeB ? k : n;
        }

        int arithmetic() {
            return tf32 && type == DType.F32
                    ? cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32
                    : cublasComputeType.CUBLAS_COMPUTE_32F;
        }
    }

    /// The product as a call.
    VendorCall call(Product product) {
        return new ProductCall(product);
    }

    private final class ProductCall implements VendorCall {
        private final Product p;

        ProductCall(Product product) {
            this.p = product;
        }

        @Override
        public long workspaceBytes() {
            return 0; // the handle has its own
        }

        @Override
        public DType resultType() {
            return p.resultType();
        }

        /// cuBLAS counts columns as contiguous: to it our y is y' [n,m], the product of b' and a'.
        @Override
        public String issue(Operands operands) {
            int status = p.batch() == 1 ? single(operands) : batched(operands);
            return status == cublasStatus.CUBLAS_STATUS_SUCCESS ? "" : cublasStatus.stringFor(status);
        }

        private int single(Operands operands) {
            return JCublas2.cublasGemmEx_new(
                    handle,
                    operation(p.transposeB()),
                    operation(p.transposeA()),
                    p.n(),
                    p.m(),
                    p.k(),
                    one,
                    address(operands.second()),
                    cudaType(p.type()),
                    p.rowOfB(),
                    address(operands.first()),
                    cudaType(p.type()),
                    p.rowOfA(),
                    zero,
                    address(operands.result()),
                    cudaType(p.resultType()),
                    p.n(),
                    p.arithmetic(),
                    cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
        }

        private int batched(Operands operands) {
            return JCublas2.cublasGemmStridedBatchedEx_new(
                    handle,
                    operation(p.transposeB()),
                    operation(p.transposeA()),
                    p.n(),
                    p.m(),
                    p.k(),
                    one,
                    address(operands.second()),
                    cudaType(p.type()),
                    p.rowOfB(),
                    (long) p.n() * p.k(),
                    address(operands.first()),
                    cudaType(p.type()),
                    p.rowOfA(),
                    (long) p.m() * p.k(),
                    zero,
                    address(operands.result()),
                    cudaType(p.resultType()),
                    p.n(),
                    (long) p.m() * p.n(),
                    p.batch(),
                    p.arithmetic(),
                    cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
        }

        @Override
        public String toString() {
            return "cuBLAS " + p;
        }
    }

    /// A device address as JCuda takes it.
    static Pointer address(long address) {
        return new CUdeviceptr().withByteOffset(address);
    }

    private static int operation(boolean transposed) {
        return transposed ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    }

    private static int cudaType(DType type) {
        return switch (type) {
            case F32 -> cudaDataType.CUDA_R_32F;
            case BF16 -> cudaDataType.CUDA_R_16BF;
            case I32, U8 -> throw new AssertionError(type);
        };
    }

    @Override
    public void close() {
        JCublas2.cublasDestroy(handle);
        device.giveBack(workspace, WORKSPACE_BYTES);
    }
}
