package dev.rote.bench;

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

/// Time of one training step of study 1's U-Net on the CPU, images 32 x 32 x 1; every step is one sample.
/// The losses are checked when the last step is done.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 10)
@Measurement(iterations = 30)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"})
public class TrainingStepBench {
    @Param({"8", "16", "32"})
    public int width;

    @Param({"f32", "bf16"})
    public String precision;

    @Param("64")
    public int batch;

    /// 0 for one per available processor.
    @Param("0")
    public int threads;

    private StudyOneStep step;

    @Setup
    public void open() {
        step = new StudyOneStep(new Study(width, precision, batch, "sgd"), "cpu", threads);
    }

    @Benchmark
    public void trainingStep() {
        step.run();
    }

    @TearDown
    public void checkAndClose() {
        try (StudyOneStep checked = step) {
            checked.check();
        }
    }
}
