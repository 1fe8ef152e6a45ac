package dev.rote.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.TrainingData;
import dev.rote.device.cpu.CpuDevice;
import org.junit.jupiter.api.Test;

class Bf16TrainingTest {
    private static final int STEPS = 60;

    private static float[] losses(String precision) {
        RunConfig config = RunConfig.parse("""
                [data]
                source = "builtin:fashion-mnist"
                size = 16
                n = 64
                [model]
                width = 8
                [train]
                optimizer = "adam"
                lr = 2e-3
                batch = 16
                steps = 60
                precision = "%s"
                [measure]
                metrics = []
                """.formatted(precision), "test");
        DataOptions options =
                DataOptions.of("builtin:fashion-mnist").withSize(16).withTrain(64, 0);
        try (CpuDevice device = CpuDevice.open(1);
                TrainingData data = TrainingData.load(options);
                Trainer trainer = Trainer.open(device, config, data)) {
            trainer.train(STEPS, TrainingListener.silent());
            return trainer.model().losses(0, STEPS);
        }
    }

    /// The whole network of study 1 at W = 8 with its backward half and Adam, not one operation after the other.
    ///
    /// A value in bf16 is off by at most 2^-8 of itself. Losses are means over thousands of values, whose roundings
    /// nearly cancel, and masters, moments and sums are f32: so in these 60 steps a loss may be off by no more than
    /// one value, 2^-8, twice over, because training amplifies what there is, and by a quarter of that on average.
    /// (Seen: 2^-7.9 and 2^-9.8.)
    @Test
    void lossesFollowThoseOfF32WithinTheRoundingOfOneValue() {
        float[] exact = losses("f32");
        float[] rounded = losses("bf16");
        double sum = 0;
        for (int step = 0; step < STEPS; step++) {
            double error = Math.abs(rounded[step] / (double) exact[step] - 1);
            assertThat(error)
                    .as("step %d: f32 %s, bf16 %s", step, exact[step], rounded[step])
                    .isLessThan(0x1p-7);
            sum += error;
        }
        assertThat(sum / STEPS).as("mean error").isLessThan(0x1p-9).isPositive();
        assertThat(rounded[0] / rounded[STEPS - 1]).as("how far it learned").isGreaterThan(5);
    }
}
