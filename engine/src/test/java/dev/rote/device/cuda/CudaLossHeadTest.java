package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Cast;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Fill;
import dev.rote.graph.Graph;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.ReferenceRun;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A convolution to one channel, the squared error of its result and the gradient of that in one launch, and a second
/// one that adds up.
class CudaLossHeadTest extends OnCudaDevice {
    private static final float SEED = 0.5f;

    /// @param sizes images, height, width, channels
    private record Case(int[] sizes, boolean bias) {
        int pixels() {
            return sizes[0] * sizes[1] * sizes[2];
        }

        /// Whole in bf16, but for the target.
        Map<String, double[]> numbers() {
            Map<String, double[]> numbers = new HashMap<>();
            numbers.put("x", normals("x", pixels() * sizes[3], 1));
            numbers.put("w", normals("w", 9 * sizes[3], 0.1));
            numbers.put("bias", new double[] {0.75});
            numbers.put("target", normals("target", pixels(), 1));
            return numbers;
        }

        private static double[] normals(String name, int count, double deviation) {
            Random random = new Random(name.hashCode());
            double[] numbers = new double[count];
            for (int i = 0; i < count; i++) {
                float number = (float) (deviation * random.nextGaussian());
                numbers[i] = Float.intBitsToFloat(Float.floatToIntBits(number) & 0xffff0000);
            }
            return numbers;
        }

        /// The loss, and its gradient of the convolution's result.
        Map<String, Value> build(Graph graph, Value x, Value w, Value bias, Value target) {
            return build(graph, x, w, bias, target, 1);
        }

        /// @param times as large as the loss's the gradient's weight is
        Map<String, Value> build(Graph graph, Value x, Value w, Value bias, Value target, float times) {
            Value y = bias == null ? graph.apply(Conv2d.same(3), x, w) : graph.apply(Conv2d.same(3), x, w, bias);
            Value wide = graph.apply(new Cast(DType.F32), y);
            float weight = 1.0f / pixels();
            Value loss = graph.apply(new MeanSquaredError(weight), wide, target);
            Value seed = graph.apply(new Fill(TensorType.f32(1), SEED));
            Value slope = graph.apply(new MeanSquaredError.Backward(times * weight), wide, target, seed);
            return Map.of("loss", loss, "slope", graph.apply(new Cast(DType.BF16), slope), "y", y);
        }

        TensorType image(int channels) {
            return OnSm90Device.bf16(sizes[0], sizes[1], sizes[2], channels);
        }

        Map<String, Value> build(GraphRun run) {
            Value x = run.input("x", image(sizes[3]));
            Value w = run.input("w", OnSm90Device.bf16(1, 3, 3, sizes[3]));
            Value added = bias ? run.input("bias", TensorType.f32(1)) : null;
            run.place("x", x);
            run.place("w", w);
            return build(run.graph(), x, w, added, run.input("target", image(1).with(DType.F32)));
        }

        Map<String, double[]> exact() {
            Graph graph = new Graph();
            Value x = graph.external("x", image(sizes[3]));
            Value w = graph.external("w", OnSm90Device.bf16(1, 3, 3, sizes[3]));
            Value added = bias ? graph.external("bias", TensorType.f32(1)) : null;
            Map<String, Value> values = build(graph, x, w, added, graph.external("target", image(1).with(DType.F32)));
            ReferenceRun run = ReferenceRun.of(graph, numbers());
            run.run();
            return Map.of("loss", run.read(values.get("loss")), "slope", run.read(values.get("slope")));
        }
    }

    @ParameterizedTest
    @CsvSource({
        // images, height, width, channels: one piece of an image and several, channels in one part and in several
        "2, 32, 32, 32, true",
        "3, 16, 16, 8, false",
        "1, 75, 16, 16, true",
        "2, 33, 64, 40, true",
        "1, 2, 208, 24, false",
        "5, 3, 48, 128, true"
    })
    void oneLaunchGivesTheLossAndItsGradient(int images, int height, int width, int channels, boolean bias) {
        Case one = new Case(new int[] {images, height, width, channels}, bias);
        Map<String, float[]> found = found(one);
        Map<String, double[]> exact = one.exact();
        assertThat((double) found.get("loss")[0]).isCloseTo(exact.get("loss")[0], within(1e-5 * exact.get("loss")[0]));
        double[] slope = exact.get("slope");
        for (int i = 0; i < slope.length; i++) {
            double tolerance = 0x1p-8 * Math.abs(slope[i]) + 1e-5 * SEED / one.pixels();
            assertThat((double) found.get("slope")[i]).as("slope %d", i).isCloseTo(slope[i], within(tolerance));
        }
        AnyDriver.descending(true);
        assertThat(found(one)).allSatisfy((name, values) -> assertThat(values).isEqualTo(found.get(name)));
        AnyDriver.descending(false);
    }

    private Map<String, float[]> found(Case one) {
        GraphRun run = new GraphRun(device, one.numbers());
        Map<String, Value> values = one.build(run);
        List.of("loss", "slope").forEach(name -> run.place(name, values.get(name)));
        Map<String, float[]> results = run.results();
        assertThat(run.kernels())
                .containsOnlyOnce("conv2d_taps_head_loss")
                .noneMatch(kernel -> kernel.matches("(squared_error|fill|conv2d_head|conv2d_taps_head$).*"));
        return results;
    }

    /// A gradient that is not this loss's.
    @Test
    void anotherWeightStaysApart() {
        Case one = new Case(new int[] {2, 32, 32, 32}, false);
        GraphRun run = new GraphRun(device, one.numbers());
        Value x = run.input("x", one.image(32));
        Value w = run.input("w", OnSm90Device.bf16(1, 3, 3, 32));
        Value target = run.input("target", one.image(1).with(DType.F32));
        Map<String, Value> values = one.build(run.graph(), x, w, null, target, 2);
        Map.of("x", x, "w", w, "loss", values.get("loss"), "slope", values.get("slope"))
                .forEach(run::place);
        run.results();
        assertThat(run.kernels()).doesNotContain("conv2d_taps_head_loss").contains("conv2d_taps_head");
    }

    /// The convolution's result is wanted for itself, or its width is odd.
    @Test
    void othersStayApart() {
        for (int[] sizes : List.of(new int[] {2, 32, 32, 32}, new int[] {2, 8, 20, 32})) {
            Case one = new Case(sizes, true);
            GraphRun run = new GraphRun(device, one.numbers());
            Map<String, Value> values = one.build(run);
            values.forEach((name, value) -> {
                if (sizes[2] == 32 || !name.equals("y")) {
                    run.place(name, value);
                }
            });
            run.results();
            assertThat(run.kernels())
                    .doesNotContain("conv2d_taps_head_loss")
                    .anyMatch(kernel -> kernel.startsWith("squared_error"));
        }
    }
}
