package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Graph;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpRun;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// 3x3 convolutions of stride 2 by the kernels for compute capability 9.0 ([StridedConvolution]).
class CudaStridedConvolutionTest extends OnSm90Device {
    private static final Conv2d STRIDED = Conv2d.of(2, 1);

    /// A tile that is part of an image, one that is an image, and one of several; images that fill no tile.
    @ParameterizedTest
    @CsvSource({
        // images, height, width, channels, filters, tile, channels of a gradient's block
        "2, 64, 64, 32, 64, 32x64, 96",
        "8, 32, 32, 32, 32, 32x32, 96",
        "33, 16, 16, 64, 128, 64x128, 192",
        "35, 16, 16, 64, 64, 32x64, 192",
        "130, 8, 8, 128, 128, 64x128, 128",
        "1, 256, 32, 96, 32, 32x32, 96"
    })
    void agreeWithTheDefinitionInBothOrders(int n, int h, int w, int c, int k, String tile, int block) {
        Random random = new Random(n + c);
        TensorType x = bf16(n, h, w, c);
        TensorType y = bf16(n, h / 2, w / 2, k);
        OpCase forward = of(random, STRIDED, x, bf16(k, 3, 3, c), TensorType.f32(k));
        agrees(forward, "conv2d_strided_sm90_" + tile);
        agrees(
                of(random, new Conv2d.BackwardWeight(STRIDED, 3, 3, true), x, y),
                "conv2d_strided_backward_weight_sm90_" + block);
    }

    private void agrees(OpCase one, String kernel) {
        assertThat(kernels(device, one).getFirst()).isEqualTo(kernel);
        List<double[]> found = new OpRun(device).run(one);
        AnyDriver.descending(true);
        assertThat(OpRun.asReplica(device).run(one)).containsExactly(found.toArray(double[][]::new));
        AnyDriver.descending(false);
        List<double[]> expected = one.expected();
        for (int output = 0; output < expected.size(); output++) {
            isRounded(found.get(output), expected.get(output), one.name() + " output " + output);
        }
    }

    @Test
    void resultsAreTheSameHoweverManyTilesABlockHas() {
        Outcome many = outcome(false);
        assertThat(many.kernels()).contains("conv2d_strided_sm90_32x64");
        outcome(true).isTheSameAs(many);
    }

    private Outcome outcome(boolean narrow) {
        Graph graph = new Graph();
        Value x = Outcome.input(graph, "x", 9, 32, 32, 32);
        Value w = Outcome.input(graph, "w", 64, 3, 3, 32);
        return Outcome.of(
                device, graph, graph.apply(STRIDED, x, w, graph.external("bias", TensorType.f32(64))), narrow);
    }

    /// Few pixels, an odd height, rows that fill no tile, other channels and filters.
    @Test
    void othersGoElsewhere() {
        Random random = new Random(6);
        for (int[] s : new int[][] {
            {7, 32, 32, 32, 32}, {16, 31, 32, 32, 32}, {8, 32, 24, 32, 32}, {8, 32, 32, 48, 32}, {8, 32, 32, 32, 40}
        }) {
            OpCase one = of(random, STRIDED, bf16(s[0], s[1], s[2], s[3]), bf16(s[4], 3, 3, s[3]));
            assertThat(kernels(device, one)).noneMatch(kernel -> kernel.contains("strided"));
        }
        OpCase other = of(random, Conv2d.of(2, 0), bf16(8, 33, 33, 32), bf16(32, 3, 3, 32));
        assertThat(kernels(device, other)).noneMatch(kernel -> kernel.contains("strided"));
    }
}
