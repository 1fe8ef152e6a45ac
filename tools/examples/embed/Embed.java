import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.train.Generator;
import dev.rote.train.Trainer;
import java.nio.file.Path;

/// Uses the engine as a library: trains on arrays, listens, cancels, goes on, saves, loads and samples.
public final class Embed {
    private static final int SIZE = 8;
    private static final int IMAGES = 16;

    private Embed() {}

    /// @param args folder for the files
    public static void main(String[] args) {
        Path folder = Path.of(args[0]);
        RunConfig config = RunConfig.parse("""
                seed = 1
                [data]
                source = "arrays"
                size = 8
                [model]
                width = 8
                multipliers = [1, 2]
                [train]
                optimizer = "adam"
                lr = 1e-3
                batch = 8
                steps = 12
                log_every = 2
                [measure]
                sampler_steps = 5
                """, "Embed");
        try (Device device = CpuDevice.open(0);
                TrainingData data = stripes();
                Trainer trainer = Trainer.open(device, config, data)) {
            // The listener hears every second step, and asks to stop at the sixth.
            int reached = trainer.train(config.train().steps(), (step, losses, imagesPerSecond) -> {
                System.out.printf("step %d loss %.4f%n", step, losses[losses.length - 1]);
                if (step == 6) {
                    trainer.cancel();
                }
            });
            System.out.println("cancelled after step " + reached);
            trainer.save(folder.resolve("checkpoint.safetensors"));

            trainer.resume();
            trainer.train(config.train().steps(), (step, losses, imagesPerSecond) -> {});
            float last = trainer.model().losses(11, 12)[0];

            trainer.load(folder.resolve("checkpoint.safetensors"));
            trainer.train(config.train().steps(), (step, losses, imagesPerSecond) -> {});
            System.out.println("same loss again: " + (last == trainer.model().losses(11, 12)[0]));
            trainer.saveWeights(folder.resolve("weights.safetensors"), false);

            try (Generator generator = trainer.generator(4, false)) {
                float[] images = generator.generate(4, () -> false, update -> {});
                System.out.println("sampled " + images.length / (SIZE * SIZE) + " images");
            }
        }
    }

    /// Gray images [16,8,8,1] of one bright row each, centred on their mean.
    private static TrainingData stripes() {
        byte[] pixels = new byte[IMAGES * SIZE * SIZE];
        for (int image = 0; image < IMAGES; image++) {
            for (int column = 0; column < SIZE; column++) {
                pixels[(image * SIZE + image % SIZE) * SIZE + column] = (byte) 255;
            }
        }
        Extent extent = new Extent(SIZE, SIZE, 1);
        return new TrainingData(
                Dataset.of(IMAGES, extent, pixels),
                Dataset.of(0, extent, new byte[0]),
                0,
                new int[IMAGES],
                new int[0],
                0,
                DataOptions.of("arrays"));
    }
}
