package dev.rote.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

/// Time of one training step of each of several small studies that share a GPU, as the runs of a sweep do. Divided
/// by the number of runs it is the time a step costs; beside that of a single run it says what sharing gains.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2)
@Measurement(iterations = 10)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"})
public class CudaSweepBench {
    /// Steps of a sample; its time is divided by them.
    static final int STEPS = 20;

    private static final String TOGETHER = " runs of ";
    private static final String REPLICAS = "replicas";

    @Param({"8", "16"})
    public int width;

    @Param("bf16")
    public String precision;

    @Param("128")
    public int batch;

    @Param("sgd")
    public String optimizer;

    /// Runs side by side.
    @Param({"1", "4", "16"})
    public int runs;

    /// How they share it: `replicas`, one program of all ([dev.rote.train.Replicas]); `streams`, a thread, a device
    /// and its streams for each.
    @Param({REPLICAS, "streams"})
    public String sharing;

    private final List<StudyOneStep> steps = new ArrayList<>();
    private ExecutorService threads;

    /// The shape of a case; streams go without saying.
    static String shape(Study study, int runs, String sharing) {
        return runs + TOGETHER + study.shape() + (sharing.equals(REPLICAS) ? ", one program" : "");
    }

    /// Runs of a case; 0 if it is none of these.
    static int runs(Case timed) {
        int at = timed.shape().indexOf(TOGETHER);
        return at < 1 ? 0 : Integer.parseInt(timed.shape().substring(0, at));
    }

    @Setup
    public void open() {
        boolean together = sharing.equals(REPLICAS);
        int programs = together ? 1 : runs;
        threads = Executors.newFixedThreadPool(programs);
        for (int number = 0; number < programs; number++) {
            Study study = new Study(width, precision, batch, optimizer);
            steps.add(new StudyOneStep(study, "cuda", 0, together ? runs : 1));
        }
    }

    /// @return steps done by all runs
    /// @throws ExecutionException if a run fails
    @Benchmark
    @OperationsPerInvocation(STEPS)
    public int sweepStep() throws InterruptedException, ExecutionException {
        List<Callable<Integer>> work = new ArrayList<>();
        for (StudyOneStep step : steps) {
            work.add(() -> {
                for (int i = 0; i < STEPS; i++) {
                    step.run();
                }
                return step.await();
            });
        }
        int done = 0;
        for (Future<Integer> future : threads.invokeAll(work)) {
            done += future.get();
        }
        return done;
    }

    @TearDown
    public void checkAndClose() {
        threads.shutdown();
        for (StudyOneStep step : steps) {
            step.check();
            step.close();
        }
    }
}
