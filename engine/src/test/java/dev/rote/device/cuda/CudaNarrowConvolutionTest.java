package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Op;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpRun;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// 3x3 convolutions with few channels on one side ([NarrowConvolution], [TapsConvolution]), against the definition.
///
/// Numbers of eight bits: their products and sums are exact in f32, so the result differs by its own rounding alone.
class CudaNarrowConvolutionTest extends OnCudaDevice {
    private static final Conv2d SAME = Conv2d.same(3);

    /// Images, height, width, few channels, many: rows of images that fill blocks and columns beside them, one and
    /// several bands of rows and a last one that is not full, one pixel, slices that leave threads idle and that
    /// need several blocks.
    private static final int[][] SIZES = {
        {2, 32, 32, 1, 32},
        {3, 28, 28, 1, 64},
        {1, 1, 1, 1, 8},
        {5, 1, 1, 4, 32},
        {2, 13, 5, 2, 24},
        {1, 17, 40, 3, 32},
        {2, 33, 7, 1, 40},
        {3, 4, 4, 3, 128},
        {1, 3, 9, 4, 64},
        {1, 2, 50, 2, 8},
        {1, 6, 3, 4, 72},
        {7, 2, 1, 1, 16}
    };

    /// The same with one channel and rows of whole sixteens: one piece and several, a last one that is not full, more
    /// pieces than blocks, several blocks beside each other.
    private static final int[][] TAPS = {
        {2, 32, 32, 1, 32},
        {3, 16, 16, 1, 8},
        {1, 75, 16, 1, 16},
        {1, 33, 64, 1, 64},
        {2, 3, 512, 1, 8},
        {1, 1, 48, 1, 96},
        {5, 7, 112, 1, 128},
        {410, 1, 16, 1, 24}
    };

    @AfterEach
    void ascend() {
        AnyDriver.descending(false);
    }

    /// @param kernel that is to be chosen
    record Case(OpCase one, String kernel) {
        @Override
        public String toString() {
            return one.name();
        }
    }

    static Stream<Case> cases() {
        Random random = new Random(5);
        Stream<Case> narrow = Stream.of(DType.F32, DType.BF16)
                .flatMap(type -> Arrays.stream(SIZES).flatMap(s -> cases(random, type, s)));
        return AnyDriver.some(Stream.concat(narrow, Arrays.stream(TAPS).flatMap(s -> taps(random, s)))
                .toList());
    }

    private static Stream<Case> cases(Random random, DType type, int[] s) {
        Shape few = Shape.of(s[0], s[1], s[2], s[3]);
        Shape many = few.with(3, s[4]);
        String suffix = type == DType.F32 ? "_f32" : "_bf16";
        boolean taps = type == DType.BF16 && s[3] == 1 && s[2] % 16 == 0;
        Stream<Case> narrow =
                Stream.of(new Case(backward(random, type, many, s[3]), "conv2d_backward_data_stem" + suffix));
        Stream<Case> wide = Stream.of(
                new Case(forward(random, type, many, s[3], true), "conv2d_head" + suffix),
                new Case(forward(random, type, many, s[3], false), "conv2d_head" + suffix),
                new Case(forward(random, type, few, s[4], true), "conv2d_stem" + suffix),
                new Case(backward(random, type, few, s[4]), "conv2d_backward_data_head" + suffix));
        return taps ? narrow : Stream.concat(narrow, wide);
    }

    private static Stream<Case> taps(Random random, int[] s) {
        Shape few = Shape.of(s[0], s[1], s[2], s[3]);
        Shape many = few.with(3, s[4]);
        int block = Math.min(64, Integer.lowestOneBit(s[4]));
        String head = s[2] <= 208 ? "conv2d_taps_head" : "conv2d_head_bf16";
        return Stream.of(
                new Case(forward(random, DType.BF16, many, 1, true), head),
                new Case(forward(random, DType.BF16, many, 1, false), head),
                new Case(forward(random, DType.BF16, few, s[4], true), "conv2d_taps_stem_" + block),
                new Case(forward(random, DType.BF16, few, s[4], false), "conv2d_taps_stem_" + block),
                new Case(backward(random, DType.BF16, few, s[4]), "conv2d_taps_backward_data_head_" + block));
    }

    private static OpCase forward(Random random, DType type, Shape x, int filters, boolean bias) {
        TensorType image = new TensorType(x, type);
        TensorType w = image.with(Shape.of(filters, 3, 3, x.last()));
        return bias ? of(random, SAME, image, w, TensorType.f32(filters)) : of(random, SAME, image, w);
    }

    private static OpCase backward(Random random, DType type, Shape dy, int channels) {
        TensorType image = new TensorType(dy, type);
        Op op = new Conv2d.BackwardData(SAME, dy.with(3, channels));
        return of(random, op, image, image.with(Shape.of(dy.last(), 3, 3, channels)));
    }

    private static OpCase of(Random random, Op op, TensorType... types) {
        return OnSm90Device.of(random, op, types);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithTheDefinitionInBothOrders(Case given) {
        OpCase one = given.one();
        assertThat(kernels(device, one)).containsExactly(given.kernel());
        double[] found = new OpRun(device).run(one).getFirst();
        AnyDriver.descending(true);
        assertThat(Arrays.mismatch(OpRun.asReplica(device).run(one).getFirst(), found))
                .isEqualTo(-1);
        double[] expected = one.expected().getFirst();
        if (given.kernel().endsWith("f32")) {
            assertThat(Arrays.mismatch(found, expected)).isEqualTo(-1);
        } else {
            OnSm90Device.isRounded(found, expected, one.name());
        }
    }

    /// Few channels that are no filters of this kind, many that are not whole pieces of 16 bytes, too many on both
    /// sides.
    @Test
    void othersGoElsewhere() {
        Random random = new Random(6);
        Shape image = Shape.of(1, 8, 8, 1);
        for (OpCase one : List.of(
                forward(random, DType.BF16, image, 12, true),
                forward(random, DType.F32, image, 6, true),
                forward(random, DType.BF16, image.with(3, 8), 8, true),
                forward(random, DType.BF16, image.with(3, 12), 1, true),
                forward(random, DType.BF16, image.with(3, 264), 1, true),
                backward(random, DType.BF16, image.with(3, 5), 16),
                backward(random, DType.BF16, image.with(3, 264), 2))) {
            assertThat(kernels(device, one)).singleElement().asString().doesNotContain("stem", "head");
        }
        for (Conv2d conv : List.of(Conv2d.of(2, 1), Conv2d.of(1, 0), SAME.reading(Conv2d.Input.UPSAMPLED))) {
            OpCase one = of(random, conv, OnSm90Device.bf16(1, 8, 8, 1), OnSm90Device.bf16(32, 3, 3, 1));
            assertThat(kernels(device, one)).singleElement().asString().doesNotContain("stem", "head");
        }
        OpCase one = of(random, Conv2d.same(5), OnSm90Device.bf16(1, 8, 8, 1), OnSm90Device.bf16(32, 5, 5, 1));
        assertThat(kernels(device, one)).singleElement().asString().doesNotContain("stem", "head");
    }
}
