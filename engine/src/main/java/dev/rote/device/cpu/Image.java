package dev.rote.device.cpu;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Shape;
import dev.rote.graph.Value;
import java.util.List;

/// An image that an operation reads, or the gradient of one that it writes: a tensor itself, or scratch memory and the
/// kernel that copies between it and the tensors that stand for the image.
///
/// @param shape [N,H,W,C]
/// @param at address
/// @param copy null if there is nothing to copy
record Image(Shape shape, long at, Kernel copy) {
    /// @param inputs those of the convolution that are its image
    static Image read(Conv2d op, List<Value> inputs, Operands operands) {
        if (op.input() != Conv2d.Input.UPSAMPLED) {
            return joined(inputs, operands);
        }
        Value x = inputs.getFirst();
        Shape s = x.shape();
        long at = scratch(op.image(s), x, operands);
        int pixel = s.dim(3) * x.dtype().bytes();
        return new Image(
                op.image(s), at, MoveKernels.upsample(operands.at(x), at, s.dim(0) * s.dim(1), s.dim(2), pixel));
    }

    /// @param gradients of the inputs that are the convolution's image
    static Image written(Conv2d op, List<Value> gradients, Operands operands) {
        if (op.input() != Conv2d.Input.UPSAMPLED) {
            return split(gradients, operands);
        }
        Value dx = gradients.getFirst();
        Shape s = dx.shape();
        Shape image = op.image(s);
        long at = scratch(image, dx, operands);
        Stage from = Stage.of(at, dx.dtype(), Math.toIntExact(image.elements(1, 4)), operands.scratch());
        return new Image(
                image,
                at,
                MoveKernels.upsampleBackward(from, operands.images(dx), s.dim(0), s.dim(1), s.dim(2), s.dim(3)));
    }

    /// One tensor, or two whose channels are to lie side by side.
    static Image joined(List<Value> parts, Operands operands) {
        Value first = parts.getFirst();
        if (parts.size() == 1) {
            return new Image(first.shape(), operands.at(first), null);
        }
        Shape whole = whole(parts);
        long at = scratch(whole, first, operands);
        long[] from = parts.stream().mapToLong(operands::at).toArray();
        int[] bytes = parts.stream().mapToInt(Image::pixelBytes).toArray();
        return new Image(whole, at, MoveKernels.concat(from, bytes, at, pixels(first)));
    }

    /// The opposite of [#joined].
    static Image split(List<Value> parts, Operands operands) {
        Value first = parts.getFirst();
        if (parts.size() == 1) {
            return new Image(first.shape(), operands.at(first), null);
        }
        Value second = parts.getLast();
        Shape whole = whole(parts);
        long at = scratch(whole, first, operands);
        int skipped = pixelBytes(first);
        int pixel = skipped + pixelBytes(second);
        return new Image(
                whole,
                at,
                both(
                        MoveKernels.slice(at, pixel, 0, operands.at(first), skipped, pixels(first)),
                        MoveKernels.slice(at, pixel, skipped, operands.at(second), pixel - skipped, pixels(first))));
    }

    private static Shape whole(List<Value> parts) {
        int channels = parts.stream().mapToInt(part -> part.shape().last()).sum();
        return parts.getFirst().shape().with(-1, channels);
    }

    private static int pixelBytes(Value part) {
        return part.shape().last() * part.dtype().bytes();
    }

    private static long pixels(Value part) {
        return part.elements() / part.shape().last();
    }

    private static long scratch(Shape shape, Value like, Operands operands) {
        return operands.scratch().take(shape.elements() * like.dtype().bytes());
    }

    /// Units of one image.
    Stage images(Value like, Operands operands) {
        int unit = Math.toIntExact(shape.elements() / shape.dim(0));
        return Stage.of(at, like.dtype(), unit, operands.scratch());
    }

    Kernel before(Kernel kernel) {
        return copy == null ? kernel : both(copy, kernel);
    }

    Kernel after(Kernel kernel) {
        return copy == null ? kernel : both(kernel, copy);
    }

    private static Kernel both(Kernel first, Kernel second) {
        return () -> {
            first.run();
            second.run();
        };
    }
}
