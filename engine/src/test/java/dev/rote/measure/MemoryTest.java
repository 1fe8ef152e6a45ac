package dev.rote.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.train.MemoryNeed;
import dev.rote.train.Replicas;
import dev.rote.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a run takes of a device: said beforehand, given back when opening fails.
class MemoryTest {
    @TempDir
    Path temp;

    private MeasuredRun open(Device device, RunConfig config, TrainingData data) {
        return MeasuredRun.open(
                device,
                config,
                data,
                FeatureExtractor.standIn(8, 8, 1),
                temp.resolve("run"),
                Map.of(),
                RunListener.silent());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "precision = 'f32'",
                "accumulate = 3",
                "precision = 'bf16'",
                "precision = 'bf16'\naccumulate = 2\nbatch_limit_n = false",
            })
    void whatIsNeededIsWhatIsAllocatedToTheByte(String train) throws InterruptedException {
        RunConfig config = TinyRun.config(train).with("measure.batch", "4");
        try (Device device = CpuDevice.open(2);
                TrainingData data = TinyRun.data()) {
            MemoryNeed need = Measurer.need(device, config, data);
            assertThat(device.allocatedBytes()).isZero();
            try (MeasuredRun run = open(device, config, data)) {
                run.run();
                assertThat(device.allocatedBytes()).isEqualTo(need.deviceBytes());
            }
        }
    }

    @Test
    void tooLittleMemoryIsOneSentenceBeforeAnythingIsAllocatedOrWritten() {
        RunConfig config = TinyRun.config("");
        long[] free = {0};
        try (Device device = CpuDevice.open(2, () -> OptionalLong.of(free[0]));
                TrainingData data = TinyRun.data()) {
            long total = Measurer.need(device, config, data).total();
            free[0] = total - 1;
            assertThatThrownBy(() -> open(device, config, data))
                    .isInstanceOf(EnvironmentException.class)
                    .hasMessageMatching(
                            "not enough memory: expected 19\\d\\.\\d MiB free \\(\\d\\.\\d MiB the training step, .* "
                                    + "192\\.0 MiB the program\\), found 19\\d\\.\\d MiB; lower train\\.batch.*");
            assertThat(temp.resolve("run")).doesNotExist();
            assertThatThrownBy(() -> MeasuredRun.rehearse(device, config, data, FeatureExtractor.standIn(8, 8, 1)))
                    .isInstanceOf(EnvironmentException.class);
            free[0] = 1 << 20;
            assertThatThrownBy(() -> Trainer.open(device, config, data)).isInstanceOf(EnvironmentException.class);
            assertThat(device.allocatedBytes()).isZero();
            free[0] = total;
            open(device, config, data).close();
        }
        try (Device device = CpuDevice.open(2, OptionalLong::empty);
                TrainingData data = TinyRun.data()) {
            open(device, config, data).close();
        }
    }

    /// The arenas of runs that are one program are allocated with its first update, when all have been opened.
    @Test
    void runsOfOneProgramAreCountedTogether() {
        RunConfig config = TinyRun.config("");
        Device[] opened = {null};
        long[] memory = {0};
        try (Device device = CpuDevice.open(
                        1, () -> OptionalLong.of(memory[0] - (opened[0] == null ? 0 : opened[0].allocatedBytes())));
                TrainingData data = TinyRun.data()) {
            opened[0] = device;
            MemoryNeed need = Measurer.need(device, config, data);
            memory[0] = 2 * need.deviceBytes() + MemoryNeed.PROGRAM;
            Replicas together = new Replicas(device);
            List<MeasuredRun> runs = new ArrayList<>();
            try {
                for (int number = 0; number < 2; number++) {
                    runs.add(open(device, config, data, together, number));
                }
                assertThatThrownBy(() -> open(device, config, data, together, 2))
                        .isInstanceOf(EnvironmentException.class)
                        .hasMessageContaining(" are for the runs beside it; lower ");
                assertThat(temp.resolve("run2")).doesNotExist();
                assertThat(together.size()).isEqualTo(2);
            } finally {
                runs.forEach(MeasuredRun::close);
            }
        }
    }

    private MeasuredRun open(Device device, RunConfig config, TrainingData data, Replicas together, int number) {
        return MeasuredRun.open(
                device,
                config,
                data,
                FeatureExtractor.standIn(8, 8, 1),
                temp.resolve("run" + number),
                Map.of(),
                Optional.of(together),
                RunListener.silent());
    }

    @Test
    void aBatchWhoseTensorsNobodyCanCountIsOneSentence() {
        RunConfig config = TinyRun.config("batch_limit_n = false").with("train.batch", "16000000");
        try (Device device = CpuDevice.open(2);
                TrainingData data = TinyRun.data()) {
            assertThatThrownBy(() -> open(device, config, data))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected tensors of at most 2147483647 elements, found a larger one");
            assertThat(temp.resolve("run")).doesNotExist();
            assertThat(device.allocatedBytes()).isZero();
        }
    }

    @Test
    void labelsThatAreNoClassesAreFoundBeforeAnythingIsAllocatedOrWritten() {
        RunConfig config = TinyRun.config("").with("model.classes", "5").with("measure.metrics", "[\"loss@0.01\"]");
        DataOptions options =
                DataOptions.of("builtin:fashion-mnist").withSize(8).withTrain(12, 0);
        try (Device device = CpuDevice.open(2);
                TrainingData data = TrainingData.load(options)) {
            assertThatThrownBy(() -> open(device, config, data))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("model.classes: expected more than every label of the images, which count from 0, "
                            + "found 5 and an image with label 9");
            assertThat(temp.resolve("run")).doesNotExist();
            assertThat(device.allocatedBytes()).isZero();
            open(device, config.with("model.classes", "10"), data).close();
        }
    }

    @Test
    void whereverOpeningFailsEverythingIsClosed() {
        RunConfig config = TinyRun.config("").with("train.precision", "bf16").with("measure.batch", "4");
        int failures = 0;
        try (CpuDevice device = CpuDevice.open(2);
                TrainingData data = TinyRun.data()) {
            for (boolean opened = false; !opened; ) {
                FailingDevice failing = new FailingDevice(device, failures);
                try (MeasuredRun run = open(failing, config, data)) {
                    opened = true;
                } catch (DeviceException e) {
                    failures++;
                    assertThat(e).hasMessageContaining("as the test wants");
                    assertThat(device.allocatedBytes())
                            .as("after %s", e.getMessage())
                            .isZero();
                }
            }
        }
        // Buffers and programs of model, data, step, sampler and two losses of two programs each.
        assertThat(failures).isGreaterThan(20);
    }
}
