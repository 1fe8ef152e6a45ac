package dev.rote.device.cpu;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Shape;
import dev.rote.graph.Value;

/// The image that a convolution reads, or the gradient that it writes of one: the tensor itself, or scratch memory and
/// the kernel that copies between the two.
///
/// @param shape [N,H,W,C]
/// @param at address
/// @param copy null if there is nothing to copy
record ConvolutionImage(Shape shape, long at, Kernel copy) {
    /// @param x input of the convolution
    static ConvolutionImage read(Conv2d op, Value x, Operands operands) {
        Shape s = x.shape();
        return switch (op.input()) {
            case PLAIN -> new ConvolutionImage(s, operands.at(x), null);
            case UPSAMPLED -> {
                long at = scratch(op, x, operands);
                int pixel = s.dim(3) * x.dtype().bytes();
                Kernel copy = MoveKernels.upsample(operands.at(x), at, s.dim(0) * s.dim(1), s.dim(2), pixel);
                yield new ConvolutionImage(op.image(s), at, copy);
            }
        };
    }

    /// @param dx gradient of the convolution's input
    static ConvolutionImage written(Conv2d op, Value dx, Operands operands) {
        Shape s = dx.shape();
        return switch (op.input()) {
            case PLAIN -> new ConvolutionImage(s, operands.at(dx), null);
            case UPSAMPLED -> {
                long at = scratch(op, dx, operands);
                int values = Math.toIntExact(op.image(s).elements(1, 4));
                Kernel copy = MoveKernels.upsampleBackward(
                        Stage.of(at, dx.dtype(), values, operands.scratch()),
                        operands.images(dx),
                        s.dim(0),
                        s.dim(1),
                        s.dim(2),
                        s.dim(3));
                yield new ConvolutionImage(op.image(s), at, copy);
            }
        };
    }

    private static long scratch(Conv2d op, Value input, Operands operands) {
        return operands.scratch()
                .take(op.image(input.shape()).elements() * input.dtype().bytes());
    }

    Kernel before(Kernel convolution) {
        return copy == null ? convolution : both(copy, convolution);
    }

    Kernel after(Kernel convolution) {
        return copy == null ? convolution : both(convolution, copy);
    }

    private static Kernel both(Kernel first, Kernel second) {
        return () -> {
            first.run();
            second.run();
        };
    }
}
