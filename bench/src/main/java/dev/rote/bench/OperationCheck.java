package dev.rote.bench;

import dev.rote.device.Buffer;
import dev.rote.graph.Activation;
import dev.rote.graph.Add;
import dev.rote.graph.AddChannels;
import dev.rote.graph.Attention;
import dev.rote.graph.AveragePool;
import dev.rote.graph.Cast;
import dev.rote.graph.Concat;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Linear;
import dev.rote.graph.Multiply;
import dev.rote.graph.Op;
import dev.rote.graph.Reduce;
import dev.rote.graph.Scale;
import dev.rote.graph.Shape;
import dev.rote.graph.Slice;
import dev.rote.graph.TensorType;
import dev.rote.graph.Upsample;
import dev.rote.graph.Value;
import dev.rote.reference.ReferenceRun;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A corner of an operation that can be computed by its definition in milliseconds: the first image, the first few
/// output channels; of a weight gradient the first filter's first channel, over all images.
///
/// @param op the operation on the corners of its inputs
/// @param inputs types of those corners; each begins where the whole begins
/// @param outputs how many outputs begin with those of the corner
/// @param together whether outputs are sums of one size, so that a small one is judged by the largest
record OperationCheck(Case timed, Op op, List<TensorType> inputs, int outputs, boolean together) {
    private static final int CHANNELS = 4;

    static Optional<OperationCheck> of(OperationCase one) {
        List<TensorType> in = one.inputs();
        return switch (one.op()) {
            case Conv2d conv -> Optional.of(rows(one, conv, in, conv.sources()));
            case Linear linear -> Optional.of(rows(one, linear, in, 1));
            case Conv2d.BackwardData back -> {
                // Of joined inputs, the first few channels of the first one.
                boolean joined = back.conv().input() == Conv2d.Input.JOINED;
                Conv2d conv = joined ? back.conv().reading(Conv2d.Input.PLAIN) : back.conv();
                List<TensorType> corners =
                        List.of(in.get(0).with(in.get(0).shape().with(0, 1)), channels(in.get(1), back.first()));
                Shape x = back.x().with(0, 1).with(-1, corners.get(1).shape().last());
                yield some(one, new Conv2d.BackwardData(conv, x), corners, 1);
            }
            case Linear.BackwardData back ->
                some(
                        one,
                        back,
                        List.of(in.get(0).with(in.get(0).shape().with(0, 1)), channels(in.get(1), CHANNELS)),
                        1);
            // A corner of dw has channels of the first of joined inputs alone.
            case Conv2d.BackwardWeight back ->
                back.conv().input() == Conv2d.Input.JOINED ? Optional.empty() : weight(one, back, in);
            case Linear.BackwardWeight back -> weight(one, back, in);
            case GroupNorm.Backward back ->
                in.size() == 7
                        ? some(one, back, images(in, List.of(0, 1, 2, 5, 6)), 2)
                        : some(one, back, images(in, List.of(0, 1, 4, 5)), 1);
            case GroupNorm norm -> some(one, norm, images(in, in.size() == 4 ? List.of(0, 1) : List.of(0)), 3);
            case Attention attention -> all(one, attention);
            case Attention.Backward back -> all(one, back);
            case Activation activation -> all(one, activation);
            case Activation.Backward back -> all(one, back);
            case Add add -> all(one, add);
            case AddChannels add -> all(one, add);
            case AveragePool pool -> all(one, pool);
            case AveragePool.Backward back -> all(one, back);
            case Cast cast -> all(one, cast);
            case Concat concat -> inside(one, concat, concat.axis());
            case Multiply multiply -> all(one, multiply);
            case Reduce reduce -> inside(one, reduce, reduce.begin());
            case Scale scale -> all(one, scale);
            case Slice slice -> inside(one, slice, slice.axis());
            case Slice.Backward back -> inside(one, back, back.axis());
            case Upsample upsample -> all(one, upsample);
            case Upsample.Backward back -> all(one, back);
            default -> Optional.empty();
        };
    }

    private static Optional<OperationCheck> some(OperationCase one, Op op, List<TensorType> corners, int outputs) {
        return Optional.of(new OperationCheck(one.timed(), op, corners, outputs, false));
    }

    /// Every input and output has images.
    private static Optional<OperationCheck> all(OperationCase one, Op op) {
        List<TensorType> corners = one.inputs().stream()
                .map(type -> type.with(type.shape().with(0, 1)))
                .toList();
        return some(one, op, corners, op.infer(corners).size());
    }

    /// As [#all] if the axis at work is not that of the images.
    private static Optional<OperationCheck> inside(OperationCase one, Op op, int axis) {
        return axis > 0 ? all(one, op) : Optional.empty();
    }

    private static List<TensorType> images(List<TensorType> inputs, List<Integer> which) {
        List<TensorType> corners = new ArrayList<>(inputs);
        which.forEach(index -> corners.set(
                index, inputs.get(index).with(inputs.get(index).shape().with(0, 1))));
        return corners;
    }

    /// x of one image, w and bias of a few output channels.
    private static OperationCheck rows(OperationCase one, Op op, List<TensorType> inputs, int sources) {
        List<TensorType> corners = new ArrayList<>(images(inputs, sources == 2 ? List.of(0, 1) : List.of(0)));
        for (int index = sources; index < inputs.size(); index++) {
            TensorType type = inputs.get(index);
            corners.set(
                    index,
                    type.with(
                            type.shape().with(0, Math.min(CHANNELS, type.shape().dim(0)))));
        }
        return new OperationCheck(one.timed(), op, corners, 1, false);
    }

    private static TensorType channels(TensorType w, int most) {
        int channels = Math.min(Math.min(CHANNELS, most), w.shape().last());
        return w.with(w.shape().with(-1, channels));
    }

    private static Optional<OperationCheck> weight(OperationCase one, Op op, List<TensorType> inputs) {
        List<TensorType> corners =
                inputs.stream().map(type -> type.with(type.shape().with(-1, 1))).toList();
        return Optional.of(
                new OperationCheck(one.timed(), op, corners, op.infer(corners).size(), true));
    }

    /// @throws AssertionError if an output differs by more than the type allows
    void compare(OperationBuffers buffers) {
        Graph graph = new Graph();
        Map<String, double[]> bindings = new HashMap<>();
        List<Value> operands = new ArrayList<>();
        List<TensorType> whole = buffers.types();
        for (int index = 0; index < inputs.size(); index++) {
            operands.add(graph.external("in" + index, inputs.get(index)));
            bindings.put(
                    "in" + index,
                    corner(
                            buffers.input(index),
                            whole.get(index),
                            inputs.get(index).shape()));
        }
        List<Value> results = graph.add(op, operands);
        ReferenceRun run = ReferenceRun.of(graph, bindings);
        run.run();
        List<double[]> expected = results.stream().limit(outputs).map(run::read).toList();
        double largest =
                expected.stream().mapToDouble(OperationCheck::largest).max().orElse(0);
        for (int index = 0; index < outputs; index++) {
            double[] found = corner(
                    buffers.output(index),
                    buffers.outputTypes().get(index),
                    results.get(index).shape());
            compare(index, found, expected.get(index), together ? largest : largest(expected.get(index)));
        }
    }

    private void compare(int output, double[] found, double[] expected, double scale) {
        double allowed = scale * tolerance();
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(found[i] - expected[i]) <= allowed)) {
                throw new AssertionError(timed + ": output " + output + ", element " + i + " of its corner: expected "
                        + expected[i] + " to within " + allowed + ", found " + found[i]);
            }
        }
    }

    /// Of the largest element; a dropped term is far above it.
    private double tolerance() {
        return switch (timed.type()) {
            case "bf16" -> 2e-2;
            case "tf32" -> 4e-3;
            default -> 1e-4;
        };
    }

    private static double largest(double[] numbers) {
        double largest = 0;
        for (double number : numbers) {
            largest = Math.max(largest, Math.abs(number));
        }
        return largest;
    }

    /// The first elements along every axis, as many as the corner has.
    private static double[] corner(Buffer buffer, TensorType whole, Shape corner) {
        long bytes = whole.bytes() / whole.shape().dim(0) * corner.dim(0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(Math.max(8, bytes), 8);
            buffer.read(0, segment.asSlice(0, bytes));
            double[] numbers = new double[Math.toIntExact(corner.elements())];
            int[] extents = corner.toArray();
            int[] place = new int[extents.length];
            for (int i = 0; i < numbers.length; i++) {
                long offset = 0;
                for (int axis = 0; axis < place.length; axis++) {
                    offset = offset * whole.shape().dim(axis) + place[axis];
                }
                numbers[i] = number(segment, whole.type(), offset);
                for (int axis = place.length - 1; axis >= 0 && ++place[axis] == extents[axis]; axis--) {
                    place[axis] = 0;
                }
            }
            return numbers;
        }
    }

    private static double number(MemorySegment segment, DType type, long index) {
        return switch (type) {
            case F32 -> segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
            case BF16 -> Float.intBitsToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, index) << 16);
            case I32 -> segment.getAtIndex(ValueLayout.JAVA_INT, index);
            case U8 -> segment.get(ValueLayout.JAVA_BYTE, index) & 0xff;
        };
    }
}
