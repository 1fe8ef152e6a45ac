package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.graph.Add;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.OpCase;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The gradient of a group norm and the addition of another gradient in one launch.
class CudaNormSumTest extends OnCudaDevice {
    private static final List<String> NAMES = List.of("dy", "x", "gamma", "beta", "mean", "rstd");

    static Stream<Arguments> shapes() {
        return Stream.of(DType.F32, DType.BF16)
                .flatMap(type -> Stream.of(
                        Arguments.of(type, 8, Shape.of(3, 8, 8, 32), type == DType.BF16 ? "_warps_4" : "_staged"),
                        Arguments.of(type, 4, Shape.of(1, 7000, 16), "_streamed"), // groups of 4
                        Arguments.of(type, 8, Shape.of(2, 5, 16), type == DType.BF16 ? "_warps_4_pair" : "_staged"),
                        Arguments.of(type, 2, Shape.of(1, 7000, 16), "_streamed"),
                        Arguments.of(type, 3, Shape.of(2, 70, 9), "_any")));
    }

    /// With slices of several warps, and of groups that straddle vectors.
    static Stream<Arguments> moreOfBf16() {
        return Stream.of(
                Arguments.of(8, Shape.of(1, 200, 32), "_warps_4"),
                Arguments.of(2, Shape.of(2, 25, 64), "_warps_4_wide"),
                Arguments.of(8, Shape.of(1, 300, 32), "_warps_staged"),
                Arguments.of(1, Shape.of(1, 145, 64), "_warps_staged_wide"),
                Arguments.of(8, Shape.of(2, 25, 96), "_warps_staged_odd"),
                Arguments.of(8, Shape.of(2, 64, 8), "_warps_4_single"),
                Arguments.of(8, Shape.of(2, 600, 16), "_warps_staged_pair"),
                Arguments.of(8, Shape.of(2, 20, 160), "_staged_runs"),
                Arguments.of(4, Shape.of(1, 7000, 16), "_streamed_runs"));
    }

    /// @param first whether the other gradient is the first operand of the sum
    private record Sum(TensorType x, GroupNorm op, Map<String, double[]> numbers, boolean first) {}

    @ParameterizedTest
    @MethodSource("shapes")
    void oneLaunchAddsWhatAnotherWouldHaveAdded(DType type, int groups, Shape shape, String kind) {
        for (boolean silu : new boolean[] {false, true}) {
            Sum sum = sum(new TensorType(shape, type), new GroupNorm(groups, 1e-5f, silu), silu);
            List<String> kernels = new ArrayList<>();
            float[] found = run(sum, false, kernels);
            assertThat(kernels).noneMatch(kernel -> kernel.startsWith("add"));
            assertThat(kernels).anyMatch(kernel -> kernel.startsWith("group_norm_backward") && kernel.contains(kind));
            double[] expected = backward(sum).expected().getFirst();
            double[] other = sum.numbers().get("other");
            double error = type == DType.F32 ? 2e-6 : 0x1p-8;
            for (int i = 0; i < found.length; i++) {
                assertThat((double) found[i])
                        .as("silu %s, element %d", silu, i)
                        .isCloseTo(
                                expected[i] + other[i],
                                within(error * (1 + Math.abs(expected[i]) + Math.abs(other[i]))));
            }
        }
    }

    /// The error of an element is that of the largest terms: dz, rounded to bf16, times gamma.
    @ParameterizedTest
    @MethodSource("moreOfBf16")
    void everyKernelOfBf16AddsIt(int groups, Shape shape, String kind) {
        for (boolean silu : new boolean[] {false, true}) {
            Sum sum = sum(new TensorType(shape, DType.BF16), new GroupNorm(groups, 1e-5f, silu), silu);
            List<String> kernels = new ArrayList<>();
            float[] found = run(sum, false, kernels);
            assertThat(kernels).containsOnlyOnce("group_norm_backward_bf16" + kind);
            assertThat(kernels).noneMatch(kernel -> kernel.startsWith("add"));
            double[] expected = backward(sum).expected().getFirst();
            double[] other = sum.numbers().get("other");
            double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            for (int i = 0; i < found.length; i++) {
                assertThat((double) found[i])
                        .as("silu %s, element %d", silu, i)
                        .isCloseTo(expected[i] + other[i], within(largest * 0x1p-7));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void aSecondReaderKeepsThemApart(DType type, int groups, Shape shape, String kind) {
        Sum sum = sum(new TensorType(shape, type), new GroupNorm(groups, 1e-5f, true), true);
        List<String> kernels = new ArrayList<>();
        run(sum, true, kernels);
        assertThat(kernels).anyMatch(kernel -> kernel.startsWith("add"));
    }

    private static Sum sum(TensorType x, GroupNorm op, boolean first) {
        Random random = new Random(x.elements());
        Map<String, double[]> numbers = new HashMap<>();
        for (String name : List.of("dy", "x", "other")) {
            numbers.put(name, normals(random, (int) x.elements(), x.type()));
        }
        numbers.put("gamma", normals(random, x.shape().last(), DType.F32));
        numbers.put("beta", normals(random, x.shape().last(), DType.F32));
        TensorType channel = TensorType.f32(x.shape().last());
        List<double[]> forward = new OpCase(
                        "forward",
                        op,
                        List.of(x, channel, channel),
                        List.of(numbers.get("x"), numbers.get("gamma"), numbers.get("beta")))
                .expected();
        numbers.put("mean", rounded(forward.get(1)));
        numbers.put("rstd", rounded(forward.get(2)));
        return new Sum(x, op, numbers, first);
    }

    private static double[] normals(Random random, int count, DType type) {
        double[] normals = new double[count];
        for (int i = 0; i < count; i++) {
            float normal = (float) random.nextGaussian();
            int dropped = type == DType.BF16 ? 0xffff : 0;
            normals[i] = Float.intBitsToFloat(Float.floatToRawIntBits(normal) & ~dropped);
        }
        return normals;
    }

    private static double[] rounded(double[] numbers) {
        return Arrays.stream(numbers).map(number -> (float) number).toArray();
    }

    private static List<TensorType> types(Sum sum) {
        TensorType channel = TensorType.f32(sum.x().shape().last());
        TensorType statistic = TensorType.f32(sum.x().shape().dim(0), sum.op().groups());
        return List.of(sum.x(), sum.x(), channel, channel, statistic, statistic);
    }

    private static OpCase backward(Sum sum) {
        List<double[]> inputs = NAMES.stream().map(sum.numbers()::get).toList();
        return new OpCase("backward", new GroupNorm.Backward(sum.op()), types(sum), inputs);
    }

    /// @param readTwice whether the norm's gradient has another reader
    private float[] run(Sum sum, boolean readTwice, List<String> kernels) {
        Graph graph = new Graph();
        List<Value> inputs = new ArrayList<>();
        for (int i = 0; i < NAMES.size(); i++) {
            inputs.add(input(graph, NAMES.get(i), types(sum).get(i)));
        }
        Value other = input(graph, "other", sum.x());
        Value dx = graph.add(new GroupNorm.Backward(sum.op()), inputs).getFirst();
        Value total = sum.first() ? graph.apply(new Add(), other, dx) : graph.apply(new Add(), dx, other);
        if (readTwice) {
            total = graph.apply(new Add(), total, dx);
        }
        Value result = sum.x().type() == DType.BF16 ? graph.apply(new Cast(DType.F32), total) : total;
        graph.place(result, graph.external("total", sum.x().with(DType.F32)), 0);
        Map<String, Buffer> buffers = new HashMap<>();
        graph.externals().forEach((name, value) -> {
            Buffer buffer = device.allocate(name, value.dtype(), value.elements());
            if (sum.numbers().containsKey(name)) {
                buffer.writeFloats(floats(sum.numbers().get(name)));
            }
            buffers.put(name, buffer);
        });
        Plan plan = Plan.of(graph, device.target());
        try (Program program = device.compile("test", List.of(plan), buffers);
                CudaMemory memory = new CudaMemory(device, "test", plan, buffers)) {
            program.run();
            new CudaLowering(memory, device.tensorCores())
                    .lower(plan.nodes()).stream()
                            .flatMap(lowered -> lowered.launches().stream())
                            .map(launch -> ((KernelLaunch) launch).kernel())
                            .forEach(kernels::add);
            return buffers.get("total").readFloats();
        } finally {
            buffers.values().forEach(Buffer::close);
        }
    }

    /// Bound as f32, as a test can write that.
    private static Value input(Graph graph, String name, TensorType type) {
        Value bound = graph.external(name, type.with(DType.F32));
        return type.type() == DType.BF16 ? graph.apply(new Cast(DType.BF16), bound) : bound;
    }

    private static float[] floats(double[] numbers) {
        float[] floats = new float[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            floats[i] = (float) numbers[i];
        }
        return floats;
    }
}
