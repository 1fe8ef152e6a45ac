package dev.rote.measure;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.metrics.FeatureExtractor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/// A run of 8x8 images that takes seconds; also the program that a test kills.
public final class TinyRun {
    public static final int STEPS = 24;

    private TinyRun() {}

    public static RunConfig config(String train) {
        return RunConfig.parse("""
                seed = 5
                threads = 2
                [data]
                source = "given by the test"
                size = 8
                n = 12
                [model]
                width = 8
                multipliers = [1, 2]
                groups = 4
                [train]
                optimizer = "adam"
                lr = 1e-3
                batch = 6
                steps = %d
                ema = 0.9
                clip = 1.0
                warmup = 3
                log_every = 2
                checkpoint_every = 5
                keep = 3
                %s
                [measure]
                steps = [7, 15]
                samples = 5
                sampler_steps = 4
                noise_draws = 2
                """.formatted(STEPS, train), "test");
    }

    static TrainingData data() {
        return data(12, 6);
    }

    static TrainingData data(int trained, int tested) {
        Random random = new Random(3);
        Extent extent = new Extent(8, 8, 1);
        byte[] train = new byte[trained * 64];
        byte[] test = new byte[tested * 64];
        random.nextBytes(train);
        random.nextBytes(test);
        return new TrainingData(
                Dataset.of(trained, extent, train),
                Dataset.of(tested, extent, test),
                0,
                new int[trained],
                new int[tested],
                0,
                DataOptions.of("given by the test"));
    }

    static boolean run(RunConfig config, Path folder, RunListener listener) throws InterruptedException {
        try (Device device = CpuDevice.open(2)) {
            return run(device, config, folder, listener);
        }
    }

    public static boolean run(Device device, RunConfig config, Path folder, RunListener listener)
            throws InterruptedException {
        try (TrainingData data = data();
                MeasuredRun run = MeasuredRun.open(
                        device, config, data, FeatureExtractor.standIn(8, 8, 1), folder, Map.of(), listener)) {
            return run.run();
        }
    }

    /// Runs in the folder `args[0]` and says when it begins. With an event and a step after it
    /// (`losses`, `measuring`, `measurement` or `checkpoint`) it dies of SIGKILL there.
    public static void main(String[] args) throws InterruptedException {
        RunListener listener =
                args.length == 1 ? RunListener.silent() : new Suicide(args[1], Integer.parseInt(args[2]));
        System.out.println("begun");
        run(config(""), Path.of(args[0]), listener);
    }

    private record Suicide(String event, int at) implements RunListener {
        private void heard(String what, int step) {
            if (what.equals(event) && step >= at) {
                try {
                    new ProcessBuilder(
                                    "kill",
                                    "-9",
                                    Long.toString(ProcessHandle.current().pid()))
                            .start()
                            .waitFor();
                    Thread.sleep(60_000);
                } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }

        @Override
        public void onLosses(int step, float[] losses, double imagesPerSecond) {
            heard("losses", step);
        }

        @Override
        public void onResume(int step, Path checkpoint) {
            heard("resume", step);
        }

        @Override
        public void onMeasuring(int step, int done, int total) {
            heard("measuring", step);
        }

        @Override
        public void onMeasurement(Measurement measurement) {
            heard("measurement", measurement.step());
        }

        @Override
        public void onCheckpoint(int step, Path path) {
            heard("checkpoint", step);
        }
    }
}
