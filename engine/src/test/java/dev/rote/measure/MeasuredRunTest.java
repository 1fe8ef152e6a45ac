package dev.rote.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.RunConfig;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.errors.DataException;
import dev.rote.errors.NonFiniteException;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.storage.JsonLines;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.storage.TensorBoardLog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeasuredRunTest {
    /// Exit status of a process that SIGKILL ended.
    private static final int KILLED = 137;

    @TempDir
    Path temp;

    private Path whole() throws InterruptedException {
        Path folder = temp.resolve("whole");
        assertThat(TinyRun.run(TinyRun.config(""), folder, RunListener.silent()))
                .isTrue();
        return folder;
    }

    private static Map<String, float[]> tensors(Path folder) {
        Map<String, float[]> tensors = new TreeMap<>();
        try (SafeTensorsFile file =
                SafeTensors.open(folder.resolve("checkpoints").resolve(TinyRun.STEPS + ".safetensors"))) {
            file.entries().keySet().forEach(name -> tensors.put(name, file.floats(name)));
        }
        return tensors;
    }

    /// Everything that a measurement says but how long it took.
    private static List<String> measurements(Path folder) {
        List<String> found = new ArrayList<>();
        JsonLines.read(folder.resolve("metrics.jsonl")).forEach(record -> {
            if (record.path("kind").asString("").equals("measure")) {
                record.remove("seconds");
                found.add(record.toString());
            }
        });
        return found;
    }

    private static void assertSameEnd(Path found, Path expected) {
        Map<String, float[]> a = tensors(expected);
        Map<String, float[]> b = tensors(found);
        assertThat(b.keySet()).isEqualTo(a.keySet());
        a.forEach((name, values) -> assertThat(b.get(name)).as(name).containsExactly(values));
        assertThat(measurements(found)).isEqualTo(measurements(expected));
    }

    @Test
    void aRunThatIsCancelledAgainAndAgainEndsInTheSameBits() throws InterruptedException {
        Path expected = whole();
        Path folder = temp.resolve("cancelled");
        boolean complete = false;
        int starts = 0;
        while (!complete) {
            starts++;
            try (Device device = CpuDevice.open(2);
                    TrainingData data = TinyRun.data()) {
                MeasuredRun[] run = new MeasuredRun[1];
                int[] heard = {0};
                run[0] = MeasuredRun.open(
                        device,
                        TinyRun.config(""),
                        data,
                        FeatureExtractor.standIn(8, 8, 1),
                        folder,
                        Map.of(),
                        new CancellingListener(() -> {
                            if (++heard[0] == 4) {
                                run[0].cancel();
                            }
                        }));
                try (MeasuredRun opened = run[0]) {
                    complete = opened.run();
                }
            }
        }
        assertThat(starts).isGreaterThan(2);
        assertSameEnd(folder, expected);
    }

    /// Killed before the first checkpoint, in a measurement, between a measurement and its checkpoint, and right
    /// after a checkpoint; then at three instants left to chance.
    @Test
    void aRunThatIsKilledAgainAndAgainEndsInTheSameBits() throws IOException, InterruptedException {
        Path expected = whole();
        Path folder = temp.resolve("killed");
        for (String instant : List.of("losses 4", "measuring 7", "measurement 15", "checkpoint 20")) {
            Process process = start(folder, instant.split(" "));
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(instant).isEqualTo(KILLED);
            assertThat(plotted(folder, "train/loss")).as(instant).isSorted().doesNotHaveDuplicates();
        }
        Path second = temp.resolve("killed at random");
        Random random = new Random();
        for (int kill = 0; kill < 3; kill++) {
            Process process = start(second);
            try (var lines = process.inputReader()) {
                assertThat(lines.lines().anyMatch("begun"::equals)).isTrue();
            }
            Thread.sleep(random.nextInt(1500));
            process.destroyForcibly().waitFor();
        }
        for (Path each : List.of(folder, second)) {
            Process process = start(each);
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
            assertSameEnd(each, expected);
            assertThat(plotted(each, "train/loss")).isEqualTo(plotted(expected, "train/loss"));
            assertThat(plotted(each, "loss_t=0.01/train")).containsExactly(7, 15);
            for (String samples : List.of("samples/7.safetensors", "samples/15.safetensors")) {
                assertThat(each.resolve(samples)).hasSameBinaryContentAs(expected.resolve(samples));
            }
        }
    }

    private static Process start(Path folder, String... instant) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                TinyRun.class.getName(),
                folder.toString()));
        words.addAll(List.of(instant));
        return new ProcessBuilder(words).redirectErrorStream(true).start();
    }

    /// The steps of a curve as TensorBoard shows them: a session's start hides what older files hold from its step on.
    private static List<Integer> plotted(Path folder, String tag) throws IOException {
        List<Integer> steps = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path events : files.filter(
                            file -> file.getFileName().toString().startsWith("events."))
                    .sorted()
                    .toList()) {
                for (TensorBoardLog.Event event : TensorBoardLog.read(events)) {
                    if (event instanceof TensorBoardLog.SessionStart start) {
                        steps.removeIf(step -> step >= start.step());
                    } else if (event instanceof TensorBoardLog.Scalar scalar
                            && scalar.tag().equals(tag)) {
                        steps.add((int) scalar.step());
                    }
                }
            }
        }
        return steps;
    }

    @Test
    void recordsAndTensorBoardAgree() throws IOException, InterruptedException {
        Path folder = whole();
        List<Integer> steps = new ArrayList<>();
        JsonLines.read(folder.resolve("metrics.jsonl")).forEach(record -> {
            if (record.path("kind").asString("").equals("train")) {
                steps.add(record.path("step").asInt());
            }
        });
        assertThat(steps).contains(2, 4, 24).isSorted().doesNotHaveDuplicates();
        assertThat(plotted(folder, "train/loss")).isEqualTo(steps);
        try (Stream<Path> checkpoints = Files.list(folder.resolve("checkpoints"))) {
            assertThat(checkpoints.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("15.safetensors", "20.safetensors", "24.safetensors");
        }
    }

    @Test
    void aDamagedCheckpointIsOneSentence() throws IOException, InterruptedException {
        Path folder = whole();
        Path checkpoint = folder.resolve("checkpoints").resolve(TinyRun.STEPS + ".safetensors");
        byte[] bytes = Files.readAllBytes(checkpoint);
        bytes[bytes.length - 5] ^= 64;
        Files.write(checkpoint, bytes);
        assertThatThrownBy(() -> TinyRun.run(TinyRun.config(""), folder, RunListener.silent()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("24.safetensors");
        Files.write(checkpoint, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        assertThatThrownBy(() -> TinyRun.run(TinyRun.config(""), folder, RunListener.silent()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("24.safetensors");
    }

    @Test
    void anotherConfigurationIsRefusedInTheSameFolder() throws InterruptedException {
        Path folder = whole();
        assertThatThrownBy(() -> TinyRun.run(TinyRun.config("beta1 = 0.8"), folder, RunListener.silent()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("beta1");
    }

    @Test
    void aCompleteRunIsExtendedToTheBitsOfALongOne() throws InterruptedException {
        Path expected = whole();
        Path folder = temp.resolve("extended");
        RunConfig shorter = TinyRun.config("").with("train.steps", "16");
        assertThat(TinyRun.run(shorter, folder, RunListener.silent())).isTrue();
        assertThat(ends(folder)).containsExactly(16);
        assertThat(TinyRun.run(TinyRun.config(""), folder, RunListener.silent()))
                .isTrue();
        assertSameEnd(folder, expected);
        assertThat(ends(folder)).containsExactly(TinyRun.STEPS);
        assertThat(RunConfig.read(folder.resolve("run.toml")).train().steps()).isEqualTo(TinyRun.STEPS);
        assertThatThrownBy(() -> TinyRun.run(shorter, folder, RunListener.silent()))
                .isInstanceOf(DataException.class)
                .hasMessageEndingWith("run.toml: train.steps: expected at least 24, as in this folder, found 16");
    }

    @Test
    void aRunWhoseLearningRateDependsOnItsLengthIsNotExtended() throws InterruptedException {
        Path folder = temp.resolve("cosine");
        RunConfig cosine = TinyRun.config("").with("train.lr_schedule", "cosine");
        assertThat(TinyRun.run(cosine.with("train.steps", "16"), folder, RunListener.silent()))
                .isTrue();
        assertThatThrownBy(() -> TinyRun.run(cosine, folder, RunListener.silent()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("train.steps: expected 16, as in this folder, because train.lr_schedule");
        assertThatThrownBy(() -> TinyRun.run(TinyRun.config("beta1 = 0.8"), folder, RunListener.silent()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("choose another folder");
    }

    private static List<Integer> ends(Path folder) {
        return JsonLines.read(folder.resolve("metrics.jsonl")).stream()
                .filter(record -> record.path("kind").asString("").equals("end"))
                .map(record -> record.path("step").asInt())
                .toList();
    }

    @Test
    void tooFewImagesAreRefusedBeforeTrainingStarts() {
        RunConfig config = TinyRun.config("");
        Extent extent = new Extent(8, 8, 1);
        try (Device device = CpuDevice.open(1);
                TrainingData one = TinyRun.data(1, 6);
                TrainingData tested = TinyRun.data(12, 1)) {
            assertThat(one.train().extent()).isEqualTo(extent);
            assertThatThrownBy(() -> open(device, config, one))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("at least 2 training images", "found 1 beside 6 test images");
            assertThatThrownBy(() -> open(device, config, tested))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("0 or at least 2 test images for frechet");
        }
    }

    private void open(Device device, RunConfig config, TrainingData data) {
        MeasuredRun.open(
                        device,
                        config,
                        data,
                        FeatureExtractor.standIn(8, 8, 1),
                        temp.resolve("few"),
                        Map.of(),
                        RunListener.silent())
                .close();
    }

    @Test
    void divergenceNamesStepAndTensorAndLeavesTheLastCheckpoint() throws InterruptedException {
        Path folder = temp.resolve("diverging");
        RunConfig huge = TinyRun.config("").with("train.lr", "1e30");
        assertThatThrownBy(() -> TinyRun.run(huge, folder, RunListener.silent()))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageContaining("step");
        try (Stream<Path> checkpoints = Files.list(folder.resolve("checkpoints"))) {
            checkpoints.forEach(file -> {
                try (SafeTensorsFile opened = SafeTensors.open(file)) {
                    assertThat(opened.verifyHash()).isTrue();
                }
            });
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void divergenceFoundByMeasuringNamesStepAndWhatIsNotFinite() {
        RunConfig huge = TinyRun.config("").with("train.lr", "1e30");
        RunConfig samples = huge.with("measure.steps", "[1]");
        assertThatThrownBy(() -> TinyRun.run(samples, temp.resolve("samples"), RunListener.silent()))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageContainingAll("step 1", "a generated image");
        RunConfig losses = samples.with("measure.metrics", "[\"loss@0.01\"]");
        assertThatThrownBy(() -> TinyRun.run(losses, temp.resolve("losses"), RunListener.silent()))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageContainingAll("step 1", "the loss of the training images at t = 0.01");
    }

    @Test
    void everythingIsFreedWhenARunCloses() throws InterruptedException {
        try (Device device = CpuDevice.open(2);
                TrainingData data = TinyRun.data()) {
            MeasuredRun run = MeasuredRun.open(
                    device,
                    TinyRun.config(""),
                    data,
                    FeatureExtractor.standIn(8, 8, 1),
                    temp.resolve("memory"),
                    Map.of(),
                    RunListener.silent());
            assertThat(device.allocatedBytes()).isPositive();
            run.run();
            run.close();
            assertThat(device.allocatedBytes()).isZero();
        }
    }

    private record CancellingListener(Runnable heard) implements RunListener {
        @Override
        public void onLosses(int step, float[] losses, double imagesPerSecond) {
            heard.run();
        }

        @Override
        public void onResume(int step, Path checkpoint) {
            assertThat(checkpoint).exists();
        }

        @Override
        public void onMeasuring(int step, int done, int total) {
            assertThat(done).isLessThanOrEqualTo(total);
        }

        @Override
        public void onMeasurement(Measurement measurement) {
            assertThat(measurement.ratios()).hasSize(5);
        }

        @Override
        public void onCheckpoint(int step, Path path) {
            assertThat(path).exists();
        }
    }
}
