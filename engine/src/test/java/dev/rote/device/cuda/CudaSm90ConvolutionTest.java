package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Graph;
import dev.rote.graph.Op;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpRun;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// 3x3 convolutions by the matrix instructions of compute capability 9.0 ([Sm90Convolution]), against the definition.
///
/// Numbers of eight bits: their products and sums are exact in f32, so the result differs by its own rounding alone.
class CudaSm90ConvolutionTest extends OnSm90Device {
    private static final Conv2d SAME = Conv2d.same(3);
    private static final int LARGEST_ENLARGED = 1 << 21;
    private static final List<Conv2d> READING = List.of(SAME, SAME.reading(Conv2d.Input.UPSAMPLED));

    /// Images, height, width of x, channels read, channels written, the tile: one and several images of a tile, tiles
    /// down and across an image, a last tile that is not full, filters that stay and that come with their step, all
    /// columns.
    private static final Object[][] SIZES = {
        {1, 32, 32, 32, 32, "32x32"},
        {3, 8, 8, 32, 64, "32x64"},
        {5, 8, 8, 96, 32, "32x32_streamed"},
        {2, 16, 16, 64, 64, "32x64_streamed"},
        {1, 16, 16, 32, 96, "32x32"},
        {1, 8, 8, 64, 128, "64x128_streamed"},
        {6, 8, 8, 128, 128, "64x128_streamed"},
        {1, 32, 8, 64, 256, "64x128_streamed"},
        {1, 16, 16, 192, 64, "32x64_streamed"},
        {1, 8, 64, 32, 32, "32x32"},
        {1, 24, 16, 32, 32, "32x32"},
        {1, 8, 8, 256, 32, "32x32_streamed"},
        {3, 16, 8, 32, 32, "32x32"}
    };

    /// Gradients of stride 2: images, height, width of dy, filters, channels, the tile.
    private static final Object[][] STRIDED = {
        {3, 16, 16, 32, 32, "32x32"},
        {5, 8, 8, 32, 64, "32x64"},
        {9, 8, 8, 64, 64, "32x64_streamed"},
        {2, 32, 32, 32, 32, "32x32"},
        {1, 8, 64, 96, 32, "32x32_streamed"},
        {1, 24, 16, 256, 32, "32x32_streamed"},
        {2, 16, 8, 192, 64, "32x64_streamed"},
        {5, 8, 8, 64, 256, "64x128_streamed"},
        {1, 16, 32, 128, 128, "64x128_streamed"}
    };

    /// Images, height, width of x, channels, filters, whether there is a bias, channels of a block: strips that are
    /// images and parts of one, a last strip that reaches beyond the image, half of a block's filters unused, one
    /// split and
    /// several.
    private static final Object[][] WEIGHTS = {
        {1, 32, 32, 32, 32, true, "32"},
        {3, 8, 8, 32, 64, true, "32"},
        {7, 8, 8, 128, 128, true, "64"},
        {2, 16, 16, 64, 64, false, "64"},
        {1, 16, 16, 32, 96, true, "32"},
        {2, 16, 16, 96, 32, true, "32"},
        {1, 8, 64, 64, 32, true, "64"},
        {1, 10, 16, 64, 64, true, "64"},
        {60, 2, 8, 64, 64, true, "64"}
    };

    record Case(OpCase one, String tile) {
        @Override
        public String toString() {
            return one.name();
        }
    }

    /// Small images are enlarged too; others would take long.
    private static Stream<Conv2d> reading(Object[] size) {
        int products = Arrays.stream(size, 0, 5).mapToInt(n -> (int) n).reduce(1, (a, b) -> a * b);
        return products <= LARGEST_ENLARGED ? READING.stream() : Stream.of(SAME);
    }

    static Stream<Case> cases() {
        Random random = new Random(5);
        return AnyDriver.some(Arrays.stream(SIZES)
                .flatMap(size -> reading(size).flatMap(conv -> {
                    int[] s = Arrays.stream(size, 0, 5).mapToInt(n -> (int) n).toArray();
                    int scale = conv.enlargement();
                    TensorType x = bf16(s[0], s[1], s[2], s[3]);
                    TensorType w = bf16(s[4], 3, 3, s[3]);
                    OpCase forward = of(random, conv, x, w, TensorType.f32(s[4]));
                    OpCase backward = of(
                            random,
                            new Conv2d.BackwardData(conv, Shape.of(s[0], s[1], s[2], s[4])),
                            bf16(s[0], scale * s[1], scale * s[2], s[3]),
                            bf16(s[3], 3, 3, s[4]));
                    return Stream.of(new Case(forward, (String) size[5]), new Case(backward, (String) size[5]));
                }))
                .toList());
    }

    static Stream<Case> strided() {
        Random random = new Random(8);
        return AnyDriver.some(Arrays.stream(STRIDED)
                .map(size -> {
                    int[] s = Arrays.stream(size, 0, 5).mapToInt(n -> (int) n).toArray();
                    Op op = new Conv2d.BackwardData(Conv2d.of(2, 1), Shape.of(s[0], 2 * s[1], 2 * s[2], s[4]));
                    OpCase one = of(random, op, bf16(s[0], s[1], s[2], s[3]), bf16(s[3], 3, 3, s[4]));
                    return new Case(one, (String) size[5]);
                })
                .toList());
    }

    static Stream<Case> gradients() {
        Random random = new Random(7);
        return AnyDriver.some(Arrays.stream(WEIGHTS)
                .flatMap(size -> reading(size).map(conv -> {
                    int[] s = Arrays.stream(size, 0, 5).mapToInt(n -> (int) n).toArray();
                    Op op = new Conv2d.BackwardWeight(conv, 3, 3, (boolean) size[5]);
                    TensorType x = bf16(s[0], s[1], s[2], s[3]);
                    TensorType dy = bf16(s[0], conv.enlargement() * s[1], conv.enlargement() * s[2], s[4]);
                    return new Case(of(random, op, x, dy), (String) size[6]);
                }))
                .toList());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithTheDefinitionInBothOrders(Case given) {
        OpCase one = given.one();
        assertThat(kernels(device, one)).singleElement().asString().endsWith("_sm90_" + given.tile());
        double[] found = new OpRun(device).run(one).getFirst();
        AnyDriver.descending(true);
        assertThat(OpRun.asReplica(device).run(one).getFirst()).isEqualTo(found);
        isRounded(found, one.expected().getFirst(), one.name());
    }

    /// The pixels of each parity, by their own taps.
    @ParameterizedTest
    @MethodSource("strided")
    void gradientsOfStrideTwoAgreeInBothOrders(Case given) {
        assertThat(kernels(device, given.one())).containsExactly("conv2d_strided_backward_data_sm90_" + given.tile());
        agreesWithTheDefinitionInBothOrders(given);
    }

    /// Each tile alone, and one after the other in one block, which stores one while it multiplies the next.
    @ParameterizedTest
    @CsvSource({
        // stride, images, height, width of dy, filters, channels, tile
        "1, 9, 8, 8, 128, 128, 64x128_streamed",
        "1, 1, 32, 32, 64, 128, 64x128_streamed",
        "1, 13, 8, 8, 32, 64, 32x64",
        "2, 13, 8, 8, 64, 128, 64x128_streamed",
        "2, 9, 8, 8, 192, 64, 32x64_streamed"
    })
    void gradientsAreTheSameHoweverManyTilesABlockHas(int stride, int n, int h, int w, int k, int c, String tile) {
        List<Outcome> found = Stream.of(false, true)
                .map(narrow -> {
                    Graph graph = new Graph();
                    Shape x = Shape.of(n, stride * h, stride * w, c);
                    Op op = new Conv2d.BackwardData(Conv2d.of(stride, 1), x);
                    Value dx = graph.apply(
                            op, Outcome.input(graph, "dy", n, h, w, k), Outcome.input(graph, "w", k, 3, 3, c));
                    return Outcome.of(device, graph, dx, narrow);
                })
                .toList();
        assertThat(found.getFirst().kernels())
                .contains("conv2d_" + (stride == 2 ? "strided_" : "") + "backward_data_sm90_" + tile);
        found.get(1).isTheSameAs(found.getFirst());
    }

    @ParameterizedTest
    @MethodSource("gradients")
    void sumsGradientsInBothOrders(Case given) {
        OpCase one = given.one();
        String kernel = launches(device, one).getFirst().kernel();
        assertThat(kernel).endsWith("_backward_weight_sm90_" + given.tile());
        List<double[]> found = new OpRun(device).run(one);
        AnyDriver.descending(true);
        assertThat(OpRun.asReplica(device).run(one)).containsExactly(found.toArray(double[][]::new));
        List<double[]> expected = one.expected();
        for (int output = 0;
                output < expected.size();
                output++) { // exact: at most 2^12 terms of 14 bits, of either sign
            assertThat(found.get(output)).as("output %d", output).isEqualTo(expected.get(output));
        }
    }

    @Test
    void othersGoElsewhere() {
        Random random = new Random(6);
        int[][] sizes = {
            {1, 16, 16, 16, 32}, {1, 16, 16, 32, 48}, {1, 12, 12, 32, 32}, {1, 8, 24, 32, 32}, {1, 4, 8, 32, 32}
        };
        for (int[] s : sizes) {
            OpCase one = of(random, SAME, bf16(s[0], s[1], s[2], s[3]), bf16(s[4], 3, 3, s[3]), TensorType.f32(s[4]));
            assertThat(kernels(device, one)).singleElement().asString().doesNotContain("_sm90_");
        }
    }

    @Test
    void otherStridedGradientsGoElsewhere() {
        Random random = new Random(9);
        Shape x = Shape.of(1, 16, 16, 32);
        for (Op op : List.of(
                new Conv2d.BackwardData(Conv2d.of(2, 1), Shape.of(1, 15, 16, 32)), // a last row without a pair
                new Conv2d.BackwardData(Conv2d.of(2, 1), Shape.of(1, 16, 15, 32)),
                new Conv2d.BackwardData(new Conv2d(2, 0, 1, 1, 1), x), // the first taps fall on the first row
                new Conv2d.BackwardData(new Conv2d(2, 1, 0, 1, 1), x),
                new Conv2d.BackwardData(Conv2d.of(2, 1), x.with(3, 48)))) {
            int channels = ((Conv2d.BackwardData) op).x().last();
            OpCase one = of(random, op, bf16(1, 8, 8, 32), bf16(32, 3, 3, channels));
            assertThat(kernels(device, one)).singleElement().asString().doesNotContain("_sm90_");
        }
    }
}
