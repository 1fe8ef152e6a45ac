package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Graph;
import dev.rote.graph.Linear;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Linear layers by the matrix instructions of compute capability 9.0 ([Sm90Linear]), against the definition.
class CudaSm90LinearTest extends OnSm90Device {
    private static final Conv2d JOINED = Conv2d.same(1).reading(Conv2d.Input.JOINED);

    record Case(OpCase one, String kernel) {
        @Override
        public String toString() {
            return kernel + " " + one.name();
        }
    }

    /// Rows, of the first tensor and of the second (0: there is none) so many values, filters; the kernels' tiles
    /// forward, of the gradient of data and of weights. Rows that fill no tile, one step and several, columns of
    /// either output.
    private static final Object[][] SIZES = {
        {2048, 64, 0, 192, "rows_64x64", "32x64", "sm90_64"},
        {2049, 32, 0, 96, "rows_32x32", "32x32", "sm90_32"}, // half of the second group of filters is zeros
        {2305, 64, 0, 64, "32x64", "32x64", "sm90_64"},
        {2100, 64, 64, 192, "32x64", "32x64", "sm90_64"}, // filters leave no room for two tiles
        {2111, 32, 32, 96, "rows_32x32", "32x32", "sm90_32"},
        {2049, 128, 0, 128, "64x128", "64x128", "sm90_128"},
        {2100, 32, 0, 64, "32x64", "32x32", "sm90_32"},
        {2048, 32, 32, 32, "32x32", "32x32", "sm90_32"},
        {2100, 64, 32, 32, "32x32", "32x32", "sm90_32"},
        {2305, 64, 32, 64, "32x64", "32x32", "sm90_32"},
        {2048, 128, 64, 128, "64x128", "32x64", "sm90_64"},
        {2111, 128, 128, 64, "32x64", "64x128", "sm90_128"}
    };

    static Stream<Case> cases() {
        Random random = new Random(11);
        List<Case> cases = new ArrayList<>();
        for (Object[] size : SIZES) {
            int[] s = Arrays.stream(size, 0, 4).mapToInt(n -> (int) n).toArray();
            TensorType y = bf16(s[0], 1, 1, s[3]);
            TensorType x = bf16(s[0], 1, 1, s[1]);
            TensorType bias = TensorType.f32(s[3]);
            String forward = "linear_sm90_" + size[4];
            String data = "linear_backward_data_sm90_" + size[5];
            boolean joined = s[2] > 0 && !((String) size[6]).startsWith("sm90");
            String weight = (joined ? "linear_joined" : "linear") + "_backward_weight_" + size[6];
            if (s[2] == 0) {
                TensorType w = bf16(s[3], s[1]);
                cases.add(new Case(of(random, new Linear(), x, w, bias), forward));
                cases.add(new Case(of(random, new Linear.BackwardData(), y, w), data));
                cases.add(new Case(of(random, new Linear.BackwardWeight(true), x, y), weight));
            } else {
                TensorType x2 = bf16(s[0], 1, 1, s[2]);
                TensorType w = bf16(s[3], 1, 1, s[1] + s[2]);
                Shape whole = Shape.of(s[0], 1, 1, s[1] + s[2]);
                cases.add(new Case(of(random, JOINED, x, x2, w, bias), forward));
                cases.add(new Case(of(random, new Conv2d.BackwardData(JOINED, whole, s[1]), y, w), data));
                cases.add(new Case(of(random, new Conv2d.BackwardWeight(JOINED, 1, 1, true), x, x2, y), weight));
            }
        }
        return AnyDriver.some(cases);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithTheDefinitionInBothOrders(Case given) {
        OpCase one = given.one();
        assertThat(launches(device, one).getFirst().kernel()).isEqualTo(given.kernel());
        List<double[]> found = new OpRun(device).run(one);
        AnyDriver.descending(true);
        assertThat(OpRun.asReplica(device).run(one)).containsExactly(found.toArray(double[][]::new));
        List<double[]> expected = one.expected();
        for (int output = 0; output < expected.size(); output++) {
            isRounded(found.get(output), expected.get(output), one.name() + " output " + output);
        }
    }

    /// Each tile alone, and one after the other in one block, whose rows come while those before are used.
    @ParameterizedTest
    @CsvSource({"2304, 64, 192, 64x64", "2300, 32, 96, 32x32", "2200, 64, 96, 32x32"})
    void resultsAreTheSameHoweverManyTilesABlockHas(int rows, int channels, int filters, String tile) {
        List<Outcome> found = Stream.of(false, true)
                .map(narrow -> {
                    Graph graph = new Graph();
                    Value y = graph.apply(
                            new Linear(),
                            Outcome.input(graph, "x", rows, channels),
                            Outcome.input(graph, "w", filters, channels),
                            graph.external("bias", TensorType.f32(filters)));
                    return Outcome.of(device, graph, y, narrow);
                })
                .toList();
        assertThat(found.getFirst().kernels()).contains("linear_sm90_rows_" + tile);
        found.get(1).isTheSameAs(found.getFirst());
    }

    /// Eight parts of a large gradient, which threads of four values add up.
    @Test
    void aLargeWeightGradientAgreesToo() {
        OpCase one = of(new Random(13), new Linear.BackwardWeight(true), bf16(2048, 512), bf16(2048, 768));
        assertThat(kernels(device, one)).containsExactly("linear_backward_weight_sm90_128", "sum_splits_few");
        List<double[]> found = new OpRun(device).run(one);
        List<double[]> expected = one.expected();
        for (int output = 0; output < expected.size(); output++) {
            isRounded(found.get(output), expected.get(output), "output " + output);
        }
    }

    @Test
    void othersGoElsewhere() {
        Random random = new Random(12);
        for (int[] s : new int[][] {{2047, 64, 64}, {2048, 48, 64}, {2048, 64, 40}}) {
            OpCase one = of(random, new Linear(), bf16(s[0], s[1]), bf16(s[2], s[1]));
            assertThat(kernels(device, one)).singleElement().asString().doesNotContain("_sm90_");
        }
        TensorType f32 = TensorType.f32(2048, 64);
        OpCase one = of(random, new Linear(), f32, TensorType.f32(64, 64));
        assertThat(kernels(device, one)).singleElement().asString().doesNotContain("_sm90_");
    }
}
