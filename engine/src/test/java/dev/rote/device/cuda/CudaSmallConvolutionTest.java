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

/// 3x3 convolutions with few channels in multiples of 8 ([SmallConvolution]), against the definition.
///
/// Numbers of eight bits: their products and sums are exact in f32, so the result differs by its own rounding alone.
class CudaSmallConvolutionTest extends OnCudaDevice {
    private static final Conv2d SAME = Conv2d.same(3);
    private static final Conv2d UPSAMPLED = SAME.reading(Conv2d.Input.UPSAMPLED);

    /// Images, height, width, channels, filters, and the outputs of a block forward and backward: one and several
    /// images of a patch, a last patch that is not full, lines that are no multiples of 8, odd and even numbers of
    /// vectors, one and several blocks to a patch and the last of those not full, patches of 64, 128 and 256 pixels,
    /// several patches of a block. Last whether filters stay in registers: few channels, of patches of one image.
    private static final int[][] SIZES = {
        {2, 8, 8, 8, 8, 8, 8, 1},
        {3, 8, 8, 16, 24, 24, 16, 0},
        {5, 7, 9, 24, 8, 8, 24, 0},
        {7, 4, 5, 48, 16, 16, 24, 0},
        {1, 24, 40, 32, 40, 24, 32, 0},
        {2, 14, 28, 64, 8, 8, 32, 0},
        {9, 4, 8, 24, 16, 16, 24, 0},
        {9, 4, 8, 8, 16, 16, 8, 0},
        {2, 12, 24, 16, 64, 32, 16, 0},
        {1, 5, 128, 16, 56, 32, 16, 0},
        {2, 5, 128, 16, 16, 16, 16, 0},
        {2, 16, 16, 96, 40, 24, 32, 0},
        {3, 13, 24, 16, 16, 16, 16, 1},
        {68, 16, 16, 16, 8, 8, 16, 1},
        {34, 32, 32, 8, 16, 16, 8, 1},
        {530, 4, 34, 8, 8, 8, 8, 1},
        {67, 4, 65, 8, 72, 24, 8, 0},
        {67, 4, 65, 72, 8, 8, 24, 0}
    };

    @AfterEach
    void ascend() {
        AnyDriver.descending(false);
    }

    /// Others test the kernels for one capability, which come first where they take a shape.
    @Override
    CudaDevice opened() {
        return CudaDevice.openPortable(0);
    }

    /// @param kernel that is to be chosen
    record Case(OpCase one, String kernel) {
        @Override
        public String toString() {
            return one.name() + " by " + kernel;
        }
    }

    static Stream<Case> cases() {
        Random random = new Random(5);
        return AnyDriver.some(Arrays.stream(SIZES)
                .flatMap(s -> {
                    Shape x = Shape.of(s[0], s[1], s[2], s[3]);
                    String forward = "conv2d_small_" + s[5];
                    String backward = "conv2d_backward_data_small_" + s[6];
                    boolean kept = s[7] == 1;
                    Stream<Case> plain = Stream.of(
                            new Case(forward(random, SAME, x, s[4], true), forward + (kept ? "_of_" + s[3] : "")),
                            new Case(backward(random, SAME, x, s[4]), backward + (kept ? "_of_" + s[4] : "")));
                    Shape half = Shape.of(s[0], s[1] / 2, s[2] / 2, s[3]);
                    Stream<Case> upsampled = s[1] % 2 + s[2] % 2 > 0
                            ? Stream.of()
                            : Stream.of(new Case(forward(random, UPSAMPLED, half, s[4], false), forward));
                    Stream<Case> cells = s[1] % 2 + s[2] % 8 > 0
                            ? Stream.of()
                            : Stream.of(new Case(
                                    backward(random, UPSAMPLED, half, s[4]),
                                    "conv2d_upsampled_backward_data_small_" + s[6]));
                    return Stream.of(plain, upsampled, cells).flatMap(one -> one);
                })
                .toList());
    }

    private static TensorType bf16(Shape shape) {
        return new TensorType(shape, DType.BF16);
    }

    private static OpCase forward(Random random, Conv2d conv, Shape x, int filters, boolean bias) {
        TensorType w = bf16(Shape.of(filters, 3, 3, x.last()));
        return bias
                ? OnSm90Device.of(random, conv, bf16(x), w, TensorType.f32(filters))
                : OnSm90Device.of(random, conv, bf16(x), w);
    }

    private static OpCase backward(Random random, Conv2d conv, Shape x, int filters) {
        Op op = new Conv2d.BackwardData(conv, x);
        TensorType dy = bf16(conv.image(x).with(3, filters));
        return OnSm90Device.of(random, op, dy, bf16(Shape.of(filters, 3, 3, x.last())));
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
        OnSm90Device.isRounded(found, one.expected().getFirst(), one.name());
    }

    /// Channels that are not whole pieces of 16 bytes, all of them multiples of 32, too many; images that are too small
    /// or too wide; other filters.
    @Test
    void othersGoElsewhere() {
        Random random = new Random(6);
        Shape image = Shape.of(1, 16, 16, 16);
        for (OpCase one : List.of(
                forward(random, SAME, image.with(3, 12), 16, true),
                forward(random, SAME, image, 12, true),
                forward(random, SAME, image.with(3, 32), 64, true),
                forward(random, SAME, image.with(3, 104), 8, true),
                forward(random, SAME, image, 104, true),
                forward(random, SAME, image.with(1, 3), 16, true),
                forward(random, SAME, image.with(2, 136), 16, true),
                forward(random, Conv2d.of(2, 1), image, 16, true),
                backward(random, SAME, image.with(3, 32), 32),
                backward(random, UPSAMPLED, Shape.of(1, 7, 6, 16), 16),
                OnSm90Device.of(random, Conv2d.same(5), bf16(image), bf16(Shape.of(8, 5, 5, 16))))) {
            assertThat(kernels(device, one)).singleElement().asString().doesNotContain("_small_");
        }
    }

    /// What a block keeps, and how many fill a GPU: two patches where there is room, of as many pixels as leave one for
    /// each multiprocessor.
    @Test
    void patchesAndBlocksAreChosenByTheShape() {
        assertThat(small(128, 32, 8, 8)).isEqualTo(new int[] {256, 2, 528});
        assertThat(small(128, 16, 16, 16)).isEqualTo(new int[] {128, 2, 264});
        assertThat(small(128, 16, 8, 16)).isEqualTo(new int[] {128, 2, 396});
        assertThat(small(128, 8, 16, 32)).isEqualTo(new int[] {64, 2, 396});
        assertThat(small(512, 32, 96, 40)).isEqualTo(new int[] {128, 1, 0});
    }

    private static int[] small(int images, int side, int channels, int filters) {
        Shape x = Shape.of(images, side, side, channels);
        SmallConvolution one = SmallConvolution.of(
                        false, SAME, Shape.of(filters, 3, 3, channels), DType.BF16, x, filters)
                .orElseThrow();
        return new int[] {one.patch().pixels(), one.stages(), one.filling()};
    }
}
