package dev.rote.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.TrainingData;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.nn.ParameterSpec;
import dev.rote.nn.Parameters;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GeneratorTest {
    private static final int COUNT = 11;
    private static final int PIXELS = 64;

    private static final String CONFIG = """
            [data]
            source = "builtin:fashion-mnist"
            size = 8
            n = 16
            [model]
            family = "unet-study3"
            width = 8
            multipliers = [1]
            blocks = 1
            groups = 4
            heads = 1
            head_size = 0
            zero_init = false
            classes = 10
            [train]
            batch = 8
            steps = 5
            [measure]
            sampler_steps = 3
            """;

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void imagesGoThroughTheClassesInTurn(int threads) {
        try (CpuDevice device = CpuDevice.open(threads);
                TrainingData data = TrainingData.load(
                        DataOptions.of("builtin:fashion-mnist").withSize(8).withTrain(16, 0));
                Trainer trainer = Trainer.open(device, RunConfig.parse(CONFIG, "test"), data);
                Generator generator = trainer.generator(4, false)) {
            trainer.train(2, TrainingListener.silent());
            float[] before = draw(generator);
            ParameterSpec rows =
                    trainer.model().layout().find("label_emb.weight").orElseThrow();
            float[] parameters = trainer.model().buffer(Parameters.PARAMETERS).readFloats();
            int width = (int) (rows.elements() / 10);
            for (int i = 0; i < width; i++) {
                parameters[(int) rows.offset() + 7 * width + i] += 1 + i % 3;
            }
            trainer.model().setParameters(parameters);
            float[] after = draw(generator);
            for (int image = 0; image < COUNT; image++) {
                float[] was = Arrays.copyOfRange(before, image * PIXELS, (image + 1) * PIXELS);
                float[] is = Arrays.copyOfRange(after, image * PIXELS, (image + 1) * PIXELS);
                assertThat(Arrays.equals(was, is))
                        .as("image %d is as before", image)
                        .isEqualTo(image != 7);
            }
            // The first image of the second round of classes has the class of the first image, but other noise.
            assertThat(Arrays.copyOfRange(after, 10 * PIXELS, 11 * PIXELS))
                    .isNotEqualTo(Arrays.copyOfRange(after, 0, PIXELS));
        }
    }

    private static float[] draw(Generator generator) {
        return generator.generate(COUNT, () -> false, done -> {});
    }
}
