package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Add;
import dev.rote.graph.Conv2d;
import dev.rote.graph.Graph;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A 3x3 convolution and a 1x1 convolution of other channels in one launch for compute capability 9.0.
class CudaSkipConvolutionTest extends OnSm90Device {
    @ParameterizedTest
    @CsvSource({
        // images, height, width, channels, filters, channels of the skip in two tensors, tile
        "1, 32, 32, 32, 32, 32, 32, 32x32",
        "3, 8, 8, 32, 32, 32, 0, 32x32",
        "2, 16, 16, 32, 32, 64, 32, 32x32",
        "1, 32, 32, 96, 32, 32, 64, 32x32_streamed",
        "5, 8, 8, 32, 64, 32, 32, 32x64",
        "2, 16, 16, 64, 64, 128, 64, 32x64_streamed",
        "2, 16, 16, 64, 64, 32, 0, 32x64_streamed",
        "9, 8, 8, 128, 128, 128, 64, 64x128_streamed",
        "6, 8, 8, 64, 256, 64, 0, 64x128_streamed",
        "1, 32, 32, 64, 128, 128, 128, 64x128_streamed"
    })
    void oneLaunchGivesTheSumOfTwoHoweverManyTilesABlockHas(
            int n, int h, int w, int c, int k, int first, int second, String tile) {
        int[] sizes = {n, h, w, c, k, first, second};
        String kernel = "conv2d_sm90_" + tile + "_skip";
        Outcome joined = run(sizes, false, false);
        assertThat(joined.kernels()).contains(kernel).noneMatch(name -> name.matches("linear.*|matmul.*|add.*"));
        Outcome apart = run(sizes, true, false);
        assertThat(apart.kernels()).doesNotContain(kernel).anyMatch(name -> name.matches("linear.*|matmul.*"));
        joined.isRoundedLess(apart);
        run(sizes, false, true).isTheSameAs(joined);
        AnyDriver.descending(true);
        run(sizes, false, false).isTheSameAs(joined);
    }

    /// Where the copy engine would not find whole steps of channels, the two stay apart.
    @Test
    void oddNumbersOfChannelsStayApart() {
        assertThat(run(new int[] {2, 8, 8, 32, 32, 16, 16}, false, false).kernels())
                .contains("conv2d_sm90_32x32")
                .anyMatch(name -> name.startsWith("linear_joined"));
        assertThat(run(new int[] {4, 8, 8, 128, 128, 96, 32}, false, false).kernels())
                .contains("conv2d_sm90_64x128_streamed")
                .anyMatch(name -> name.startsWith("linear_joined"));
    }

    /// @param kept whether the 1x1 convolution's result is wanted for itself, so that the two stay apart
    /// @param narrow whether a block has all tiles of some columns
    private Outcome run(int[] s, boolean kept, boolean narrow) {
        Graph graph = new Graph();
        Value x = Outcome.input(graph, "x", s[0], s[1], s[2], s[3]);
        Value w = Outcome.input(graph, "w", s[4], 3, 3, s[3]);
        Value bias = graph.external("bias", TensorType.f32(s[4]));
        Value one = Outcome.input(graph, "one", s[0], s[1], s[2], s[5]);
        Value filters = Outcome.input(graph, "w skip", s[4], 1, 1, s[5] + s[6]);
        Value other = graph.external("other bias", TensorType.f32(s[4]));
        Value skip;
        if (s[6] == 0) {
            skip = graph.apply(Conv2d.same(1), one, filters); // no bias
        } else {
            Value two = Outcome.input(graph, "two", s[0], s[1], s[2], s[6]);
            skip = graph.apply(Conv2d.same(1).reading(Conv2d.Input.JOINED), one, two, filters, other);
        }
        if (kept) {
            graph.keep(skip);
        }
        Value y = graph.apply(Conv2d.same(3), x, w, bias);
        Value sum = s[6] == 0 ? graph.apply(new Add(), skip, y) : graph.apply(new Add(), y, skip);
        return Outcome.of(device, graph, sum, narrow);
    }
}
