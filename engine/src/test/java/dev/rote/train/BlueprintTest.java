package dev.rote.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.graph.Clamp;
import dev.rote.nn.UNet;
import dev.rote.nn.UNetConfig;
import org.junit.jupiter.api.Test;

class BlueprintTest {
    private static final Extent CIFAR = new Extent(32, 32, 3);

    private static RunConfig config(String model) {
        return RunConfig.parse("data.source = 'x'\ntrain.steps = 1\n[model]\n" + model, "test");
    }

    private static UNetConfig network(String model) {
        return (UNetConfig) Blueprint.of(config(model), CIFAR).network();
    }

    @Test
    void theFamiliesOfConfigurationsAreThePublishedNetworks() {
        assertThat(network("family = 'unet-study1'")).isEqualTo(UNetConfig.study1(32, 3));
        assertThat(network("family = 'unet-study1'\nwidth = 64")).isEqualTo(UNetConfig.study1(64, 3));
        assertThat(network("family = 'unet-iddpm'\nout_channels = 6")).isEqualTo(UNetConfig.iddpmCifar());
        for (int width : new int[] {16, 32, 64, 128, 192}) {
            assertThat(network("family = 'unet-study3'\nwidth = " + width)).isEqualTo(UNetConfig.study3(width, 3, 10));
        }
    }

    /// Marion & Wu's counts are 5090 W^2 + 68325 W + 530450. With residual blocks in place of the resampling
    /// convolutions, which adds 9 C^2 for each of the channels W, 2W, 4W, 2W, the quadratic part is the paper's.
    @Test
    void attentionOfStudy3IsWhereThePapersParameterCountsPutIt() {
        long[] sizes = new long[3];
        for (int i = 0; i < 3; i++) {
            sizes[i] = UNet.layout(network("family = 'unet-study3'\nwidth = " + 64 * (i + 1)))
                    .count();
        }
        long second = (sizes[2] - 2 * sizes[1] + sizes[0]) / (2 * 64 * 64);
        assertThat(second + 9 * (1 + 4 + 16 + 4)).isEqualTo(5090);
    }

    @Test
    void aNetworkOfTooManyParametersNamesItsWidthAndTheirNumber() {
        assertThatThrownBy(() -> network("width = 1024"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("model.width: expected a network of at most 2147483647 parameters, found "
                        + UNet.size(UNetConfig.study1(1024, 3)) + " at width 1024");
    }

    @Test
    void clippingIsToTheRangeOfTheImagesLessTheirMeanAndOffUnlessAskedFor() {
        String text = "[data]\nsource = 'builtin:fashion-mnist'\nsize = 8\nrange = [-1, 1]\n[train]\nsteps = 1\n";
        DataOptions options = DataOptions.of("builtin:fashion-mnist")
                .withSize(8)
                .withTrain(16, 0)
                .withRange(-1, 1);
        try (TrainingData data = TrainingData.load(options)) {
            RunConfig plain = RunConfig.parse(text, "test");
            assertThat(Blueprint.of(plain, data.train()).sampler().clip()).isEmpty();
            assertThat(plain.toml()).doesNotContain("clip = false");
            Clamp clip = Blueprint.of(plain.with("measure.clip", "true"), data.train())
                    .sampler()
                    .clip()
                    .orElseThrow();
            assertThat(clip.low()).isEqualTo(-1 - data.mean(), within(1e-6f));
            assertThat(clip.high()).isEqualTo(1 - data.mean(), within(1e-6f));
            assertThat(data.mean()).isNotZero();
        }
    }

    @Test
    void anAttentionThatNoLevelHasIsRefusedWhenTheImagesAreKnown() {
        assertThatThrownBy(() -> network("attention = [4]"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("model.attention: expected sides that occur, for images of 32 pixels [32, 16, 8], found 4");
    }
}
