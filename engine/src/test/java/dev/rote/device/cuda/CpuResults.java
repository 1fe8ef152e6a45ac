package dev.rote.device.cuda;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.graph.Batch;
import dev.rote.graph.Dropout;
import dev.rote.graph.Op;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.RandomNormal;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpCases;
import dev.rote.reference.OpRun;
import dev.rote.train.Generator;
import dev.rote.train.MixtureRun;
import dev.rote.train.Trainer;
import dev.rote.train.TrainingListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/// What the CPU device makes of the runs that CUDA is compared with: computed, or, where `-Drote.test.cpu=FOLDER` is
/// given, read from files which [#main] wrote on another machine. A GPU host without oneDNN needs them.
final class CpuResults {
    private static final String FOLDER = System.getProperty("rote.test.cpu");
    private static final int SIZE = 8;
    private static final String CONFIG = """
            device = "cuda"
            [data]
            source = "x"
            size = 8
            [model]
            family = "unet-study1"
            width = 8
            [train]
            optimizer = "adam"
            lr = 1e-3
            ema = 0.99
            batch = 4
            steps = 1000
            [measure]
            metrics = []
            """;

    private CpuResults() {}

    /// Writes the results for another machine.
    ///
    /// @param arguments the folder, then the number of updates
    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        int steps = Integer.parseInt(arguments[1]);
        try (CpuDevice cpu = CpuDevice.open(1)) {
            double[] losses = widened(losses(cpu, steps));
            Files.write(
                    folder.resolve("losses.txt"),
                    Arrays.stream(losses).mapToObj(Double::toString).toList());
            Files.write(folder.resolve("draws.txt"), drawn(cpu));
            for (int number = 0; number < MIXTURES.size(); number++) {
                Files.write(
                        folder.resolve(mixtureFile(number)),
                        mixture(cpu, number).lines());
            }
        }
    }

    /// What is added to the configuration of a mixture's run ([MixtureRun]).
    static final List<String> MIXTURES =
            List.of("", "model.classes = 2\ntrain.label_drop = 0.5\nmeasure.guidance = 1\n");

    private static final int MIXTURE_UPDATES = 12;
    private static final int MIXTURE_SAMPLES = 6;

    /// A mixture's run.
    ///
    /// @param losses of the first updates
    /// @param samples drawn after them
    /// @param entropy produced by each, where labels do not forbid it
    record Mixture(float[] losses, float[] samples, float[] entropy) {
        List<String> lines() {
            return Stream.of(losses, samples, entropy)
                    .map(numbers -> Arrays.toString(widened(numbers)).replaceAll("[\\[\\],]", ""))
                    .toList();
        }

        static Mixture of(List<String> lines) {
            return new Mixture(numbers(lines.get(0)), numbers(lines.get(1)), numbers(lines.get(2)));
        }

        private static float[] numbers(String line) {
            double[] wide = line.isBlank()
                    ? new double[0]
                    : Arrays.stream(line.split(" "))
                            .mapToDouble(Double::parseDouble)
                            .toArray();
            float[] narrow = new float[wide.length];
            for (int i = 0; i < wide.length; i++) {
                narrow[i] = (float) wide[i];
            }
            return narrow;
        }
    }

    private static String mixtureFile(int number) {
        return "mixture-" + number + ".txt";
    }

    static RunConfig mixtureConfig(int number) {
        return MixtureRun.config(MIXTURES.get(number))
                .with("measure.sampler_steps", "50")
                .with("diffusion.last_index", "49")
                .with("diffusion.steps", "50");
    }

    /// A mixture's run on the CPU.
    static Mixture mixture(int number) {
        if (FOLDER != null) {
            return Mixture.of(read(mixtureFile(number)));
        }
        try (CpuDevice cpu = CpuDevice.open(1)) {
            return mixture(cpu, number);
        }
    }

    static Mixture mixture(Device device, int number) {
        RunConfig config = mixtureConfig(number);
        try (TrainingData data = MixtureRun.data(config);
                Trainer trainer = Trainer.open(device, config, data)) {
            trainer.train(MIXTURE_UPDATES, TrainingListener.silent());
            try (Generator generator =
                    trainer.generator(4, false, config.model().classes() == 0)) {
                Generator.Drawn drawn = generator.draw(MIXTURE_SAMPLES, () -> false, done -> {});
                return new Mixture(trainer.model().losses(0, MIXTURE_UPDATES), drawn.images(), drawn.entropy());
            }
        }
    }

    private static List<String> read(String name) {
        try {
            return Files.readAllLines(Path.of(FOLDER, name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double[] widened(float[] numbers) {
        double[] wide = new double[numbers.length];
        Arrays.setAll(wide, i -> numbers[i]);
        return wide;
    }

    /// Losses of the first updates on the CPU.
    static double[] losses(int steps) {
        if (FOLDER != null) {
            return read("losses.txt").stream()
                    .limit(steps)
                    .mapToDouble(Double::parseDouble)
                    .toArray();
        }
        try (CpuDevice cpu = CpuDevice.open(1)) {
            return widened(losses(cpu, steps));
        }
    }

    /// Losses of the first updates of study 1's U-Net, W = 8, on 12 random images.
    static float[] losses(Device device, int steps) {
        byte[] pixels = new byte[12 * SIZE * SIZE];
        new Random(1).nextBytes(pixels);
        Extent extent = new Extent(SIZE, SIZE, 1);
        try (TrainingData data = new TrainingData(
                        Dataset.of(12, extent, pixels),
                        Dataset.of(0, extent, new byte[0]),
                        0f,
                        new int[12],
                        new int[0],
                        0,
                        DataOptions.of("x"));
                Trainer trainer = Trainer.open(device, RunConfig.parse(CONFIG, "test"), data)) {
            trainer.train(steps, TrainingListener.silent());
            return trainer.model().losses(0, steps);
        }
    }

    /// The cases of operations that draw.
    static List<OpCase> draws() {
        return OpCases.f32().stream().filter(one -> isDraw(one.op())).toList();
    }

    private static boolean isDraw(Op op) {
        return op instanceof RandomNormal || op instanceof RandomIndex || op instanceof Batch || op instanceof Dropout;
    }

    /// Of each case of [#draws], a digest of the bits that the CPU draws.
    static List<String> drawn() {
        if (FOLDER != null) {
            return read("draws.txt");
        }
        try (CpuDevice cpu = CpuDevice.open(1)) {
            return drawn(cpu);
        }
    }

    static List<String> drawn(Device device) {
        OpRun runs = new OpRun(device);
        return draws().stream().map(one -> digest(runs.run(one))).toList();
    }

    private static String digest(List<double[]> outputs) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (double[] output : outputs) {
                ByteBuffer bits = ByteBuffer.allocate(8 * output.length);
                bits.asDoubleBuffer().put(output);
                digest.update(bits);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
