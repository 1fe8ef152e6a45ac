package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Add;
import dev.rote.graph.AddChannels;
import dev.rote.graph.Conv2d;
import dev.rote.graph.Graph;
import dev.rote.graph.Linear;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A convolution, or a linear layer over the pixels of images as the one that ends an attention, and what is added to
/// its result, in one launch of the kernels for compute capability 9.0.
class CudaSm90SumTest extends OnSm90Device {
    /// What is added: a tensor like the result, as the first or second operand, or a vector for each image.
    private enum Addend {
        FIRST,
        SECOND,
        VECTOR
    }

    @ParameterizedTest
    @CsvSource({
        // layer, images, height, width, channels, filters, addend, tile
        "linear, 8, 16, 16, 64, 64, FIRST, 32x64",
        "linear, 35, 8, 8, 128, 128, FIRST, 64x128", // images that do not fill the last tile
        "linear, 2, 32, 32, 32, 32, SECOND, 32x32",
        "linear, 32, 8, 8, 64, 192, SECOND, 32x64",
        "linear, 33, 8, 8, 64, 256, SECOND, 64x128",
        "conv2d, 9, 8, 8, 128, 128, SECOND, 64x128_streamed",
        "conv2d, 1, 32, 32, 64, 128, FIRST, 64x128_streamed",
        "conv2d, 5, 8, 8, 64, 256, VECTOR, 64x128_streamed",
        "conv2d, 3, 16, 16, 32, 32, SECOND, 32x32",
        "conv2d, 5, 8, 8, 32, 64, VECTOR, 32x64",
        "conv2d, 2, 16, 16, 64, 64, SECOND, 32x64_streamed"
    })
    void oneLaunchGivesTheSumOfTwoHoweverManyTilesABlockHas(
            String layer, int n, int h, int w, int c, int k, Addend addend, String tile) {
        int[] sizes = {n, h, w, c, k};
        String kernel = layer + "_sm90_" + tile;
        Outcome joined = run(layer, sizes, addend, false, false);
        assertThat(joined.kernels()).noneMatch(name -> name.startsWith("add")).contains(kernel);
        Outcome apart = run(layer, sizes, addend, true, false);
        assertThat(apart.kernels())
                .anyMatch(name -> name.startsWith(layer + "_sm90_"))
                .anyMatch(name -> name.startsWith("add"));
        joined.isRoundedLess(apart);
        run(layer, sizes, addend, false, true).isTheSameAs(joined);
        run(layer, sizes, addend, true, true).isTheSameAs(apart);
        AnyDriver.descending(true);
        run(layer, sizes, addend, false, false).isTheSameAs(joined);
    }

    /// Kernels that add nothing leave the two apart.
    @Test
    void fewRowsAreAddedToApart() {
        assertThat(run("linear", new int[] {2, 8, 8, 64, 64}, Addend.FIRST, false, false)
                        .kernels())
                .contains("add_bf16")
                .noneMatch(kernel -> kernel.startsWith("linear_sm90"));
    }

    /// @param kept whether the layer's result is wanted for itself, so that the two stay apart
    /// @param narrow whether a block has all tiles of some columns
    private Outcome run(String layer, int[] s, Addend addend, boolean kept, boolean narrow) {
        Graph graph = new Graph();
        Shape image = Shape.of(s[0], s[1], s[2], s[4]);
        boolean convolves = layer.equals("conv2d");
        Value x = convolves
                ? Outcome.input(graph, "x", s[0], s[1], s[2], s[3])
                : Outcome.input(graph, "x", s[0], s[1] * s[2], s[3]);
        Value w = convolves ? Outcome.input(graph, "w", s[4], 3, 3, s[3]) : Outcome.input(graph, "w", s[4], s[3]);
        Value bias = graph.external("bias", TensorType.f32(s[4]));
        Value other = addend == Addend.VECTOR
                ? Outcome.input(graph, "other", s[0], s[4])
                : Outcome.input(graph, "other", s[0], s[1], s[2], s[4]);
        Value y = graph.apply(convolves ? Conv2d.same(3) : new Linear(), x, w, bias);
        if (kept) {
            graph.keep(y);
        }
        Value result = convolves ? y : graph.reshape(y, image);
        Value sum =
                switch (addend) {
                    case FIRST -> graph.apply(new Add(), other, result);
                    case SECOND -> graph.apply(new Add(), result, other);
                    case VECTOR -> graph.apply(new AddChannels(), result, other);
                };
        return Outcome.of(device, graph, sum, narrow);
    }
}
