package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is left apart to measure what it gives ([Joining]).
class JoiningTest extends OnSm90Device {
    private static final String PROPERTY = "rote.cuda.apart";

    @AfterEach
    void takeAll() {
        System.clearProperty(PROPERTY);
    }

    @ParameterizedTest
    @CsvSource({
        "ATTENTION_BLOCK, attention_block.*, attention_head.*",
        "DRAWN_STEM, conv2d_taps_drawn.*, random_normal",
        "LINEAR_GRADIENTS, linear_backward_sm90.*, linear_backward_data_sm90.*",
        "LOSS_HEAD, conv2d_taps_head_loss, squared_error.*",
        "SKIP_CONVOLUTION, .*_skip, linear_joined|linear_sm90.*"
    })
    void whatIsNamedStaysApart(String name, String together, String apart) {
        List<String> all = kernels();
        assertThat(all).anyMatch(kernel -> kernel.matches(together));
        System.setProperty(PROPERTY, name);
        assertThat(kernels())
                .hasSizeGreaterThan(all.size())
                .noneMatch(kernel -> kernel.matches(together))
                .anyMatch(kernel -> kernel.matches(apart));
    }

    private List<String> kernels() {
        try (NoiseStep step = new NoiseStep(device, 32, 8)) {
            return step.kernels();
        }
    }

    @Test
    void severalMayBeNamedAndOthersAreRefused() {
        assertThat(Joining.taken("")).containsExactly(Joining.values());
        assertThat(Joining.taken("LOSS_HEAD, DRAWN_STEM"))
                .doesNotContain(Joining.LOSS_HEAD, Joining.DRAWN_STEM)
                .hasSize(3);
        assertThatThrownBy(() -> Joining.taken("LOSS_HEAD,loss"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("rote.cuda.apart: expected some of \\[ATTENTION_BLOCK, .*], found loss");
    }
}
