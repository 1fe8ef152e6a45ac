package dev.rote.bench;

import dev.rote.config.RunConfig;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.graph.Cost;
import dev.rote.graph.DType;
import dev.rote.train.Blueprint;
import dev.rote.train.ModelState;
import dev.rote.train.TrainingStep;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/// One training step of study 1's U-Net (Bonnaire et al. 2025, arXiv:2505.17638) with SGD, ready to run on the CPU:
/// 512 seeded random 8-bit images [512,32,32,1] are resident, and a step is what [TrainingStep] says.
public final class StudyOneStep implements AutoCloseable {
    private static final int IMAGES = 512;
    private static final Extent EXTENT = new Extent(32, 32, 1);
    private static final long SEED = 1;

    private final CpuDevice device;
    private final ModelState model;
    private final Program program;
    private int steps;

    /// @param width channels of the finest level
    /// @param precision `f32` or `bf16`
    /// @param batch images of one step
    /// @param threads 0 for one per available processor
    public StudyOneStep(int width, String precision, int batch, int threads) {
        device = CpuDevice.open(threads);
        try (Dataset images = images()) {
            Blueprint blueprint = blueprint(width, precision, batch);
            TrainingStep step = plan(device, blueprint, images, batch);
            model = ModelState.open(device, step.layout(), blueprint.precision(), blueprint.optimizer(), SEED);
            Buffer resident = device.allocate("images", DType.U8, (long) IMAGES * EXTENT.size());
            resident.write(0, images.values());
            Map<String, Buffer> bindings = new HashMap<>(model.bindings());
            bindings.put(TrainingStep.DATA, resident);
            program = step.compile(device, bindings);
        }
    }

    /// Arithmetic and traffic of one step, from the graph that runs.
    public static Cost cost(int width, String precision, int batch, int threads) {
        try (CpuDevice device = CpuDevice.open(threads);
                Dataset images = images()) {
            return plan(device, blueprint(width, precision, batch), images, batch)
                    .cost();
        }
    }

    private static TrainingStep plan(Device device, Blueprint blueprint, Dataset images, int batch) {
        return TrainingStep.plan(device, blueprint, images, new TrainingStep.Draw(batch, 1, false, SEED));
    }

    private static Blueprint blueprint(int width, String precision, int batch) {
        String toml = """
                [data]
                source = "synthetic"
                [model]
                family = "unet-study1"
                width = %d
                dropout = 0.1
                [train]
                optimizer = "sgd"
                lr = 0.01
                momentum = 0.95
                batch = %d
                steps = 1000000
                precision = "%s"
                """.formatted(width, batch, precision);
        return Blueprint.of(RunConfig.parse(toml, "benchmark"), EXTENT);
    }

    private static Dataset images() {
        byte[] pixels = new byte[IMAGES * EXTENT.size()];
        new Random(SEED).nextBytes(pixels);
        return Dataset.of(IMAGES, EXTENT, pixels);
    }

    /// One update.
    public void run() {
        program.run();
        steps++;
    }

    /// Says which CPU and libraries run.
    public String describe() {
        return device.describe();
    }

    /// @throws AssertionError unless every step was counted, every loss is finite and the losses fall: the mean of the
    ///     last quarter is below the first loss
    public void check() {
        float[] losses = model.losses(Math.max(0, steps - ModelState.RING), steps);
        if (model.step() != steps || losses.length < 4) {
            throw new AssertionError("expected " + steps + " updates, at least 4, found " + model.step());
        }
        double last = 0;
        int quarter = losses.length / 4;
        for (int step = 0; step < losses.length; step++) {
            if (!Float.isFinite(losses[step])) {
                throw new AssertionError("loss of step " + step + ": expected a finite value, found " + losses[step]);
            }
            last += step >= losses.length - quarter ? losses[step] / quarter : 0;
        }
        if (!(last < losses[0])) {
            throw new AssertionError("losses: expected to fall below " + losses[0] + ", found " + last);
        }
    }

    @Override
    public void close() {
        program.close();
        model.close();
        device.close();
    }
}
