package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Add;
import dev.rote.graph.Dropout;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Reduce;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The gradient of a group norm and the sums of dx over the pixels of each image in one launch.
class CudaNormTotalsTest extends OnCudaDevice {
    private static final Dropout DROPOUT = new Dropout(0.4f, true, 77, 4, 5);
    private static final Reduce OVER_PIXELS = new Reduce(Reduce.Kind.SUM, 1, 2);

    static Stream<NormCase> gradients() {
        return Stream.of(
                NormCase.bf16("_warps_4", 8, 3, 64, 128),
                NormCase.bf16("_warps_4", 8, 2, 200, 32),
                NormCase.bf16("_warps_4_wide", 2, 2, 25, 64),
                NormCase.bf16("_warps_4_wide", 2, 2, 25, 256),
                NormCase.bf16("_warps_staged", 8, 2, 300, 32),
                NormCase.bf16("_warps_staged", 8, 2, 300, 64),
                NormCase.bf16("_warps_staged_wide", 1, 2, 145, 64),
                NormCase.bf16("_warps_4_single", 8, 3, 64, 8),
                NormCase.bf16("_warps_4_single", 16, 2, 64, 16),
                NormCase.bf16("_warps_staged_single", 8, 2, 700, 8),
                NormCase.bf16("_warps_4_pair", 8, 2, 200, 16),
                NormCase.bf16("_warps_staged_pair", 8, 2, 300, 16));
    }

    /// What is summed is dx before it is rounded: dz, which was rounded to bf16, times gamma.
    @ParameterizedTest
    @MethodSource("gradients")
    void oneLaunchSumsWhatAnotherWouldHaveSummed(NormCase norm) {
        for (boolean adds : new boolean[] {false, true}) {
            for (boolean drops : new boolean[] {false, true}) {
                Map<String, double[]> numbers = norm.numbers();
                GraphRun run = new GraphRun(device, numbers);
                Value dy = run.input("dy", norm.whole());
                Value other = run.input("other", norm.whole());
                List<Value> inputs = norm.gradientInputs(run);
                inputs.addFirst(drops ? run.graph().apply(DROPOUT, dy, run.step()) : dy);
                List<Value> gradients = run.graph().add(new GroupNorm.Backward(norm.op()), inputs);
                Value dx = gradients.getFirst();
                Value sum = adds ? run.graph().apply(new Add(), other, dx) : dx;
                Value totals = run.graph().apply(OVER_PIXELS, sum);
                run.place("totals", totals);
                run.place("dx", sum);
                // Totals that lay where one of these was would be a launch of their own.
                run.place("dy", dy);
                run.place("x", inputs.get(1));
                run.place("dgamma", gradients.get(1));
                run.place("dbeta", gradients.get(2));
                Map<String, float[]> found = run.results();
                assertThat(run.kernels())
                        .contains("group_norm_backward_bf16" + norm.kind() + "_totals")
                        .noneMatch(kernel -> kernel.matches("(add|dropout|reduce).*"));
                double[] before = drops ? norm.dropped(DROPOUT, numbers.get("dy")) : numbers.get("dy");
                double[] expected = norm.backward(numbers, before).getFirst();
                for (int i = 0; i < expected.length && adds; i++) {
                    expected[i] += numbers.get("other")[i];
                }
                NormCase.agree(found.get("dx"), expected, 0x1p-7);
                agree(norm, found.get("totals"), expected);
            }
        }
    }

    private static void agree(NormCase norm, float[] found, double[] dx) {
        int channels = norm.all();
        assertThat(found).hasSize(norm.images() * channels);
        double largest = 0;
        for (double one : dx) {
            largest = Math.max(largest, Math.abs(one));
        }
        for (int i = 0; i < found.length; i++) {
            double total = 0;
            for (int pixel = 0; pixel < norm.pixels(); pixel++) {
                total += dx[(i / channels * norm.pixels() + pixel) * channels + i % channels];
            }
            double noise = 0x1p-9 * largest * Math.sqrt(norm.pixels());
            assertThat((double) found[i]).as("total %d", i).isCloseTo(total, within(noise + 0x1p-8 * Math.abs(total)));
        }
    }

    @Test
    void memoryThatIsUsedAgainKeepsThemApart() {
        NormCase norm = NormCase.bf16("", 8, 2, 64, 32);
        Map<String, double[]> numbers = norm.numbers();
        GraphRun run = new GraphRun(device, numbers);
        List<Value> inputs = norm.gradientInputs(run);
        inputs.addFirst(run.input("dy", norm.whole()));
        Value dx = run.graph().add(new GroupNorm.Backward(norm.op()), inputs).getFirst();
        run.place("totals", run.graph().apply(OVER_PIXELS, dx));
        run.place("dx", dx);
        Map<String, float[]> found = run.results();
        assertThat(run.kernels()).contains("reduce_packed_bf16");
        agree(
                norm,
                found.get("totals"),
                norm.backward(numbers, numbers.get("dy")).getFirst());
    }

    /// Slices of 24 channels, two tensors, means, and what is not dx.
    @Test
    void otherSumsStayApart() {
        NormCase odd = NormCase.bf16("", 8, 2, 25, 96);
        NormCase joined = NormCase.bf16("", 8, 2, 64, 64, 64);
        NormCase plain = NormCase.bf16("", 8, 2, 64, 32);
        assertThat(kernels(odd, OVER_PIXELS)).contains("group_norm_backward_bf16_warps_staged_odd");
        assertThat(kernels(joined, OVER_PIXELS)).contains("group_norm_backward_bf16_warps_4");
        assertThat(kernels(plain, new Reduce(Reduce.Kind.MEAN, 1, 2))).contains("group_norm_backward_bf16_warps_4");
        assertThat(kernels(plain, new Reduce(Reduce.Kind.SUM, 0, 2))).contains("group_norm_backward_bf16_warps_4");
    }

    private List<String> kernels(NormCase norm, Reduce op) {
        GraphRun run = new GraphRun(device, norm.numbers());
        List<Value> inputs = new ArrayList<>(norm.gradientInputs(run));
        inputs.addFirst(run.input("dy", norm.whole()));
        List<Value> gradients = run.graph().add(new GroupNorm.Backward(norm.op()), inputs);
        run.place("totals", run.graph().apply(op, gradients.getFirst()));
        for (int i = 0; i < gradients.size(); i++) {
            run.place("gradient " + i, gradients.get(i));
        }
        for (int i = 0; i < inputs.size(); i++) {
            run.place("input " + i, inputs.get(i)); // so that no memory is used again
        }
        run.results();
        assertThat(run.kernels()).anyMatch(kernel -> kernel.startsWith("reduce"));
        return run.kernels();
    }
}
