package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Add;
import dev.rote.graph.AddChannels;
import dev.rote.graph.Conv2d;
import dev.rote.graph.Graph;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A convolution and the addition of a tensor, or of a vector for each image, in one launch.
class CudaConvolutionSumTest extends OnCudaDevice {
    @Override
    CudaDevice opened() {
        return CudaDevice.openPortable(0);
    }

    @ParameterizedTest
    @CsvSource({
        // images, height, width, channels, filters, whether a vector for each image, whether it is the first operand
        "2, 8, 8, 32, 32, false, false",
        "5, 8, 8, 64, 64, false, true", // images that do not fill the last tile
        "1, 16, 16, 32, 96, false, false",
        "3, 8, 8, 32, 64, true, false",
        "1, 32, 32, 32, 32, true, false",
        "3, 7, 9, 8, 8, false, true",
        "2, 16, 16, 48, 40, false, false",
        "5, 8, 8, 16, 24, true, false",
        "3, 16, 16, 16, 16, true, false", // filters in registers
        "3, 13, 24, 16, 8, false, false",
        "530, 4, 33, 8, 8, true, false", // several patches of a block
        "530, 4, 33, 8, 8, false, false"
    })
    void oneLaunchGivesTheSumOfTwo(int n, int h, int w, int c, int k, boolean vector, boolean first) {
        int[] sizes = {n, h, w, c, k};
        Outcome joined = run(sizes, vector, first, false);
        assertThat(joined.kernels()).noneMatch(kernel -> kernel.startsWith("add"));
        String expected = c % 32 == 0 && k % 32 == 0 ? "conv2d_halo_" : "conv2d_small_";
        assertThat(joined.kernels()).anyMatch(kernel -> kernel.startsWith(expected));
        Outcome apart = run(sizes, vector, first, true);
        assertThat(apart.kernels()).anyMatch(kernel -> kernel.startsWith("add"));
        joined.isRoundedLess(apart);
        AnyDriver.descending(true);
        try {
            run(sizes, vector, first, false).isTheSameAs(joined);
        } finally {
            AnyDriver.descending(false);
        }
    }

    /// @param kept whether the result of the convolution is wanted for itself, so that the two stay apart
    private Outcome run(int[] s, boolean vector, boolean first, boolean kept) {
        Graph graph = new Graph();
        Value x = Outcome.input(graph, "x", s[0], s[1], s[2], s[3]);
        Value w = Outcome.input(graph, "w", s[4], 3, 3, s[3]);
        Value bias = graph.external("bias", TensorType.f32(s[4]));
        Value other = vector
                ? Outcome.input(graph, "other", s[0], s[4])
                : Outcome.input(graph, "other", s[0], s[1], s[2], s[4]);
        Value y = graph.apply(Conv2d.same(3), x, w, bias);
        if (kept) {
            graph.keep(y);
        }
        Value sum;
        if (vector) {
            sum = graph.apply(new AddChannels(), y, other);
        } else {
            sum = first ? graph.apply(new Add(), other, y) : graph.apply(new Add(), y, other);
        }
        return Outcome.of(device, graph, sum);
    }
}
