package dev.rote.device.cuda;

import dev.rote.errors.DeviceException;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnMathType;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;
import jcuda.runtime.cudaStream_t;

/// Convolutions by cuDNN on the stream of a device: images [N,H,W,C], filters [K,R,S,C], sums in f32, algorithms that
/// give the same bits every time. It keeps the descriptors of what it was asked for.
final class Cudnn implements AutoCloseable {
    /// Success in every version; what else there is changed with version 9, so names come from the library.
    static final int SUCCESS = 0;

    private final cudnnHandle handle = new cudnnHandle();
    private final List<Runnable> descriptors = new ArrayList<>(); // how each is given back
    private final Pointer one = Pointer.to(new float[] {1});
    private final Pointer zero = Pointer.to(new float[] {0});

    /// @throws DeviceException if cuDNN does not start
    Cudnn(CudaDevice device) {
        JCudnn.setExceptionsEnabled(false);
        check(JCudnn.cudnnCreate(handle), "start");
        check(JCudnn.cudnnSetStream(handle, new cudaStream_t(device.stream())), "stream");
    }

    /// Its version, such as 9.24.0.
    String version() {
        long version = JCudnn.cudnnGetVersion();
        return version / 10000 + "." + version / 100 % 100 + "." + version % 100;
    }

    /// What a convolution computes from the two others: y from x and w, dx from dy and w, dw from x and dy.
    enum Direction {
        FORWARD,
        BACKWARD_DATA,
        BACKWARD_WEIGHT
    }

    /// A convolution in one direction.
    ///
    /// @param type of the factors; and of the result, but for `wide`
    /// @param wide whether the gradient of bf16 filters is to be written in f32
    record Convolution(Direction direction, Conv2d op, Shape x, Shape w, DType type, boolean wide, boolean tf32) {
        Shape y() {
            return op.outputShape(x, w);
        }

        DType resultType() {
            return wide ? DType.F32 : type;
        }

        /// cuDNN pads left as right and top as bottom.
        boolean hasSymmetricPadding() {
            return op.top() == op.bottom() && op.left() == op.right();
        }

        int math() {
            return switch (type) {
                case F32 -> tf32 ? cudnnMathType.CUDNN_DEFAULT_MATH : cudnnMathType.CUDNN_FMA_MATH;
                default -> cudnnMathType.CUDNN_TENSOR_OP_MATH;
            };
        }
    }

    /// The ways to compute a convolution, the one first that cuDNN expects to be quickest; none if it takes none.
    List<VendorCall> calls(Convolution convolution) {
        if (!convolution.hasSymmetricPadding()) {
            return List.of();
        }
        Described described = new Described(convolution);
        return described.algorithms().stream()
                .<VendorCall>map(algorithm -> new ConvolutionCall(described, algorithm))
                .toList();
    }

    /// A convolution in cuDNN's descriptors.
    private final class Described {
        private final Convolution of;
        private final cudnnTensorDescriptor x;
        private final cudnnTensorDescriptor y;
        private final cudnnFilterDescriptor w = new cudnnFilterDescriptor();

        Described(Convolution of) {
            this.of = of;
            this.x = tensor(of.x(), of.type());
            this.y = tensor(of.y(), of.type());
            check(JCudnn.cudnnCreateFilterDescriptor(w), "filter");
            descriptors.add(() -> JCudnn.cudnnDestroyFilterDescriptor(w));
            DType type = of.direction() == Direction.BACKWARD_WEIGHT ? of.resultType() : of.type();
            int layout = cudnnTensorFormat.CUDNN_TENSOR_NHWC; // of a filter: K R S C
            Shape s = of.w();
            check(
                    JCudnn.cudnnSetFilter4dDescriptor(w, type(type), layout, s.dim(0), s.dim(3), s.dim(1), s.dim(2)),
                    "filter");
        }

        List<CudnnAlgorithm> algorithms() {
            return CudnnAlgorithm.deterministic(question(convolution(of.math())));
        }

        CudnnAlgorithm.Question question(cudnnConvolutionDescriptor convolution) {
            return new CudnnAlgorithm.Question(of.direction(), handle, x, w, convolution, y);
        }

        cudnnConvolutionDescriptor convolution(int math) {
            cudnnConvolutionDescriptor made = new cudnnConvolutionDescriptor();
            check(JCudnn.cudnnCreateConvolutionDescriptor(made), "convolution");
            descriptors.add(() -> JCudnn.cudnnDestroyConvolutionDescriptor(made));
            Conv2d op = of.op();
            check(
                    JCudnn.cudnnSetConvolution2dDescriptor(
                            made,
                            op.top(),
                            op.left(),
                            op.stride(),
                            op.stride(),
                            1,
                            1,
                            cudnnConvolutionMode.CUDNN_CROSS_CORRELATION,
                            cudnnDataType.CUDNN_DATA_FLOAT),
                    "convolution");
            check(JCudnn.cudnnSetConvolutionMathType(made, math), "convolution");
            return made;
        }
    }

    private cudnnTensorDescriptor tensor(Shape shape, DType type) {
        cudnnTensorDescriptor made = new cudnnTensorDescriptor();
        check(JCudnn.cudnnCreateTensorDescriptor(made), "tensor");
        descriptors.add(() -> JCudnn.cudnnDestroyTensorDescriptor(made));
        int layout = cudnnTensorFormat.CUDNN_TENSOR_NHWC;
        check(
                JCudnn.cudnnSetTensor4dDescriptor(
                        made, layout, type(type), shape.dim(0), shape.dim(3), shape.dim(1), shape.dim(2)),
                "tensor");
        return made;
    }

    private final class ConvolutionCall implements VendorCall {
        private final Described described;
        private final CudnnAlgorithm algorithm;
        private final cudnnConvolutionDescriptor convolution;
        private final long workspaceBytes;

        /// In f32 the arithmetic stays what was asked for; else it is the one that cuDNN offers the algorithm with.
        ConvolutionCall(Described described, CudnnAlgorithm algorithm) {
            this.described = described;
            this.algorithm = algorithm;
            boolean exact = described.of.math() == cudnnMathType.CUDNN_FMA_MATH;
            this.convolution = described.convolution(exact ? described.of.math() : algorithm.math());
            this.workspaceBytes = algorithm.workspaceBytes(described.question(convolution));
        }

        @Override
        public long workspaceBytes() {
            return workspaceBytes;
        }

        @Override
        public DType resultType() {
            return described.of.resultType();
        }

        @Override
        public String issue(Operands operands) {
            Pointer first = Cublas.address(operands.first());
            Pointer second = Cublas.address(operands.second());
            Pointer result = Cublas.address(operands.result());
            Pointer workspace = workspaceBytes == 0 ? null : Cublas.address(operands.workspace());
            int which = algorithm.number();
            cudnnTensorDescriptor x = described.x;
            cudnnTensorDescriptor y = described.y;
            cudnnFilterDescriptor w = described.w;
            IntSupplier call =
                    switch (described.of.direction()) {
                        case FORWARD ->
                            () -> JCudnn.cudnnConvolutionForward(
                                    handle,
                                    one,
                                    x,
                                    first,
                                    w,
                                    second,
                                    convolution,
                                    which,
                                    workspace,
                                    workspaceBytes,
                                    zero,
                                    y,
                                    result);
                        case BACKWARD_DATA ->
                            () -> JCudnn.cudnnConvolutionBackwardData(
                                    handle,
                                    one,
                                    w,
                                    second,
                                    y,
                                    first,
                                    convolution,
                                    which,
                                    workspace,
                                    workspaceBytes,
                                    zero,
                                    x,
                                    result);
                        case BACKWARD_WEIGHT ->
                            () -> JCudnn.cudnnConvolutionBackwardFilter(
                                    handle,
                                    one,
                                    x,
                                    first,
                                    y,
                                    second,
                                    convolution,
                                    which,
                                    workspace,
                                    workspaceBytes,
                                    zero,
                                    w,
                                    result);
                    };
            int status = call.getAsInt();
            return status == SUCCESS ? "" : JCudnn.cudnnGetErrorString(status);
        }

        @Override
        public String toString() {
            return "cuDNN " + described.of + ", algorithm " + algorithm.number();
        }
    }

    private static int type(DType type) {
        return switch (type) {
            case F32 -> cudnnDataType.CUDNN_DATA_FLOAT;
            case BF16 -> cudnnDataType.CUDNN_DATA_BFLOAT16;
            case I32, U8 -> throw new AssertionError(type);
        };
    }

    private static void check(int status, String what) {
        if (status != SUCCESS) {
            throw new DeviceException("cuDNN, " + what + ": " + JCudnn.cudnnGetErrorString(status));
        }
    }

    @Override
    public void close() {
        descriptors.forEach(Runnable::run);
        descriptors.clear();
        JCudnn.cudnnDestroy(handle);
    }
}
