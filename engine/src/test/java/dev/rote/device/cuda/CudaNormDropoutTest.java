package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Add;
import dev.rote.graph.DType;
import dev.rote.graph.Dropout;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A group norm and a dropout of its channels in one launch, and the gradient of both.
class CudaNormDropoutTest extends OnCudaDevice {
    private static final Dropout DROPOUT = new Dropout(0.4f, true, 77, 4, 5);

    /// By the kernel of the forward direction.
    static Stream<NormCase> norms() {
        return Stream.of(
                NormCase.bf16("_warps_4", 8, 3, 64, 128),
                NormCase.bf16("_warps_4", 8, 2, 200, 32),
                NormCase.bf16("_warps_4", 2, 2, 25, 64),
                NormCase.bf16("_warps_staged", 8, 2, 300, 32),
                NormCase.bf16("_warps_staged", 1, 2, 145, 64),
                NormCase.bf16("_warps_staged_odd", 8, 2, 25, 96),
                NormCase.bf16("_warps_staged_odd_single", 8, 2, 25, 16, 8),
                NormCase.bf16("_warps_staged_odd_pair", 8, 2, 25, 48),
                NormCase.bf16("_warps_4_single", 8, 3, 64, 8),
                NormCase.bf16("_warps_staged_single", 8, 2, 700, 8),
                NormCase.bf16("_warps_4_pair", 8, 2, 200, 16),
                NormCase.bf16("_warps_staged_pair", 8, 2, 300, 16),
                new NormCase(DType.BF16, 8, 3, 64, new int[] {32}, false, "_warps_4"),
                NormCase.bf16("_warps_4", 8, 2, 64, 64, 64));
    }

    /// By the kernel of the backward direction.
    static Stream<NormCase> gradients() {
        return Stream.of(
                NormCase.bf16("_warps_4", 8, 3, 64, 128),
                NormCase.bf16("_warps_4", 8, 2, 200, 32),
                NormCase.bf16("_warps_4_wide_dropped", 2, 2, 25, 64),
                NormCase.bf16("_warps_staged", 8, 2, 300, 32),
                NormCase.bf16("_warps_staged_wide", 1, 2, 145, 64),
                NormCase.bf16("_warps_staged_odd", 8, 2, 25, 96),
                NormCase.bf16("_warps_staged_odd_single", 8, 2, 25, 24),
                NormCase.bf16("_warps_staged_odd_pair", 8, 2, 25, 48),
                NormCase.bf16("_warps_4_single", 8, 3, 64, 8),
                NormCase.bf16("_warps_staged_single", 8, 2, 700, 8),
                NormCase.bf16("_warps_4_pair", 8, 2, 200, 16),
                NormCase.bf16("_warps_staged_pair", 8, 2, 300, 16),
                new NormCase(DType.BF16, 8, 3, 64, new int[] {32}, false, "_warps_4"));
    }

    @ParameterizedTest
    @MethodSource("norms")
    void oneLaunchDropsTheChannelsThatAnotherWouldHaveDropped(NormCase norm) {
        Map<String, double[]> numbers = norm.numbers();
        GraphRun run = new GraphRun(device, numbers);
        Value y = norm.forward(run);
        run.place("y", run.graph().apply(DROPOUT, y, run.step()));
        float[] found = run.results().get("y");
        assertThat(run.kernels()).contains("group_norm_bf16" + norm.kind()).noneMatch(CudaNormDropoutTest::isDropout);
        double[] expected = norm.dropped(DROPOUT, norm.normalised(numbers).getFirst());
        NormCase.agree(found, expected, 0x1p-8);
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
    void oneLaunchDropsTheChannelsOfTheGradientToo(NormCase norm) {
        for (boolean adds : new boolean[] {false, true}) {
            Map<String, double[]> numbers = norm.numbers();
            GraphRun run = new GraphRun(device, numbers);
            Value dy = run.input("dy", norm.whole());
            Value other = run.input("other", norm.whole());
            List<Value> gradients = gradients(run, norm, dy);
            Value dx = gradients.getFirst();
            run.place("dx", adds ? run.graph().apply(new Add(), other, dx) : dx);
            run.place("dgamma", gradients.get(1));
            run.place("dbeta", gradients.get(2));
            Map<String, float[]> found = run.results();
            assertThat(run.kernels())
                    .contains("group_norm_backward_bf16" + norm.kind())
                    .noneMatch(CudaNormDropoutTest::isDropout)
                    .noneMatch(kernel -> kernel.startsWith("add"));
            List<double[]> expected = norm.backward(numbers, norm.dropped(DROPOUT, numbers.get("dy")));
            double[] sum = expected.getFirst();
            for (int i = 0; i < sum.length && adds; i++) {
                sum[i] += numbers.get("other")[i];
            }
            NormCase.agree(found.get("dx"), sum, 0x1p-7);
            NormCase.agree(found.get("dgamma"), expected.get(1), 0x1p-18);
            NormCase.agree(found.get("dbeta"), expected.get(2), 0x1p-18);
        }
    }

    @Test
    void aSecondReaderKeepsThemApart() {
        NormCase norm = NormCase.bf16("_warps_4", 8, 2, 64, 32);
        Map<String, double[]> numbers = norm.numbers();
        GraphRun run = new GraphRun(device, numbers);
        Value y = norm.forward(run);
        Value dropped = run.graph().apply(DROPOUT, y, run.step());
        run.place("y", run.graph().apply(new Add(), y, dropped));
        List<Value> inputs = norm.gradientInputs(run);
        Value dy = run.graph().apply(DROPOUT, run.input("dy", norm.whole()), run.step());
        inputs.addFirst(dy);
        run.place(
                "dx", run.graph().add(new GroupNorm.Backward(norm.op()), inputs).getFirst());
        run.place("dy read twice", dy);
        Map<String, float[]> found = run.results();
        assertThat(run.kernels().stream().filter(CudaNormDropoutTest::isDropout))
                .hasSize(2);
        double[] expected = norm.normalised(numbers).getFirst();
        double[] zeros = norm.dropped(DROPOUT, expected);
        for (int i = 0; i < expected.length; i++) {
            expected[i] += zeros[i];
        }
        NormCase.agree(found.get("y"), expected, 0x1p-7);
        NormCase.agree(
                found.get("dx"),
                norm.backward(numbers, norm.dropped(DROPOUT, numbers.get("dy"))).getFirst(),
                0x1p-7);
    }

    /// The sums of the gradient lie where dy was: the plan has done with it after the dropout.
    @Test
    void memoryThatIsUsedAgainKeepsThemApart() {
        NormCase norm = NormCase.bf16("_warps_4", 8, 2, 64, 32);
        Map<String, double[]> numbers = norm.numbers();
        double[] twice = Arrays.copyOf(numbers.get("dy"), 2 * numbers.get("dy").length);
        numbers.put("more", twice);
        GraphRun run = new GraphRun(device, numbers);
        Value more = run.input("more", new TensorType(Shape.of(4, 64, 32), DType.BF16));
        Value dy = run.graph().view(more, 0, norm.whole());
        run.place("dx", gradients(run, norm, dy).getFirst());
        Map<String, float[]> found = run.results();
        assertThat(run.kernels()).anyMatch(CudaNormDropoutTest::isDropout);
        NormCase.agree(
                found.get("dx"),
                norm.backward(numbers, norm.dropped(DROPOUT, numbers.get("dy"))).getFirst(),
                0x1p-7);
    }

    @Test
    void dropoutOfElementsAndWhatTheKernelsInWarpsDoNotTakeStayApart() {
        NormCase norm = NormCase.bf16("", 8, 2, 64, 32);
        GraphRun elements = new GraphRun(device, norm.numbers());
        elements.place(
                "y",
                elements.graph().apply(new Dropout(0.4f, false, 1, 4, 0), norm.forward(elements), elements.step()));
        elements.results();
        assertThat(elements.kernels()).contains("dropout_elements_bf16", "group_norm_bf16_warps_4");
        NormCase wide = NormCase.bf16("", 3, 1, 5, 9);
        GraphRun any = new GraphRun(device, wide.numbers());
        any.place("y", any.graph().apply(DROPOUT, wide.forward(any), any.step()));
        any.results();
        assertThat(any.kernels()).contains("dropout_channels_bf16", "group_norm_any_bf16");
    }

    private static boolean isDropout(String kernel) {
        return kernel.startsWith("dropout");
    }

    /// Of a norm and the dropout behind it. The inputs come first, so that nothing is between the two.
    private static List<Value> gradients(GraphRun run, NormCase norm, Value dy) {
        List<Value> inputs = norm.gradientInputs(run);
        inputs.addFirst(run.graph().apply(DROPOUT, dy, run.step()));
        return run.graph().add(new GroupNorm.Backward(norm.op()), inputs);
    }
}
