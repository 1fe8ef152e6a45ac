package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Linear;
import dev.rote.graph.Op;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.reference.OpCase;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/// The convolutions and linear layers of study 1's network of width 32 in all directions, for few images: every pair of
/// channels that it has, at its size.
final class Study1Shapes {
    /// Height, channels in and out, filter, stride.
    private static final int[][] CONVOLUTIONS = {
        {32, 1, 32, 3, 1},
        {32, 32, 32, 3, 1},
        {32, 32, 1, 3, 1},
        {32, 32, 32, 3, 2},
        {16, 32, 64, 3, 1},
        {16, 32, 64, 1, 1},
        {16, 64, 64, 3, 1},
        {8, 64, 128, 3, 1},
        {8, 128, 128, 3, 1},
        {8, 192, 128, 1, 1}
    };

    /// Rows, channels in and out.
    private static final int[][] LINEARS = {{2, 128, 32}, {2, 128, 128}, {128, 128, 384}, {128, 128, 128}};

    private Study1Shapes() {}

    static Stream<OpCase> cases(DType type) {
        Random random = new Random(11);
        return Stream.concat(
                Arrays.stream(CONVOLUTIONS).flatMap(s -> convolution(random, type, s)),
                Arrays.stream(LINEARS).flatMap(s -> linear(random, type, s)));
    }

    private static Stream<OpCase> convolution(Random random, DType type, int[] s) {
        int images = AnyDriver.isGpu() ? 3 : 1;
        Conv2d op = Conv2d.of(s[4], s[3] / 2);
        TensorType x = new TensorType(Shape.of(images, s[0], s[0], s[1]), type);
        TensorType w = new TensorType(Shape.of(s[2], s[3], s[3], s[1]), type);
        TensorType y = new TensorType(op.outputShape(x.shape(), w.shape()), type);
        return Stream.of(
                of(random, op, x, w, TensorType.f32(s[2])),
                of(random, new Conv2d.BackwardData(op, x.shape()), y, w),
                of(random, new Conv2d.BackwardWeight(op, s[3], s[3], true), x, y));
    }

    private static Stream<OpCase> linear(Random random, DType type, int[] s) {
        TensorType x = new TensorType(Shape.of(s[0], s[1]), type);
        TensorType w = new TensorType(Shape.of(s[2], s[1]), type);
        TensorType y = new TensorType(Shape.of(s[0], s[2]), type);
        return Stream.of(
                of(random, new Linear(), x, w, TensorType.f32(s[2])),
                of(random, new Linear.BackwardData(), y, w),
                of(random, new Linear.BackwardWeight(true), x, y));
    }

    private static OpCase of(Random random, Op op, TensorType... types) {
        List<double[]> inputs = Arrays.stream(types)
                .map(type -> random.doubles(type.elements())
                        .map(number -> (int) (256 * number) / 128.0 - 1) // whole in bf16
                        .toArray())
                .toList();
        return new OpCase("study 1 " + op.label() + " " + Arrays.toString(types), op, List.of(types), inputs);
    }
}
