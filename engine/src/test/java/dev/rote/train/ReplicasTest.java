package dev.rote.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Several seeds as one program beside each alone.
class ReplicasTest {
    private static final String CLASSES = "model.classes = 2\ntrain.label_drop = 0.25\ntrain.log_every = 7\n";

    @ParameterizedTest
    @CsvSource({"1, 2", "2, 3", "4, 3"})
    void eachHasTheBitsThatItHasAlone(int threads, int seeds) throws InterruptedException {
        RunConfig config = MixtureRun.config(CLASSES);
        try (Device device = CpuDevice.open(threads)) {
            ReplicaRuns together = ReplicaRuns.train(device, config, seeds, seed -> 40);
            for (int seed = 0; seed < seeds; seed++) {
                assertThat(together.losses().get(seed)).hasSize(40).containsExactly(alone(config, seed, 40));
            }
        }
    }

    private static float[] alone(RunConfig config, int seed, int steps) {
        RunConfig own = config.with("seed", Integer.toString(seed));
        try (Device device = CpuDevice.open(1);
                TrainingData data = MixtureRun.data(own);
                Trainer trainer = Trainer.open(device, own, data)) {
            trainer.train(steps, TrainingListener.silent());
            return trainer.model().losses(0, steps);
        }
    }

    @Test
    void oneThatEndsEarlierDoesNotHoldUpTheOthers() throws InterruptedException {
        RunConfig config = MixtureRun.config(CLASSES);
        try (Device device = CpuDevice.open(2)) {
            ReplicaRuns together = ReplicaRuns.train(device, config, 3, seed -> 10 * (seed + 1));
            assertThat(together.losses()).extracting(losses -> losses.length).containsExactly(10, 20, 30);
            assertThat(together.losses().get(2)).containsExactly(alone(config, 2, 30));
            assertThat(device.allocatedBytes()).isZero();
        }
    }

    @Test
    void aCancelledOneStopsAndTheOthersGoOn() throws InterruptedException {
        RunConfig config = MixtureRun.config(CLASSES).with("seed", "1");
        try (Device device = CpuDevice.open(1);
                TrainingData data = MixtureRun.data(config)) {
            Replicas replicas = new Replicas(device);
            Trainer stopped = replicas.open(config.with("seed", "0"), data);
            try (Trainer other = replicas.open(config, data)) {
                Thread thread = new Thread(() -> {
                    try (stopped) {
                        stopped.train(40, (step, losses, speed) -> stopped.cancel());
                    }
                });
                thread.start();
                other.train(40, TrainingListener.silent());
                thread.join();
                assertThat(other.step()).isEqualTo(40);
                assertThat(other.model().losses(0, 40)).containsExactly(alone(config, 1, 40));
                assertThat(replicas.size()).isEqualTo(1);
            }
        }
    }

    @Test
    void aProgramOfNoPartsIsRefused() {
        try (Device device = CpuDevice.open(1)) {
            assertThatThrownBy(() -> device.together("nothing", List.of()))
                    .hasMessage("program nothing: expected at least one part, found none");
        }
    }
}
