package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a training step of the study's U-Net is lowered to: kernels join only what the memory plan leaves apart, so
/// that another plan could undo it unseen.
class StepLaunchesTest extends OnSm90Device {
    @ParameterizedTest
    @CsvSource({
        // width; attention at 16x16 and at 8x8 pixels, both gradients of projections, skips, launches at most
        "8, 0, 6, 0, 2, 380",
        "16, 5, 6, 0, 6, 350",
        "32, 5, 6, 10, 11, 350",
        "64, 5, 0, 5, 11, 400"
    })
    void everythingThatCanBeJoinedIs(int width, int at16, int at8, int gradients, int skips, int most) {
        List<String> kernels;
        try (NoiseStep step = new NoiseStep(device, width, 8)) {
            kernels = step.kernels();
        }
        // The time embedding's gradient of all 17 blocks comes from the norm behind it.
        assertThat(count(kernels, "group_norm_backward_.*_totals")).isEqualTo(17);
        assertThat(count(kernels, "reduce_(packed|partial).*|dropout.*|add_channels.*"))
                .isZero();
        // The second stage of the sums of 46 norms' parameters, and of most weight gradients.
        assertThat(count(kernels, "norm_parameters")).isEqualTo(2);
        assertThat(count(kernels, "sum_splits_joined")).isBetween(1L, 3L);
        // Self-attention with its norm, projections and sum: at 16x16 pixels five times, at 8x8 six times.
        assertThat(count(kernels, "attention_block_sm90_256x.*")).isEqualTo(at16);
        assertThat(count(kernels, "attention_block_sm90_64x.*")).isEqualTo(at8);
        // The head with the loss and its gradient; the stem, and the weight gradients of both.
        assertThat(count(kernels, "conv2d_taps_head_loss")).isEqualTo(1);
        assertThat(count(kernels, "conv2d_taps_drawn_.*")).isEqualTo(1);
        assertThat(count(kernels, "conv2d_taps_.*")).isEqualTo(5);
        assertThat(count(kernels, "random.*|batch.*|mix.*")).isZero();
        assertThat(count(kernels, "squared_error.*|conv2d_(head|stem)_.*|.*_weight_(head|stem)_bf16"))
                .isZero();
        // Both gradients of projections: 8 images of 256 tokens are as many rows as the kernel wants.
        assertThat(count(kernels, "linear_backward_sm90_.*")).isEqualTo(gradients);
        // Blocks with a 1x1 convolution whose channels the kernels of 3x3 convolutions take.
        assertThat(count(kernels, "conv2d_sm90_.*_skip")).isEqualTo(skips);
        assertThat(kernels).hasSizeLessThan(most);
    }

    private static long count(List<String> kernels, String pattern) {
        return kernels.stream().filter(kernel -> kernel.matches(pattern)).count();
    }
}
