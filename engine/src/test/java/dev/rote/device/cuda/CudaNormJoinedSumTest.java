package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Add;
import dev.rote.graph.DType;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The gradient of a group norm of two tensors side by side, and the additions to both of its results, in one launch.
class CudaNormJoinedSumTest extends OnCudaDevice {
    private static NormCase f32(String kind, int groups, int images, int pixels, int... channels) {
        return new NormCase(DType.F32, groups, images, pixels, channels, true, kind);
    }

    static Stream<NormCase> norms() {
        return Stream.of(
                NormCase.bf16("_bf16_warps_4", 8, 2, 64, 64, 64),
                NormCase.bf16("_bf16_warps_4", 4, 3, 25, 8, 8), // a slice of both tensors
                NormCase.bf16("_bf16_warps_4_pair", 8, 2, 25, 8, 8),
                NormCase.bf16("_bf16_warps_staged", 8, 2, 300, 32, 32),
                NormCase.bf16("_bf16_warps_staged_odd", 8, 2, 33, 64, 32),
                NormCase.bf16("_bf16_staged_runs", 8, 2, 20, 96, 64),
                NormCase.bf16("_any_bf16", 5, 2, 20, 7, 3),
                f32("_f32_staged", 8, 2, 33, 16, 48),
                f32("_f32_streamed", 2, 1, 7000, 8, 8),
                f32("_any_f32", 5, 2, 20, 7, 3));
    }

    /// What a graph adds to the two tensors of dx.
    private final class Sums {
        private final NormCase norm;
        private final Map<String, double[]> numbers;
        private final GraphRun run;
        private final List<Value> others = new ArrayList<>();
        private final List<Value> dx;

        Sums(NormCase norm) {
            this.norm = norm;
            numbers = norm.numbers();
            Random random = new Random(3);
            for (int part = 0; part < 2; part++) {
                double[] other = new double[(int) norm.part(part).elements()];
                for (int i = 0; i < other.length; i++) {
                    other[i] = random.nextInt(-64, 64) / 16.0; // whole in bf16
                }
                numbers.put("other" + part, other);
            }
            run = new GraphRun(device, numbers);
            List<Value> inputs = norm.gradientInputs(run);
            inputs.addFirst(run.input("dy", norm.whole()));
            for (int part = 0; part < 2; part++) {
                others.add(run.input("other" + part, norm.part(part)));
            }
            dx = run.graph().add(new GroupNorm.Backward(norm.op()), inputs).subList(0, 2);
        }

        Value sum(int part) {
            return part == 0
                    ? run.graph().apply(new Add(), others.get(0), dx.get(0))
                    : run.graph().apply(new Add(), dx.get(1), others.get(1));
        }

        /// @param added to dx of a part, how many times
        double[] expected(int part, int added) {
            double[] all = norm.backward(numbers, numbers.get("dy")).getFirst();
            double[] sum = numbers.get("other" + part).clone();
            int channels = norm.channels()[part];
            int from = part * norm.channels()[0];
            for (int i = 0; i < sum.length; i++) {
                sum[i] = added * sum[i] + all[i / channels * norm.all() + from + i % channels];
            }
            return sum;
        }

        void agree(Map<String, float[]> found, int part, int added) {
            NormCase.agree(found.get("dx" + part), expected(part, added), norm.type() == DType.F32 ? 0x1p-18 : 0x1p-7);
        }

        long additions() {
            return run.kernels().stream()
                    .filter(kernel -> kernel.startsWith("add"))
                    .count();
        }
    }

    @ParameterizedTest
    @MethodSource("norms")
    void oneLaunchAddsToBoth(NormCase norm) {
        for (int order = 0; order < 2; order++) {
            Sums sums = new Sums(norm);
            for (int part : new int[] {order, 1 - order}) {
                sums.run.place("dx" + part, sums.sum(part));
            }
            Map<String, float[]> found = sums.run.results();
            assertThat(sums.additions()).isZero();
            assertThat(sums.run.kernels()).contains("group_norm_backward" + norm.kind());
            sums.agree(found, 0, 1);
            sums.agree(found, 1, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("norms")
    void orToOneOfThem(NormCase norm) {
        for (int part = 0; part < 2; part++) {
            Sums sums = new Sums(norm);
            sums.run.place("dx" + part, sums.sum(part));
            sums.run.place("dx" + (1 - part), sums.dx.get(1 - part));
            Map<String, float[]> found = sums.run.results();
            assertThat(sums.additions()).isZero();
            sums.agree(found, part, 1);
            sums.agree(found, 1 - part, 0);
        }
    }

    @Test
    void aSecondReaderKeepsItsSumApart() {
        Sums sums = new Sums(NormCase.bf16("", 8, 2, 64, 64, 64));
        sums.run.place("dx0", sums.sum(0));
        Value second = sums.sum(1);
        sums.run.place("dx1", sums.run.graph().apply(new Add(), second, sums.others.get(1)));
        sums.run.place("read again", sums.dx.get(1));
        Map<String, float[]> found = sums.run.results();
        assertThat(sums.additions()).isEqualTo(2);
        sums.agree(found, 0, 1);
        sums.agree(found, 1, 2);
    }

    /// Both addends are read again, so that the sums lie elsewhere: where the plan has done with dy.
    @Test
    void memoryThatIsUsedAgainKeepsThemApart() {
        Sums sums = new Sums(NormCase.bf16("", 8, 2, 64, 64, 64));
        Value[] sum = {sums.sum(0), sums.sum(1)};
        for (int part = 0; part < 2; part++) {
            sums.run.place("dx" + part, sums.run.graph().apply(new Add(), sum[part], sums.others.get(part)));
        }
        Map<String, float[]> found = sums.run.results();
        assertThat(sums.additions()).isGreaterThan(2);
        sums.agree(found, 0, 2);
        sums.agree(found, 1, 2);
    }
}
