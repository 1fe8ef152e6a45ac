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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// 3x3 convolutions whose pixels are read once ([HaloTile]), against the definition.
///
/// Products of bf16 numbers are exact in f32, so the result differs by the rounding of sums and of the result alone; a
/// pixel or a tap at the wrong place is a thousand times that.
class CudaHaloTest extends OnCudaDevice {
    private static final Conv2d SAME = Conv2d.same(3);
    private static final Conv2d UPSAMPLED = SAME.reading(Conv2d.Input.UPSAMPLED);

    /// Images, height, width, channels read, channels written: one and several images of a tile, tiles of an image, a
    /// last tile that is not full, one and several steps of depth, both widths of the tile.
    private static final int[][] SIZES = {
        {1, 32, 32, 32, 32},
        {3, 8, 8, 32, 64},
        {5, 8, 8, 96, 32},
        {2, 16, 16, 64, 64},
        {1, 16, 16, 32, 96},
        {2, 32, 8, 64, 128},
        {1, 4, 64, 32, 32},
        {3, 16, 8, 32, 32}
    };

    @Override
    CudaDevice opened() {
        return CudaDevice.openPortable(0);
    }

    static Stream<OpCase> cases() {
        Random random = new Random(5);
        return AnyDriver.some(Arrays.stream(SIZES)
                .flatMap(s -> Stream.of(SAME, UPSAMPLED).flatMap(conv -> {
                    int height = s[1] / conv.enlargement();
                    int width = s[2] / conv.enlargement();
                    return Stream.of(
                            of(
                                    random,
                                    conv,
                                    bf16(s[0], height, width, s[3]),
                                    bf16(s[4], 3, 3, s[3]),
                                    TensorType.f32(s[4])),
                            of(
                                    random,
                                    new Conv2d.BackwardData(conv, Shape.of(s[0], height, width, s[4])),
                                    bf16(s[0], s[1], s[2], s[3]),
                                    bf16(s[3], 3, 3, s[4])));
                }))
                .toList());
    }

    private static TensorType bf16(int... dims) {
        return new TensorType(Shape.of(dims), DType.BF16);
    }

    private static OpCase of(Random random, Op op, TensorType... types) {
        List<double[]> inputs = Arrays.stream(types)
                .map(type -> random.doubles(type.elements())
                        .map(number -> (int) (256 * number) / 128.0 - 1) // whole in bf16
                        .toArray())
                .toList();
        return new OpCase(op.label() + " " + Arrays.toString(types), op, List.of(types), inputs);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithTheDefinitionInBothOrders(OpCase one) {
        assertThat(kernels(device, one)).singleElement().asString().contains("_halo_");
        double[] found = new OpRun(device).run(one).getFirst();
        AnyDriver.descending(true);
        assertThat(OpRun.asReplica(device).run(one).getFirst()).isEqualTo(found);
        AnyDriver.descending(false);
        double[] expected = one.expected().getFirst();
        for (int i = 0; i < expected.length; i++) {
            // Sums of numbers of eight bits are exact in f32; what is left is the rounding of the result.
            double tolerance = Math.abs(expected[i]) * 0x1p-8;
            if (!(Math.abs(found[i] - expected[i]) <= tolerance)) {
                throw new AssertionError(
                        one.name() + " element " + i + ": expected " + expected[i] + ", found " + found[i]);
            }
        }
    }

    @Test
    void othersGoToTheGatheredProduct() {
        Random random = new Random(6);
        for (int[] s : new int[][] {
            {1, 16, 16, 128, 48},
            {1, 12, 12, 32, 32},
            {1, 8, 24, 32, 32},
            {1, 1, 256, 32, 64},
            {2, 2, 8, 64, 32}
        }) {
            OpCase one = of(random, SAME, bf16(s[0], s[1], s[2], s[3]), bf16(s[4], 3, 3, s[3]), TensorType.f32(s[4]));
            assertThat(kernels(device, one)).singleElement().asString().contains("_tensor_");
            one = of(random, UPSAMPLED, bf16(s[0], s[1], s[2], s[3]), bf16(s[4], 3, 3, s[3]), TensorType.f32(s[4]));
            boolean taken = s[3] == 32 && s[4] == 32 && s[1] == 8;
            assertThat(kernels(device, one)).singleElement().asString().contains(taken ? "" : "_tensor_");
        }
        Conv2d strided = Conv2d.of(2, 1);
        OpCase one = of(random, strided, bf16(1, 16, 16, 32), bf16(32, 3, 3, 32), TensorType.f32(32));
        assertThat(kernels(device, one)).singleElement().asString().contains("_tensor_");
    }
}
