package dev.rote.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.errors.DeviceException;
import dev.rote.graph.Advance;
import dev.rote.graph.CrossEntropy;
import dev.rote.graph.DType;
import dev.rote.graph.Embedding;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.train.Trainer;
import dev.rote.train.TrainingListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Training steps whose batch is shared out over lanes.
@Timeout(value = 4, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LanesTest {
    private static final int SIZE = 8;
    private static final int STEPS = 4;
    private static final int CONCURRENT_STEPS = 100;
    private static final String CONFIG = """
            device = "cpu"
            [data]
            source = "x"
            size = 8
            [model]
            family = "unet-study1"
            width = 8
            [train]
            optimizer = "sgd"
            lr = 0.01
            batch = 6
            steps = 1000
            [measure]
            metrics = []
            """;

    private static TrainingData data() {
        return data(12);
    }

    private static TrainingData data(int images) {
        byte[] pixels = new byte[images * SIZE * SIZE];
        new Random(1).nextBytes(pixels);
        Extent extent = new Extent(SIZE, SIZE, 1);
        return new TrainingData(
                Dataset.of(images, extent, pixels),
                Dataset.of(0, extent, new byte[0]),
                0f,
                new int[images],
                new int[0],
                0,
                DataOptions.of("x"));
    }

    private static Trainer trainer(CpuDevice device, TrainingData data) {
        return Trainer.open(device, RunConfig.parse(CONFIG, "test"), data);
    }

    private static float[] losses(int threads) {
        try (CpuDevice device = CpuDevice.open(threads);
                TrainingData data = data();
                Trainer trainer = trainer(device, data)) {
            assertThat(trainer.lanes()).isEqualTo(threads);
            for (int step = 0; step < STEPS; step++) {
                trainer.train(trainer.step() + 1, TrainingListener.silent());
            }
            return trainer.model().losses(0, STEPS);
        }
    }

    @Test
    void twoAndThreeLanesTrainAsOneDoesAndRepeatBitForBit() {
        float[] one = losses(1);
        for (int threads = 2; threads <= 3; threads++) {
            float[] several = losses(threads);
            for (int step = 0; step < STEPS; step++) {
                assertThat(several[step])
                        .as("loss %d of %d lanes", step, threads)
                        .isCloseTo(one[step], within(2e-5f));
            }
            assertThat(losses(threads)).containsExactly(several);
        }
    }

    @Test
    void trainersThatTrainAtTheSameTimeDoNotDisturbEachOther() throws InterruptedException, ExecutionException {
        List<float[]> alone = List.of(losses(1, 7), losses(1, 8));
        CyclicBarrier together = new CyclicBarrier(2);
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            for (int round = 0; round < 3; round++) {
                Future<float[]> one = threads.submit(() -> losses(1, 7, together));
                Future<float[]> two = threads.submit(() -> losses(1, 8, together));
                assertThat(one.get()).containsExactly(alone.get(0));
                assertThat(two.get()).containsExactly(alone.get(1));
            }
        }
    }

    /// The same in a process that does nothing else.
    private static float[] losses(int threads, long seed) {
        return losses(threads, seed, null);
    }

    /// @param together awaited before every step; null for none
    private static float[] losses(int threads, long seed, CyclicBarrier together) {
        RunConfig config = RunConfig.parse(CONFIG, "test").with("seed", Long.toString(seed));
        try (CpuDevice device = CpuDevice.open(threads);
                TrainingData data = data();
                Trainer trainer = Trainer.open(device, config, data)) {
            for (int step = 0; step < CONCURRENT_STEPS; step++) {
                if (together != null) {
                    together.await();
                }
                trainer.train(step + 1, TrainingListener.silent());
            }
            return trainer.model().losses(0, CONCURRENT_STEPS);
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void devicesThatAreOpenedAndClosedKeepNoMemory() throws IOException {
        Path status = Path.of("/proc/self/status");
        assumeThat(status).exists();
        RunConfig large =
                RunConfig.parse(CONFIG, "test").with("train.batch", "96").with("model.width", "16");
        long taken = 0;
        long before = 0;
        for (int round = 0; round < 12; round++) {
            if (round == 4) {
                before = residentBytes(status);
            }
            try (CpuDevice device = CpuDevice.open(2);
                    TrainingData data = data(96);
                    Trainer trainer = Trainer.open(device, large, data)) {
                trainer.train(1, TrainingListener.silent());
                taken = trainer.memoryBytes();
            }
        }
        // Eight trainers that gave nothing back would be eight times as much.
        assertThat(residentBytes(status) - before)
                .as("growth of the process by 8 trainers of %d bytes", taken)
                .isLessThan(2 * taken);
    }

    private static long residentBytes(Path status) throws IOException {
        System.gc();
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void accumulatingTakesTheMemoryOfOneBatchAndASecondBufferOfGradients() {
        try (CpuDevice device = CpuDevice.open(1);
                TrainingData data = data()) {
            RunConfig config = RunConfig.parse(CONFIG, "test");
            long once = Trainer.need(device, config, data).step();
            long eight = Trainer.need(device, config.with("train.accumulate", "8"), data)
                    .step();
            try (Trainer trainer = Trainer.open(device, config, data)) {
                long gradients = 4 * trainer.model().layout().size();
                // A tenth for what lies otherwise in the arena.
                assertThat(eight - once - gradients).isBetween(0L, once / 10);
            }
        }
    }

    @Test
    void tf32IsRefusedOnTheCpuUnderWhateverNameItWasOpened() {
        try (CpuDevice device = CpuDevice.open(1);
                TrainingData data = data()) {
            RunConfig config =
                    RunConfig.parse(CONFIG, "test").with("device", "auto").with("train.precision", "tf32");
            assertThatThrownBy(() -> Trainer.open(device, config, data))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "train.precision: expected \"f32\" or \"bf16\", because device \"auto\" is the cpu here, "
                                    + "found \"tf32\"");
            assertThat(device.allocatedBytes()).isZero();
        }
    }

    @Test
    void closingATrainerFreesAllItsMemory() {
        try (CpuDevice device = CpuDevice.open(2);
                TrainingData data = data()) {
            Trainer trainer = trainer(device, data);
            trainer.train(trainer.step() + 1, TrainingListener.silent());
            assertThat(device.allocatedBytes()).isPositive();
            trainer.close();
            assertThat(device.allocatedBytes()).isZero();
        }
    }

    @Test
    void aFailingLaneIsNamedAndNobodyWaitsForEver() {
        try (CpuDevice device = CpuDevice.open(2);
                Buffer table = device.allocate("table", DType.F32, 8);
                Buffer good = device.allocate("good", DType.I32, 2);
                Buffer bad = device.allocate("bad", DType.I32, 2);
                Buffer step = device.allocate("step", DType.I32, 1)) {
            bad.writeInts(0, 4);
            List<Plan> lanes = List.of(lookUp(device, "good"), lookUp(device, "bad"));
            var bindings = Map.of("table", table, "good", good, "bad", bad, "step", step);
            try (Program program = device.compile("look-up", lanes, bindings)) {
                for (int repetition = 0; repetition < 2; repetition++) {
                    assertThatThrownBy(program::run)
                            .isInstanceOf(DeviceException.class)
                            .hasMessageContaining("Embedding")
                            .hasMessageContaining("found 4");
                }
                bad.writeInts(0, 3);
                program.run();
                assertThat(step.readInts()).containsExactly(1);
            }
        }
    }

    @Test
    void aClosedBufferIsRefusedBeforeAnythingRuns() {
        try (CpuDevice device = CpuDevice.open(1);
                Buffer table = device.allocate("table", DType.F32, 8);
                Buffer index = device.allocate("index", DType.I32, 2);
                Buffer step = device.allocate("step", DType.I32, 1)) {
            var bindings = Map.of("table", table, "index", index, "step", step);
            try (Program program = device.compile("look-up", List.of(lookUp(device, "index")), bindings)) {
                program.run();
                table.close();
                assertThatThrownBy(program::run)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("buffer table is closed");
                assertThat(step.readInts()).containsExactly(1);
            }
        }
    }

    @Test
    void aLabelBeyondTheClassesIsRefused() {
        try (CpuDevice device = CpuDevice.open(1);
                Buffer logits = device.allocate("logits", DType.F32, 6);
                Buffer label = device.allocate("label", DType.I32, 2)) {
            Graph graph = new Graph();
            Value x = graph.external("logits", TensorType.f32(2, 3));
            graph.keep(graph.apply(new CrossEntropy(0.5f), x, graph.external("label", TensorType.i32(2))));
            Plan plan = Plan.of(graph, device.target());
            label.writeInts(0, 3);
            try (Program program = device.compile("classes", List.of(plan), Map.of("logits", logits, "label", label))) {
                assertThatThrownBy(program::run)
                        .isInstanceOf(DeviceException.class)
                        .hasMessageContaining("expected an index in [0, 3), found 3");
            }
        }
    }

    private static Plan lookUp(CpuDevice device, String name) {
        Graph graph = new Graph();
        Value table = graph.external("table", TensorType.f32(4, 2));
        Value index = graph.external(name, TensorType.i32(2));
        graph.keep(graph.apply(new Embedding(), table, index));
        graph.perform(new Advance(), graph.external("step", TensorType.i32(1)));
        return Plan.of(graph, device.target());
    }
}
