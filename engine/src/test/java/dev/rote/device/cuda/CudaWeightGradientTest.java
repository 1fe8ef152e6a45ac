package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
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

/// Weight gradients of 3x3 convolutions by the kernels that read their operands once: that they are chosen, against the
/// definition, and in both orders of threads.
class CudaWeightGradientTest extends OnCudaDevice {
    private static final double F32_ULP = 0x1p-23;
    private static final int LEAST_STEP = 8; // as in CudaTensorCoreTest
    private static final Conv2d UPSAMPLED = Conv2d.same(3).reading(Conv2d.Input.UPSAMPLED);
    private static final String HALO = "conv2d_backward_weight_halo_bf16_";
    private static final String SMALL = "conv2d_backward_weight_small_";

    private record Gradient(OpCase one, String kernel) {
        @Override
        public String toString() {
            return kernel + " " + one.name();
        }
    }

    @Override
    CudaDevice opened() {
        return CudaDevice.openPortable(0);
    }

    static Stream<Gradient> gradients() {
        return AnyDriver.some(List.of(
                // Two images to a strip, the last one alone; the images' ends inside and at the ends of stages.
                halo("32x32", true, 7, 8, 8, 32, 32),
                halo("32x32", false, 1, 8, 8, 32, 32),
                halo("32x32", true, 3, 3, 7, 24, 8),
                halo("32x64", true, 2, 5, 4, 96, 32),
                // Strips of one image, whole and ragged, fewer than groups and more.
                halo("64x32", true, 3, 16, 16, 32, 96),
                halo("32x32", true, 3, 16, 16, 32, 32),
                halo("32x64", true, 1, 3, 28, 40, 32),
                halo("64x32", false, 2, 32, 32, 32, 64),
                halo("64x64", true, 3, 16, 16, 64, 64),
                halo("64x32", true, 1, 1, 17, 128, 192),
                halo("64x32", true, 9, 8, 8, 32, 128),
                halo("32x64", true, 5, 11, 14, 192, 32),
                // Several strips to a group, the last split shorter.
                halo("32x32", true, 1101, 3, 4, 32, 32),
                halo("32x32", true, 40, 2, 9, 192, 192),
                // Of upsampled images, whose sizes these are.
                upsampled("32x32", 5, 4, 4, 32, 32),
                upsampled("32x32", 3, 1, 2, 24, 8),
                upsampled("64x32", 2, 8, 8, 32, 96),
                upsampled("64x32", 3, 7, 9, 64, 64),
                upsampled("64x64", 3, 8, 8, 64, 64),
                upsampled("32x64", 5, 6, 7, 192, 32),
                // Few channels in multiples of 8: warps with one and several outputs, and those that share them; one
                // and
                // several patches of a block, in two to four stages.
                small("5x8", true, 3, 8, 8, 8, 8),
                small("5x16", false, 5, 7, 9, 8, 24),
                small("5x8", true, 7, 4, 5, 24, 8),
                small("5x16", true, 2, 13, 28, 40, 16),
                small("9x8", true, 2, 13, 28, 16, 8),
                small("9x16", true, 3, 16, 16, 48, 16),
                small("9x16", true, 2, 8, 24, 48, 48),
                small("9x16", true, 1, 5, 48, 64, 24),
                small("9x8", true, 1, 9, 12, 96, 8),
                small("9x16", true, 140, 16, 16, 16, 16),
                small("5x8", true, 530, 4, 33, 8, 8),
                small(UPSAMPLED, "5x16", 5, 4, 4, 8, 16),
                small(UPSAMPLED, "9x16", 3, 7, 9, 16, 32),
                // One filter or channel, rows of whole sixteens: one piece and several, blocks with several pieces.
                taps("head_32", true, 2, 32, 32, 32, 1),
                taps("head_8", false, 3, 16, 16, 8, 1),
                taps("head_64", true, 1, 33, 64, 128, 1),
                taps("head_16", true, 70, 3, 16, 16, 1),
                taps("stem_32", true, 2, 32, 32, 1, 96),
                taps("stem_32", true, 40, 16, 32, 1, 32),
                taps("head_64", true, 40, 8, 32, 64, 1),
                taps("stem_8", true, 1, 75, 16, 1, 24),
                taps("stem_64", false, 2, 7, 112, 1, 64),
                taps("stem_16", true, 65, 2, 512, 1, 16),
                // Few filters or channels: heads and stems, whole and ragged columns, threads that are left over.
                narrow("head_bf16", true, 2, 31, 31, 32, 1),
                narrow("head_bf16", true, 3, 28, 28, 64, 3),
                narrow("head_bf16", false, 1, 13, 5, 96, 7),
                narrow("head_bf16", true, 600, 5, 6, 520, 2),
                narrow("head_f32", true, 2, 16, 16, 32, 1),
                narrow("head_f32", true, 1, 7, 3, 12, 8),
                narrow("stem_bf16", true, 2, 31, 31, 1, 32),
                narrow("stem_bf16", true, 3, 9, 7, 3, 96),
                narrow("stem_bf16", false, 1, 1, 1, 4, 8),
                narrow("stem_f32", true, 3, 28, 28, 1, 64),
                narrow("stem_f32", true, 1, 6, 11, 8, 20)));
    }

    private static Gradient halo(
            String tile, boolean bias, int images, int height, int width, int channels, int filters) {
        return gradient(HALO + tile, DType.BF16, bias, images, height, width, channels, filters);
    }

    private static Gradient small(
            String tile, boolean bias, int images, int height, int width, int channels, int filters) {
        return gradient(SMALL + tile, DType.BF16, bias, images, height, width, channels, filters);
    }

    private static Gradient small(
            Conv2d conv, String tile, int images, int height, int width, int channels, int filters) {
        return gradient(conv, SMALL + tile, DType.BF16, true, images, height, width, channels, filters);
    }

    private static Gradient upsampled(String tile, int images, int height, int width, int channels, int filters) {
        return gradient(UPSAMPLED, HALO + tile, DType.BF16, true, images, height, width, channels, filters);
    }

    private static Gradient narrow(
            String kernel, boolean bias, int images, int height, int width, int channels, int filters) {
        DType type = kernel.endsWith("f32") ? DType.F32 : DType.BF16;
        return gradient("conv2d_backward_weight_" + kernel, type, bias, images, height, width, channels, filters);
    }

    private static Gradient taps(
            String kernel, boolean bias, int images, int height, int width, int channels, int filters) {
        String name = "conv2d_taps_backward_weight_" + kernel;
        return gradient(name, DType.BF16, bias, images, height, width, channels, filters);
    }

    private static Gradient gradient(
            String kernel, DType type, boolean bias, int images, int height, int width, int channels, int filters) {
        return gradient(Conv2d.same(3), kernel, type, bias, images, height, width, channels, filters);
    }

    private static Gradient gradient(
            Conv2d conv,
            String kernel,
            DType type,
            boolean bias,
            int images,
            int height,
            int width,
            int channels,
            int filters) {
        TensorType x = new TensorType(Shape.of(images, height, width, channels), type);
        TensorType dy = new TensorType(conv.image(x.shape()).with(3, filters), type);
        Random random = new Random(20_264);
        String name = conv.input() + " " + x.shape() + " to " + filters + (bias ? " with bias" : "");
        List<double[]> inputs = List.of(normals(x, random), normals(dy, random));
        return new Gradient(
                new OpCase(name, new Conv2d.BackwardWeight(conv, 3, 3, bias), List.of(x, dy), inputs), kernel);
    }

    private static double[] normals(TensorType type, Random random) {
        double[] numbers = new double[(int) type.elements()];
        Arrays.setAll(numbers, i -> {
            int bits = Float.floatToRawIntBits((float) random.nextGaussian());
            int nearest = bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000;
            return Float.intBitsToFloat(type.type() == DType.BF16 ? nearest : bits);
        });
        return numbers;
    }

    @ParameterizedTest
    @MethodSource("gradients")
    void agreesWithTheDefinitionInBothOrders(Gradient gradient) {
        OpCase one = gradient.one();
        assertThat(launches(device, one).getFirst().kernel()).isEqualTo(gradient.kernel());
        List<double[]> found = new OpRun(device).run(one);
        AnyDriver.descending(true);
        List<double[]> descending = OpRun.asReplica(device).run(one);
        AnyDriver.descending(false);
        assertThat(descending).containsExactly(found.toArray(double[][]::new));
        List<double[]> expected = one.expected();
        int terms = (int) one.inputTypes().get(1).shape().elements(0, 3);
        for (int output = 0; output < expected.size(); output++) {
            double largest =
                    Arrays.stream(expected.get(output)).map(Math::abs).max().orElseThrow();
            double tolerance = (terms / LEAST_STEP + 4) * F32_ULP * largest;
            for (int i = 0; i < expected.get(output).length; i++) {
                assertThat(Math.abs(found.get(output)[i] - expected.get(output)[i]))
                        .as("output %d element %d: expected %s", output, i, expected.get(output)[i])
                        .isLessThanOrEqualTo(tolerance);
            }
        }
    }

    @Test
    void theWorkspaceIsEnoughForEitherKernel() {
        OpCase one = halo("", true, 1101, 3, 4, 32, 32).one();
        List<TensorType> in = one.inputTypes();
        List<TensorType> out = one.op().infer(in);
        HaloWeights halo = HaloWeights.of(
                        Conv2d.same(3), in.get(0), in.get(1), out.getFirst().shape())
                .orElseThrow();
        assertThat(halo.split()).isEqualTo(new ProductSplit(69, 8));
        assertThat(ProductSplit.of(32, 9 * 32, 1101 * 12).count()).isEqualTo(52);
        assertThat(CudaTarget.INSTANCE.workspaceBytes(one.op(), in, out)).isEqualTo(4 * 69 * (9 * 32 * 32 + 32));
    }
}
