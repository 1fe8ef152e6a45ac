package dev.rote.tools.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.MeasureConfig;
import dev.rote.config.RunConfig;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.errors.DataException;
import dev.rote.metrics.PixelPca;
import dev.rote.metrics.RandomConvolution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeaturesTest {
    @TempDir
    Path folder;

    private static Dataset images() {
        byte[] bytes = new byte[5 * 16];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * i * 13);
        }
        return Dataset.of(5, new Extent(4, 4, 1), bytes);
    }

    private static MeasureConfig named(String features) {
        return RunConfig.parse("data.source = 'x'\nmodel.family = 'unet-study1'\ntrain.steps = 1\n", "t")
                .with("measure.features", features)
                .measure();
    }

    @Test
    void eachNameGivesItsFeatures() throws IOException, InterruptedException {
        Path network = folder.resolve("mine.onnx");
        Files.write(network, OnnxModel.of("Flatten", new long[] {-1, 1, -1, -1}));
        try (Dataset train = images();
                Features convolution = Features.of(named("random-convolution"), train, 1);
                Features pca = Features.of(named("pixel-pca"), train, 0);
                Features own = Features.of(named(network.toString()), train, 1)) {
            assertThat(convolution.extractor()).isInstanceOf(RandomConvolution.class);
            assertThat(pca.extractor()).isInstanceOf(PixelPca.class);
            assertThat(pca.extractor().dimension()).isEqualTo(16);
            assertThat(own.extractor()).isInstanceOf(OnnxFeatures.class);
        }
    }

    @Test
    void anotherNameIsRefused() {
        try (Dataset train = images()) {
            assertThatThrownBy(() -> Features.of(named("pixel-pcb"), train, 1))
                    .isInstanceOf(DataException.class)
                    .hasMessageEndingWith("found \"pixel-pcb\"");
        }
    }
}
