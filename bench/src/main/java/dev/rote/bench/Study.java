package dev.rote.bench;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.device.cuda.CudaDevice;
import dev.rote.errors.EnvironmentException;
import dev.rote.graph.Cost;
import dev.rote.train.Blueprint;
import dev.rote.train.TrainingStep;
import java.util.Random;

/// Study 1's U-Net (Bonnaire et al. 2025, arXiv:2505.17638) and how it is trained: 512 seeded random 8-bit images
/// [512,32,32,1], dropout 0.1.
///
/// @param width channels of the finest level
/// @param precision `f32`, `tf32` (on CUDA) or `bf16`
/// @param batch images of one step
/// @param optimizer `sgd` with momentum 0.95, or `adam` with an average of decay 0.999
record Study(int width, String precision, int batch, String optimizer) {
    static final int IMAGES = 512;
    static final Extent EXTENT = new Extent(32, 32, 1);
    static final long SEED = 1;
    /// Wider networks diverge within ten updates at the study's rate, on every device.
    private static final int WIDEST_AT_FULL_RATE = 64;

    private static final int SAMPLER_STEPS = 101; // indices visited: 100 updates

    Study {
        if (!optimizer.equals("sgd") && !optimizer.equals("adam")) {
            throw new IllegalArgumentException("optimizer: expected sgd or adam, found " + optimizer);
        }
    }

    /// The shape of a case: SGD, the study's own, goes without saying.
    String shape() {
        return "W=" + width + " batch=" + batch + " 32x32x1" + (optimizer.equals("sgd") ? "" : " adam ema");
    }

    RunConfig config() {
        String rule = optimizer.equals("sgd")
                ? "optimizer = \"sgd\"\nlr = " + (width > WIDEST_AT_FULL_RATE ? 0.001 : 0.01) + "\nmomentum = 0.95"
                : "optimizer = \"adam\"\nlr = 0.001\nema = 0.999";
        String toml =
                """
                device = "%s"
                [data]
                source = "synthetic"
                [model]
                family = "unet-study1"
                width = %d
                dropout = 0.1
                [train]
                %s
                batch = %d
                steps = 1000000
                precision = "%s"
                [measure]
                sampler = "ddim"
                sampler_steps = %d
                """.formatted(precision.equals("tf32") ? "cuda" : "cpu", width, rule, batch, precision, SAMPLER_STEPS);
        return RunConfig.parse(toml, "benchmark");
    }

    Blueprint blueprint() {
        return Blueprint.of(config(), EXTENT);
    }

    static Dataset images() {
        byte[] pixels = new byte[IMAGES * EXTENT.size()];
        new Random(SEED).nextBytes(pixels);
        return Dataset.of(IMAGES, EXTENT, pixels);
    }

    static TrainingData data() {
        int[] indices = java.util.stream.IntStream.range(0, IMAGES).toArray();
        return new TrainingData(images(), images(), 0, indices, indices, 0, DataOptions.of("synthetic"));
    }

    TrainingStep plan(Device device, Dataset images) {
        return plan(device, images, SEED);
    }

    TrainingStep plan(Device device, Dataset images, long seed) {
        return TrainingStep.plan(device, blueprint(), images, new TrainingStep.Draw(batch, 1, false, seed));
    }

    /// Arithmetic and traffic of one step, from its graph; planned on the CPU where that works, else on CUDA.
    Cost cost(int threads) {
        try (Device device = either(threads);
                Dataset images = images()) {
            return plan(device, images).cost();
        }
    }

    private Device either(int threads) {
        try {
            return open("cpu", threads);
        } catch (EnvironmentException noLibrary) {
            return open("cuda", threads);
        }
    }

    /// @param name `cpu`, `cuda`, or `vendor` for CUDA with NVIDIA's products and convolutions
    /// @param threads of the CPU, 0 for one per available processor
    Device open(String name, int threads) {
        return switch (name) {
            case "cpu" -> CpuDevice.open(threads);
            case "cuda" -> CudaDevice.open(0, precision.equals("tf32"));
            case "vendor" -> CudaDevice.openWithVendor(0, precision.equals("tf32"), System.err::println);
            default -> throw new IllegalArgumentException("device: expected cpu, cuda or vendor, found " + name);
        };
    }
}
