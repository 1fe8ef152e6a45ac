package dev.rote.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.storage.JsonLines;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class EarlyStopTest {
    private static final int STEPS = 1500;

    @TempDir
    Path temp;

    private static RunConfig config(String stop) {
        return RunConfig.parse("""
                seed = 5
                threads = 2
                [data]
                source = "given by the test"
                size = 4
                n = 4
                [model]
                width = 8
                multipliers = [1, 2]
                groups = 4
                attention = []
                middle_attention = false
                blocks = 1
                dropout = 0
                [diffusion]
                schedule = "cosine"
                objective = "v"
                [train]
                optimizer = "adam"
                lr = 4e-3
                batch = 16
                batch_limit_n = false
                steps = %d
                ema = 0.9
                checkpoint_every = 100
                keep = 1
                [measure]
                metrics = []
                sampler_steps = 12
                [stop]
                rule = "before-memorization"
                from = 20
                per_decade = 8
                samples = 48
                %s
                """.formatted(STEPS, stop), "test");
    }

    private static TrainingData data() {
        Random random = new Random(3);
        Extent extent = new Extent(4, 4, 1);
        byte[] train = new byte[4 * 16];
        byte[] test = new byte[8 * 16];
        random.nextBytes(train);
        random.nextBytes(test);
        return new TrainingData(
                Dataset.of(4, extent, train),
                Dataset.of(8, extent, test),
                0,
                new int[4],
                new int[8],
                0,
                DataOptions.of("given by the test"));
    }

    private static boolean run(RunConfig config, Path folder, int cancelAtStep) throws InterruptedException {
        try (Device device = CpuDevice.open(2);
                TrainingData data = data()) {
            MeasuredRun[] run = new MeasuredRun[1];
            RunListener listener = new CancellingAt(cancelAtStep, () -> run[0].cancel());
            run[0] = MeasuredRun.open(
                    device, config, data, FeatureExtractor.standIn(4, 4, 1), folder, Map.of(), listener);
            try (MeasuredRun opened = run[0]) {
                return opened.run();
            }
        }
    }

    private static List<ObjectNode> records(Path folder, String kind) {
        List<ObjectNode> found = new ArrayList<>();
        for (ObjectNode record : JsonLines.read(folder.resolve("metrics.jsonl"))) {
            if (record.path("kind").asString("").equals(kind)) {
                record.remove("seconds");
                found.add(record);
            }
        }
        return found;
    }

    @Test
    void itStopsKeepsAnEarlierModelAndSaysWhy() throws InterruptedException {
        Path folder = temp.resolve("run");
        assertThat(run(config(""), folder, -1)).isTrue();
        ObjectNode stop = records(folder, "stop").getFirst();
        int step = stop.path("step").asInt();
        int kept = stop.path("kept").asInt();
        assertThat(step).isLessThan(STEPS);
        assertThat(stop.path("early").asBoolean()).isTrue();
        assertThat(kept).isPositive().isLessThan(step);
        assertThat(stop.path("why").asString())
                .startsWith("stopped at step " + step + ": a memorized fraction of 1 % was passed near step ")
                .endsWith("; kept the model of step " + kept);
        List<ObjectNode> checks = records(folder, "check");
        assertThat(checks.getLast().path("step").asInt()).isEqualTo(step);
        assertThat(checks.getLast().path("copies").asInt()).isPositive();
        assertThat(checks.getFirst().has("gap")).isTrue();
        assertThat(folder.resolve("best.safetensors")).isNotEmptyFile();
        assertThat(folder.resolve("candidates")).isEmptyDirectory();
        // The model that is kept is the one that was trained so far.
        Path shorter = temp.resolve("shorter");
        assertThat(run(
                        config("")
                                .with("train.steps", Integer.toString(kept))
                                .with("stop.from", Integer.toString(kept)),
                        shorter,
                        -1))
                .isTrue();
        assertThat(shorter.resolve("best.safetensors")).hasSameBinaryContentAs(folder.resolve("best.safetensors"));
        // It is over: started again it trains no more.
        assertThat(run(config(""), folder, -1)).isTrue();
        assertThat(records(folder, "stop")).hasSize(1);
        assertThat(records(folder, "check")).hasSize(checks.size());
    }

    @Test
    void aRunThatIsInterruptedStopsAtTheSameStepWithTheSameModel() throws InterruptedException {
        Path whole = temp.resolve("whole");
        assertThat(run(config(""), whole, -1)).isTrue();
        Path parts = temp.resolve("parts");
        assertThat(run(config(""), parts, 30)).isFalse();
        assertThat(run(config(""), parts, 63)).isFalse();
        assertThat(run(config(""), parts, -1)).isTrue();
        assertThat(records(parts, "check")).isEqualTo(records(whole, "check"));
        assertThat(records(parts, "stop")).isEqualTo(records(whole, "stop"));
        assertThat(parts.resolve("best.safetensors")).hasSameBinaryContentAs(whole.resolve("best.safetensors"));
    }

    @Test
    void withoutCopiesItTrainsToTheEndAndKeepsTheNewestModel() throws InterruptedException {
        Path folder = temp.resolve("run");
        RunConfig config = config("").with("train.steps", "40").with("stop.split", "0.99");
        assertThat(run(config, folder, -1)).isTrue();
        ObjectNode stop = records(folder, "stop").getFirst();
        assertThat(stop.path("why").asString())
                .isEqualTo("trained to the last step 40: the losses of training and held-out images never parted; "
                        + "kept the model of step 40");
        assertThat(records(folder, "check").getFirst().has("copies")).isFalse();
        assertThat(records(folder, "end")).hasSize(1);
        assertThat(Files.exists(folder.resolve("best.safetensors"))).isTrue();
        // It may be extended: nothing has stopped it.
        assertThat(run(config.with("train.steps", "60"), folder, -1)).isTrue();
        assertThat(records(folder, "stop").getLast().path("step").asInt()).isEqualTo(60);
        assertThat(records(folder, "end")).hasSize(1);
    }

    @Test
    void aRuleChangesNothingInTheTraining() throws InterruptedException {
        Path with = temp.resolve("with");
        RunConfig config = config("").with("train.steps", "60");
        run(config, with, -1);
        Path without = temp.resolve("without");
        run(config.with("stop.rule", "none"), without, -1);
        Path last = Path.of("checkpoints", "60.safetensors");
        try (SafeTensorsFile a = SafeTensors.open(with.resolve(last));
                SafeTensorsFile b = SafeTensors.open(without.resolve(last))) {
            assertThat(a.entries().keySet()).isEqualTo(b.entries().keySet());
            for (String name : a.entries().keySet()) {
                assertThat(a.floats(name)).as(name).containsExactly(b.floats(name));
            }
        }
        assertThat(TinyRun.config("").toml()).doesNotContain("[stop]");
    }

    @Test
    void oneTrainingImageIsRefused() {
        assertThatThrownBy(() -> config("").with("data.n", "1"))
                .hasMessageContaining("data.n: expected at least 2 for stop.rule, which needs two neighbours, found 1");
    }

    private record CancellingAt(int step, Runnable cancel) implements RunListener {
        @Override
        public void onLosses(int at, float[] losses, double imagesPerSecond) {
            if (step >= 0 && at >= step) {
                cancel.run();
            }
        }

        @Override
        public void onResume(int at, Path checkpoint) {}

        @Override
        public void onMeasuring(int at, int done, int total) {}

        @Override
        public void onMeasurement(Measurement measurement) {}

        @Override
        public void onCheckpoint(int at, Path path) {}
    }
}
