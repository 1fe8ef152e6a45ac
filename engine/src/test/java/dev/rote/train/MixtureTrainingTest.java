package dev.rote.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.errors.DataException;
import dev.rote.nn.Parameters;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The residual MLP on the mixture, trained.
class MixtureTrainingTest {
    private static final String CLASSES = "model.classes = 2\ntrain.label_drop = 0.25\n";

    @TempDir
    Path temp;

    /// At one small time four points are told apart by their noise alone: a network that can learn them gets the loss
    /// of a perfect memory, which is 0 where they lie far apart.
    @ParameterizedTest
    @ValueSource(strings = {"", "model.classes = 2\n"})
    void itOverfitsAFewPoints(String more) {
        RunConfig config = MixtureRun.config(
                        "train.batch = 64\ntrain.batch_limit_n = false\ndiffusion.fixed_index = 100\n" + more)
                .with("data.n", "4")
                .with("model.width", "64")
                .with("train.steps", "1500");
        float[] losses = losses(config, 1500);
        assertThat(mean(losses, 0, 20)).isGreaterThan(0.7);
        assertThat(mean(losses, 1400, 1500)).isLessThan(0.05);
    }

    private static double mean(float[] losses, int from, int to) {
        double sum = 0;
        for (int i = from; i < to; i++) {
            sum += losses[i];
        }
        return sum / (to - from);
    }

    private static float[] losses(RunConfig config, int steps) {
        try (CpuDevice device = CpuDevice.open(2);
                TrainingData data = MixtureRun.data(config);
                Trainer trainer = Trainer.open(device, config, data)) {
            trainer.train(steps, TrainingListener.silent());
            return trainer.model().losses(0, steps);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", CLASSES, "train.precision = 'bf16'\n", "train.optimizer = 'sgd'\ntrain.lr = 6e-3\n"})
    void aRunRepeatsBitForBitAlsoAfterAReload(String more) {
        RunConfig config = more.contains("sgd")
                ? MixtureRun.config("").with("train.optimizer", "sgd").with("train.lr", "6e-3")
                : MixtureRun.config(more);
        float[] whole = losses(config, 40);
        assertThat(losses(config, 40)).containsExactly(whole);
        Path file = temp.resolve("at20.safetensors");
        try (CpuDevice device = CpuDevice.open(2);
                TrainingData data = MixtureRun.data(config);
                Trainer trainer = Trainer.open(device, config, data)) {
            trainer.train(20, TrainingListener.silent());
            trainer.save(file);
        }
        try (CpuDevice device = CpuDevice.open(2);
                TrainingData data = MixtureRun.data(config);
                Trainer trainer = Trainer.open(device, config, data)) {
            trainer.load(file);
            trainer.train(40, TrainingListener.silent());
            float[] second = trainer.model().losses(20, 40);
            assertThat(second).containsExactly(java.util.Arrays.copyOfRange(whole, 20, 40));
        }
    }

    @Test
    void droppedLabelsChangeTrainingAndNoneOfThemIsTheNetworkWithoutClasses() {
        float[] kept = losses(MixtureRun.config("model.classes = 2\n"), 10);
        float[] dropped = losses(MixtureRun.config(CLASSES), 10);
        assertThat(dropped).isNotEqualTo(kept);
    }

    @Test
    void aFileOfTheNetworkIsReadBackAndThatOfAnotherRefused() {
        RunConfig config = MixtureRun.config("");
        Path weights = temp.resolve("weights.safetensors");
        Path checkpoint = temp.resolve("other.safetensors");
        try (CpuDevice device = CpuDevice.open(1);
                TrainingData data = MixtureRun.data(config);
                Trainer trainer = Trainer.open(device, config, data)) {
            trainer.train(2, TrainingListener.silent());
            trainer.saveWeights(weights, false);
            try (var file = dev.rote.storage.SafeTensors.open(weights)) {
                assertThat(file.floats("blocks.2.linear1.weight")).hasSize(256);
                assertThat(file.entry("input.weight").shape()).containsExactly(16, 4);
                float[] flat = trainer.model().buffer(Parameters.PARAMETERS).readFloats();
                assertThat(file.floats("input.weight")).startsWith(flat[0], flat[1]);
                assertThat(file.metadata()).containsEntry("mlp.times", "1000");
            }
            trainer.save(checkpoint);
        }
        RunConfig wider = config.with("model.width", "32");
        try (CpuDevice device = CpuDevice.open(1);
                TrainingData data = MixtureRun.data(wider);
                Trainer trainer = Trainer.open(device, wider, data)) {
            assertThatThrownBy(() -> trainer.load(checkpoint))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("tensor input.weight: expected [32, 4], found [16, 4]");
        }
    }
}
