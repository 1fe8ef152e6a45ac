package dev.rote.bench;

import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Time of one training step of a [Study] on a GPU. A step is one launch that nobody waits for, so a sample is
/// several steps with one wait at the end, divided by their number. The losses are checked when the last is done.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2)
@Measurement(iterations = 10)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"})
public class CudaStepBench {
    /// The wait, about 20 microseconds, is below a thousandth of five steps of 5 ms.
    static final int STEPS = 5;

    @Param({"32", "64", "128"})
    public int width;

    @Param({"bf16", "tf32", "f32"})
    public String precision;

    @Param("512")
    public int batch;

    @Param({"sgd", "adam"})
    public String optimizer;

    private StudyOneStep step;
    private double launchMs;
    private double stepMs;

    @Setup
    public void open() {
        step = new StudyOneStep(new Study(width, precision, batch, optimizer), "cuda", 0);
    }

    /// @return steps done
    @Benchmark
    @OperationsPerInvocation(STEPS)
    public int trainingStep() {
        long start = System.nanoTime();
        for (int i = 0; i < STEPS; i++) {
            step.run();
        }
        long launched = System.nanoTime();
        int done = step.await();
        launchMs = (launched - start) * 1e-6 / STEPS;
        stepMs = (System.nanoTime() - start) * 1e-6 / STEPS;
        return done;
    }

    @TearDown
    public void checkAndClose() {
        try (StudyOneStep checked = step) {
            checked.check();
            System.out.printf(
                    Locale.ROOT,
                    "%nhost: %.4f ms of a step of %.3f ms launch it, idle %.2f %% | %s%n",
                    launchMs,
                    stepMs,
                    100 * (1 - launchMs / stepMs),
                    checked.describe());
        }
    }
}
