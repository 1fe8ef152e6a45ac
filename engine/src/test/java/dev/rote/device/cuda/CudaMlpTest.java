package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.nn.MlpForward;
import dev.rote.nn.ResidualMlpConfig;
import dev.rote.train.Generator;
import dev.rote.train.MixtureRun;
import dev.rote.train.ReplicaRuns;
import dev.rote.train.Trainer;
import dev.rote.train.TrainingListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The residual MLP on CUDA: its prediction, training, guided sampling and entropy production.
class CudaMlpTest extends OnCudaDevice {
    @ParameterizedTest
    @CsvSource({"8, 32, 3, 0, false", "5, 6, 2, 0, false", "8, 64, 3, 2, true"})
    void aPredictionIsThatOfTheFormulasInDouble(int d, int width, int blocks, int classes, boolean labelled) {
        new MlpForward(new ResidualMlpConfig(d, width, blocks, 1000, 1e-5f, classes), labelled).check(device);
    }

    private record Outcome(float[] losses, Generator.Drawn drawn) {}

    private static Outcome run(Device device, RunConfig config) {
        try (TrainingData data = MixtureRun.data(config);
                Trainer trainer = Trainer.open(device, config, data)) {
            trainer.train(12, TrainingListener.silent());
            try (Generator generator =
                    trainer.generator(4, false, config.model().classes() == 0)) {
                return new Outcome(trainer.model().losses(0, 12), generator.draw(6, () -> false, done -> {}));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "model.classes = 2\ntrain.label_drop = 0.5\nmeasure.guidance = 1\n"})
    void aRunFollowsTheCpuAndRepeatsBitForBit(String more) {
        RunConfig config = MixtureRun.config(more)
                .with("measure.sampler_steps", "50")
                .with("diffusion.last_index", "49")
                .with("diffusion.steps", "50");
        Outcome found = run(device, config);
        Outcome again = run(device, config);
        assertThat(again.losses()).containsExactly(found.losses());
        assertThat(again.drawn().images()).containsExactly(found.drawn().images());
        assertThat(again.drawn().entropy()).containsExactly(found.drawn().entropy());
        try (CpuDevice cpu = CpuDevice.open(1)) {
            Outcome expected = run(cpu, config);
            near(found.losses(), expected.losses(), 1e-4);
            near(found.drawn().images(), expected.drawn().images(), 1e-2);
            near(found.drawn().entropy(), expected.drawn().entropy(), 1e-2);
            assertThat(expected.drawn().entropy()).hasSize(config.model().classes() == 0 ? 6 : 0);
        }
    }

    /// More branches than streams, so that some follow one another.
    @Test
    void manySeedsAsOneProgramHaveTheBitsThatEachHasAlone() throws InterruptedException {
        RunConfig config = MixtureRun.config("model.classes = 2\ntrain.label_drop = 0.5\n");
        int seeds = 18;
        ReplicaRuns together = ReplicaRuns.train(device, config, seeds, seed -> 6);
        for (int seed = 0; seed < seeds; seed += 17) {
            RunConfig own = config.with("seed", Integer.toString(seed));
            try (TrainingData data = MixtureRun.data(own);
                    Trainer trainer = Trainer.open(device, own, data)) {
                trainer.train(6, TrainingListener.silent());
                assertThat(together.losses().get(seed))
                        .containsExactly(trainer.model().losses(0, 6));
            }
        }
    }

    private static void near(float[] found, float[] expected, double margin) {
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.length; i++) {
            assertThat((double) found[i]).as("value %d", i).isCloseTo(expected[i], within(margin));
        }
    }
}
