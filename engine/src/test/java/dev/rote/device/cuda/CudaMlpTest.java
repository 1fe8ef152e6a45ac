package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.nn.MlpForward;
import dev.rote.nn.ResidualMlpConfig;
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

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aRunFollowsTheCpuAndRepeatsBitForBit(int number) {
        CpuResults.Mixture found = CpuResults.mixture(device, number);
        CpuResults.Mixture again = CpuResults.mixture(device, number);
        assertThat(again.losses()).isEqualTo(found.losses());
        assertThat(again.samples()).isEqualTo(found.samples());
        assertThat(again.entropy()).isEqualTo(found.entropy());
        CpuResults.Mixture expected = CpuResults.mixture(number);
        near(found.losses(), expected.losses(), 1e-4);
        near(found.samples(), expected.samples(), 1e-2);
        near(found.entropy(), expected.entropy(), 1e-2);
        int classes = CpuResults.mixtureConfig(number).model().classes();
        assertThat(expected.entropy()).hasSize(classes == 0 ? 6 : 0);
    }

    /// More than share a launch: two branches.
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
                        .isEqualTo(trainer.model().losses(0, 6));
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
