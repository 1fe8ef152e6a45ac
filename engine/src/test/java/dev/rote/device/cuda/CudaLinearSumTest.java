package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Add;
import dev.rote.graph.Graph;
import dev.rote.graph.Linear;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A linear layer over the pixels of images, as the one that ends an attention, and the residual in one launch.
class CudaLinearSumTest extends OnSm90Device {
    @ParameterizedTest
    @CsvSource({
        // images, height, width, channels, filters, whether the residual is the first operand, kernel
        "8, 16, 16, 64, 64, true, linear_sm90_32x64",
        "35, 8, 8, 128, 128, true, linear_sm90_64x128", // images that do not fill the last tile
        "2, 32, 32, 32, 32, false, linear_sm90_32x32",
        "32, 8, 8, 64, 192, false, linear_sm90_32x64"
    })
    void oneLaunchGivesTheSumOfTwo(int n, int h, int w, int c, int k, boolean first, String kernel) {
        int[] sizes = {n, h, w, c, k};
        Outcome joined = run(sizes, first, false);
        assertThat(joined.kernels()).noneMatch(name -> name.startsWith("add")).contains(kernel);
        Outcome apart = run(sizes, first, true);
        assertThat(apart.kernels()).contains("add_bf16", kernel);
        for (int i = 0; i < joined.values().length; i++) {
            float expected = apart.values()[i]; // rounded twice
            assertThat(joined.values()[i])
                    .as("element %d", i)
                    .isCloseTo(expected, within(0x1p-7f * (2 + Math.abs(expected))));
        }
        assertThat(joined.values())
                .as("not everything is rounded alike, or zero")
                .isNotEqualTo(apart.values());
        AnyDriver.descending(true);
        assertThat(run(sizes, first, false).values()).containsExactly(joined.values());
    }

    /// Kernels that add nothing leave the two apart.
    @Test
    void fewRowsAreAddedToApart() {
        assertThat(run(new int[] {2, 8, 8, 64, 64}, true, false).kernels())
                .contains("add_bf16")
                .noneMatch(kernel -> kernel.startsWith("linear_sm90"));
    }

    /// @param kept whether the layer's result is wanted for itself, so that the two stay apart
    private Outcome run(int[] s, boolean first, boolean kept) {
        Graph graph = new Graph();
        Value x = Outcome.input(graph, "x", s[0], s[1] * s[2], s[3]);
        Value w = Outcome.input(graph, "w", s[4], s[3]);
        Value bias = graph.external("bias", TensorType.f32(s[4]));
        Value other = Outcome.input(graph, "other", s[0], s[1], s[2], s[4]);
        Value y = graph.apply(new Linear(), x, w, bias);
        if (kept) {
            graph.keep(y);
        }
        Value image = graph.reshape(y, Shape.of(s[0], s[1], s[2], s[4]));
        Value sum = first ? graph.apply(new Add(), other, image) : graph.apply(new Add(), image, other);
        return Outcome.of(device, graph, sum);
    }
}
