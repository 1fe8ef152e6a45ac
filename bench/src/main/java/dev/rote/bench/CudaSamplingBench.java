package dev.rote.bench;

import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.train.Generator;
import dev.rote.train.Trainer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Time of one batch of images by 100 DDIM updates of study 1's U-Net, with fresh weights, images read back to the
/// host; every batch is one sample. The goal is 10,000 images in 5 s at W = 32.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1)
@Measurement(iterations = 5)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"})
public class CudaSamplingBench {
    private static final int TRAINING_BATCH = 8; // the trainer's step is planned but never run

    @Param("32")
    public int width;

    @Param({"bf16", "tf32", "f32"})
    public String precision;

    @Param("1000")
    public int batch;

    @Param("cuda")
    public String device;

    private Device opened;
    private TrainingData data;
    private Trainer trainer;
    private Generator generator;
    private float[] first;
    private float[] last;

    static String shape(Study study) {
        return "W=" + study.width() + " batch=" + study.batch() + " 32x32x1, 100 DDIM updates";
    }

    @Setup
    public void open() {
        Study study = new Study(width, precision, TRAINING_BATCH, "sgd");
        opened = study.open(device, 0);
        data = Study.data();
        trainer = Trainer.open(opened, study.config(), data);
        generator = trainer.generator(batch, false);
    }

    @Benchmark
    public float[] sampling() {
        last = generator.generate(batch, () -> false, done -> {});
        first = first == null ? last : first;
        return last;
    }

    /// @throws AssertionError unless every pixel is finite, images differ and the last batch is the first again
    @TearDown
    public void checkAndClose() {
        try (Device ignored = opened;
                TrainingData unused = data;
                Trainer closed = trainer;
                Generator also = generator) {
            for (int i = 0; i < last.length; i++) {
                if (!Float.isFinite(last[i]) || last[i] != first[i]) {
                    throw new AssertionError("pixel " + i + ": expected " + first[i] + " again, found " + last[i]);
                }
            }
            int size = Study.EXTENT.size();
            if (batch > 1 && java.util.Arrays.equals(last, 0, size, last, size, 2 * size)) {
                throw new AssertionError("images 0 and 1: expected to differ, found them equal");
            }
            System.out.println("\n" + generator.updates(batch) + " updates of a batch | " + opened.describe());
        }
    }
}
