package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.graph.Add;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Dropout;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A group norm and a dropout of its channels in one launch, and the gradient of both.
class CudaNormDropoutTest extends OnCudaDevice {
    private static final int STEP = 3;
    private static final Dropout DROPOUT = new Dropout(0.4f, true, 77, 4, 5);

    /// @param channels of one tensor, or of two that lie side by side
    private record Norm(int groups, int images, int pixels, int[] channels, boolean silu, String kind) {
        int all() {
            return Arrays.stream(channels).sum();
        }

        GroupNorm op() {
            return new GroupNorm(groups, 1e-5f, silu);
        }

        TensorType whole(DType type) {
            return new TensorType(Shape.of(images, pixels, all()), type);
        }

        @Override
        public String toString() {
            return "%d groups [%d,%d,%s]%s".formatted(groups, images, pixels, Arrays.toString(channels), kind);
        }
    }

    private static Norm norm(int groups, int images, int pixels, int channels, String kind) {
        return new Norm(groups, images, pixels, new int[] {channels}, true, kind);
    }

    /// By the kernel of the forward direction.
    static Stream<Norm> norms() {
        return Stream.of(
                norm(8, 3, 64, 128, "_warps_4"),
                norm(8, 2, 200, 32, "_warps_4"),
                norm(2, 2, 25, 64, "_warps_4"),
                norm(8, 2, 300, 32, "_warps_staged"),
                norm(1, 2, 145, 64, "_warps_staged"),
                norm(8, 2, 25, 96, "_warps_staged_odd"),
                new Norm(8, 3, 64, new int[] {32}, false, "_warps_4"),
                new Norm(8, 2, 64, new int[] {64, 64}, true, "_warps_4"));
    }

    /// By the kernel of the backward direction.
    static Stream<Norm> gradients() {
        return Stream.of(
                norm(8, 3, 64, 128, "_warps_4"),
                norm(8, 2, 200, 32, "_warps_4"),
                norm(2, 2, 25, 64, "_warps_4_wide_dropped"),
                norm(8, 2, 300, 32, "_warps_staged"),
                norm(1, 2, 145, 64, "_warps_staged_wide"),
                norm(8, 2, 25, 96, "_warps_staged_odd"),
                new Norm(8, 3, 64, new int[] {32}, false, "_warps_4"));
    }

    @ParameterizedTest
    @MethodSource("norms")
    void oneLaunchDropsTheChannelsThatAnotherWouldHaveDropped(Norm norm) {
        Map<String, double[]> numbers = numbers(norm);
        Run run = new Run(numbers);
        Value y = forward(run, norm);
        run.place("y", run.graph.apply(DROPOUT, y, run.step()));
        float[] found = run.results().get("y");
        assertThat(run.kernels).contains("group_norm_bf16" + norm.kind()).noneMatch(CudaNormDropoutTest::isDropout);
        double[] expected = dropped(norm, normalised(norm, numbers).getFirst());
        agree(found, expected, 0x1p-8);
        assertThat(Arrays.stream(expected).filter(number -> number == 0).count())
                .isBetween(1L, (long) expected.length - 1);
        for (int i = 0; i < found.length; i++) {
            if (expected[i] == 0) {
                assertThat(Float.floatToRawIntBits(found[i]))
                        .as("element %d", i)
                        .isZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("gradients")
    void oneLaunchDropsTheChannelsOfTheGradientToo(Norm norm) {
        for (boolean adds : new boolean[] {false, true}) {
            Map<String, double[]> numbers = numbers(norm);
            Run run = new Run(numbers);
            Value dy = run.input("dy", norm.whole(DType.BF16));
            Value other = run.input("other", norm.whole(DType.BF16));
            List<Value> gradients = gradients(run, norm, dy);
            Value dx = gradients.getFirst();
            run.place("dx", adds ? run.graph.apply(new Add(), other, dx) : dx);
            run.place("dgamma", gradients.get(1));
            run.place("dbeta", gradients.get(2));
            Map<String, float[]> found = run.results();
            assertThat(run.kernels)
                    .contains("group_norm_backward_bf16" + norm.kind())
                    .noneMatch(CudaNormDropoutTest::isDropout)
                    .noneMatch(kernel -> kernel.startsWith("add"));
            List<double[]> expected = backward(norm, numbers, dropped(norm, numbers.get("dy")));
            double[] sum = expected.getFirst();
            for (int i = 0; i < sum.length && adds; i++) {
                sum[i] += numbers.get("other")[i];
            }
            agree(found.get("dx"), sum, 0x1p-7);
            agree(found.get("dgamma"), expected.get(1), 0x1p-18);
            agree(found.get("dbeta"), expected.get(2), 0x1p-18);
        }
    }

    @Test
    void aSecondReaderKeepsThemApart() {
        Norm norm = norm(8, 2, 64, 32, "_warps_4");
        Map<String, double[]> numbers = numbers(norm);
        Run run = new Run(numbers);
        Value y = forward(run, norm);
        Value dropped = run.graph.apply(DROPOUT, y, run.step());
        run.place("y", run.graph.apply(new Add(), y, dropped));
        List<Value> inputs = gradientInputs(run, norm);
        Value dy = run.graph.apply(DROPOUT, run.input("dy", norm.whole(DType.BF16)), run.step());
        inputs.addFirst(dy);
        run.place("dx", run.graph.add(new GroupNorm.Backward(norm.op()), inputs).getFirst());
        run.place("dy read twice", dy);
        Map<String, float[]> found = run.results();
        assertThat(run.kernels.stream().filter(CudaNormDropoutTest::isDropout)).hasSize(2);
        double[] expected = normalised(norm, numbers).getFirst();
        double[] zeros = dropped(norm, expected);
        for (int i = 0; i < expected.length; i++) {
            expected[i] += zeros[i];
        }
        agree(found.get("y"), expected, 0x1p-7);
        agree(
                found.get("dx"),
                backward(norm, numbers, dropped(norm, numbers.get("dy"))).getFirst(),
                0x1p-7);
    }

    /// The sums of the gradient lie where dy was: the plan has done with it after the dropout.
    @Test
    void memoryThatIsUsedAgainKeepsThemApart() {
        Norm norm = norm(8, 2, 64, 32, "_warps_4");
        Map<String, double[]> numbers = numbers(norm);
        double[] twice = Arrays.copyOf(numbers.get("dy"), 2 * numbers.get("dy").length);
        numbers.put("more", twice);
        Run run = new Run(numbers);
        Value more = run.input("more", new TensorType(Shape.of(4, 64, 32), DType.BF16));
        Value dy = run.graph.view(more, 0, norm.whole(DType.BF16));
        run.place("dx", gradients(run, norm, dy).getFirst());
        Map<String, float[]> found = run.results();
        assertThat(run.kernels).anyMatch(CudaNormDropoutTest::isDropout);
        agree(
                found.get("dx"),
                backward(norm, numbers, dropped(norm, numbers.get("dy"))).getFirst(),
                0x1p-7);
    }

    @Test
    void dropoutOfElementsAndWhatTheKernelsInWarpsDoNotTakeStayApart() {
        Norm norm = norm(8, 2, 64, 32, "");
        Run elements = new Run(numbers(norm));
        elements.place(
                "y", elements.graph.apply(new Dropout(0.4f, false, 1, 4, 0), forward(elements, norm), elements.step()));
        elements.results();
        assertThat(elements.kernels).contains("dropout_elements_bf16", "group_norm_bf16_warps_4");
        Norm wide = norm(3, 1, 5, 9, "");
        Run any = new Run(numbers(wide));
        any.place("y", any.graph.apply(DROPOUT, forward(any, wide), any.step()));
        any.results();
        assertThat(any.kernels).contains("dropout_channels_bf16", "group_norm_any_bf16");
    }

    private static boolean isDropout(String kernel) {
        return kernel.startsWith("dropout");
    }

    /// Of the largest: a group's terms are of that size.
    private static void agree(float[] found, double[] expected, double tolerance) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        for (int i = 0; i < expected.length; i++) {
            assertThat(Math.abs(found[i] - expected[i]))
                    .as("element %d: found %s, expected %s", i, found[i], expected[i])
                    .isLessThanOrEqualTo(largest * tolerance);
        }
    }

    private static Value forward(Run run, Norm norm) {
        List<Value> inputs = tensors(run, norm);
        inputs.add(run.input("gamma", TensorType.f32(norm.all())));
        inputs.add(run.input("beta", TensorType.f32(norm.all())));
        return run.graph.add(norm.op(), inputs).getFirst();
    }

    private static List<Value> tensors(Run run, Norm norm) {
        List<Value> tensors = new ArrayList<>();
        for (int part = 0; part < norm.channels().length; part++) {
            Shape shape = Shape.of(norm.images(), norm.pixels(), norm.channels()[part]);
            tensors.add(run.input("x" + part, new TensorType(shape, DType.BF16)));
        }
        return tensors;
    }

    /// Of a norm and the dropout behind it. The inputs come first, so that nothing is between the two.
    private static List<Value> gradients(Run run, Norm norm, Value dy) {
        List<Value> inputs = gradientInputs(run, norm);
        inputs.addFirst(run.graph.apply(DROPOUT, dy, run.step()));
        return run.graph.add(new GroupNorm.Backward(norm.op()), inputs);
    }

    /// But dy.
    private static List<Value> gradientInputs(Run run, Norm norm) {
        List<Value> inputs = tensors(run, norm);
        for (String name : List.of("gamma", "beta")) {
            inputs.add(run.input(name, TensorType.f32(norm.all())));
        }
        for (String name : List.of("mean", "rstd")) {
            inputs.add(run.input(name, TensorType.f32(norm.images(), norm.groups())));
        }
        return inputs;
    }

    private static List<double[]> normalised(Norm norm, Map<String, double[]> numbers) {
        return new OpCase(
                        "forward",
                        norm.op(),
                        types(norm, norm.whole(DType.BF16), 2),
                        List.of(joined(norm, numbers), numbers.get("gamma"), numbers.get("beta")))
                .expected();
    }

    private static List<double[]> backward(Norm norm, Map<String, double[]> numbers, double[] dy) {
        List<TensorType> types = new ArrayList<>(types(norm, norm.whole(DType.BF16), 2));
        types.addFirst(norm.whole(DType.BF16));
        types.add(TensorType.f32(norm.images(), norm.groups()));
        types.add(TensorType.f32(norm.images(), norm.groups()));
        List<double[]> inputs = new ArrayList<>(List.of(dy, joined(norm, numbers)));
        for (String name : List.of("gamma", "beta", "mean", "rstd")) {
            inputs.add(numbers.get(name));
        }
        return new OpCase("backward", new GroupNorm.Backward(norm.op()), types, inputs).expected();
    }

    private static List<TensorType> types(Norm norm, TensorType x, int channels) {
        List<TensorType> types = new ArrayList<>(List.of(x));
        for (int i = 0; i < channels; i++) {
            types.add(TensorType.f32(norm.all()));
        }
        return types;
    }

    private static double[] dropped(Norm norm, double[] numbers) {
        List<TensorType> types = List.of(norm.whole(DType.F32), TensorType.i32(1));
        return new OpCase("dropout", DROPOUT, types, List.of(numbers, new double[] {STEP}))
                .expected()
                .getFirst();
    }

    private static double[] joined(Norm norm, Map<String, double[]> numbers) {
        double[] all = new double[norm.images() * norm.pixels() * norm.all()];
        int from = 0;
        for (int part = 0; part < norm.channels().length; part++) {
            int channels = norm.channels()[part];
            double[] some = numbers.get("x" + part);
            for (int i = 0; i < some.length; i++) {
                all[i / channels * norm.all() + from + i % channels] = some[i];
            }
            from += channels;
        }
        return all;
    }

    private static Map<String, double[]> numbers(Norm norm) {
        Random random = new Random(norm.pixels());
        Map<String, double[]> numbers = new HashMap<>();
        int pixels = norm.images() * norm.pixels();
        numbers.put("dy", normals(random, pixels * norm.all(), 0xffff));
        numbers.put("other", normals(random, pixels * norm.all(), 0xffff));
        for (int part = 0; part < norm.channels().length; part++) {
            numbers.put("x" + part, normals(random, pixels * norm.channels()[part], 0xffff));
        }
        numbers.put("gamma", normals(random, norm.all(), 0));
        numbers.put("beta", normals(random, norm.all(), 0));
        List<double[]> forward = normalised(norm, numbers);
        for (int i = 1; i <= 2; i++) {
            double[] rounded =
                    Arrays.stream(forward.get(i)).map(number -> (float) number).toArray();
            numbers.put(i == 1 ? "mean" : "rstd", rounded);
        }
        return numbers;
    }

    private static double[] normals(Random random, int count, int dropped) {
        double[] normals = new double[count];
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToRawIntBits((float) random.nextGaussian());
            normals[i] = Float.intBitsToFloat(bits & ~dropped);
        }
        return normals;
    }

    /// A graph, what is bound to it, and what it was lowered to.
    private final class Run {
        private final Graph graph = new Graph();
        private final Map<String, double[]> numbers;
        private final Map<String, Value> inputs = new HashMap<>();
        private final Map<String, Value> placed = new LinkedHashMap<>();
        private final List<String> kernels = new ArrayList<>();

        Run(Map<String, double[]> numbers) {
            this.numbers = numbers;
        }

        /// Bound as f32, as a test can write that.
        Value input(String name, TensorType type) {
            return inputs.computeIfAbsent(name, missing -> {
                Value bound = graph.external(name, type.with(DType.F32));
                return type.type() == DType.BF16 ? graph.apply(new Cast(DType.BF16), bound) : bound;
            });
        }

        Value step() {
            return inputs.computeIfAbsent("step", missing -> graph.external("step", TensorType.i32(1)));
        }

        void place(String name, Value value) {
            placed.put(name, value);
        }

        Map<String, float[]> results() {
            placed.forEach((name, value) -> {
                Value wide = value.dtype() == DType.F32 ? value : graph.apply(new Cast(DType.F32), value);
                graph.place(wide, graph.external("result " + name, wide.type()), 0);
            });
            Map<String, Buffer> buffers = new HashMap<>();
            graph.externals()
                    .forEach(
                            (name, value) -> buffers.put(name, device.allocate(name, value.dtype(), value.elements())));
            Plan plan = Plan.of(graph, device.target());
            try (Program program = device.compile("test", List.of(plan), buffers);
                    CudaMemory memory = new CudaMemory(device, "test", plan, buffers)) {
                buffers.forEach((name, buffer) -> {
                    if (name.equals("step")) {
                        buffer.writeInts(STEP);
                    } else if (numbers.containsKey(name)) {
                        buffer.writeFloats(floats(numbers.get(name)));
                    }
                });
                program.run();
                new CudaLowering(memory, device.tensorCores())
                        .lower(plan.nodes()).stream()
                                .flatMap(lowered -> lowered.launches().stream())
                                .map(launch -> ((KernelLaunch) launch).kernel())
                                .forEach(kernels::add);
                Map<String, float[]> results = new HashMap<>();
                placed.keySet()
                        .forEach(name ->
                                results.put(name, buffers.get("result " + name).readFloats()));
                return results;
            } finally {
                buffers.values().forEach(Buffer::close);
            }
        }
    }

    private static float[] floats(double[] numbers) {
        float[] floats = new float[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            floats[i] = (float) numbers[i];
        }
        return floats;
    }
}
