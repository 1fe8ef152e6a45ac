package dev.rote.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.train.Trainer;
import dev.rote.train.TrainingListener;
import java.lang.management.ManagementFactory;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Training steps leave nothing on the Java heap once they are compiled: until then a vector is an object. In a
/// process of its own, as training is: after all other tests one loop was once compiled so that its vectors stayed
/// objects.
@Tag("own-jvm")
@Timeout(value = 4, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AllocationTest {
    /// Steps that are counted together.
    private static final int STEPS = 250;

    /// By then everything is compiled, on a busy machine too; it usually is after 2,000 steps.
    private static final int WARM_UP = 8_000;

    /// What the calling thread may allocate for all [#STEPS] together: one reading of the 4096 recorded losses.
    private static final long REPORT_BYTES = 4 * 4096 + 4 * STEPS + 1_000;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final String CONFIG = """
            device = "cpu"
            [data]
            source = "x"
            size = 8
            flip = true
            [model]
            family = "%s"
            width = 16
            multipliers = [1, 2]
            blocks = 1
            groups = 8
            classes = 0
            head_size = 0
            dropout = 0.1
            [train]
            optimizer = "adam"
            batch = 4
            steps = 100000
            log_every = 4096
            ema = 0.99
            clip = 1
            [measure]
            metrics = []
            """;

    @Test
    void stepsOfTheFirstStudysNetworkAllocateNothing() {
        trainUntilNothingIsAllocated("unet-study1");
    }

    @Test
    void stepsOfTheThirdStudysNetworkAllocateNothing() {
        trainUntilNothingIsAllocated("unet-study3");
    }

    private static void trainUntilNothingIsAllocated(String family) {
        byte[] pixels = new byte[12 * 64];
        new Random(1).nextBytes(pixels);
        Extent extent = new Extent(8, 8, 1);
        try (CpuDevice device = CpuDevice.open(2);
                TrainingData data = new TrainingData(
                        Dataset.of(12, extent, pixels),
                        Dataset.of(0, extent, new byte[0]),
                        0f,
                        new int[12],
                        new int[0],
                        0,
                        DataOptions.of("x"));
                Trainer trainer = Trainer.open(device, RunConfig.parse(CONFIG.formatted(family), "test"), data)) {
            long[] lanes = lanes();
            assertThat(lanes).hasSize(2);
            long inLanes = Long.MAX_VALUE;
            long inCaller = Long.MAX_VALUE;
            while (trainer.step() < WARM_UP && (inLanes > 0 || inCaller > REPORT_BYTES)) {
                long lanesBefore = allocated(lanes);
                long callerBefore = THREADS.getCurrentThreadAllocatedBytes();
                trainer.train(trainer.step() + STEPS, TrainingListener.silent());
                inCaller = THREADS.getCurrentThreadAllocatedBytes() - callerBefore;
                inLanes = allocated(lanes) - lanesBefore;
            }
            assertThat(inLanes).as("bytes of the lanes in %d steps", STEPS).isZero();
            assertThat(inCaller).as("bytes of the caller in %d steps", STEPS).isLessThanOrEqualTo(REPORT_BYTES);
        }
    }

    private static long[] lanes() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().contains("-lane-"))
                .mapToLong(Thread::threadId)
                .toArray();
    }

    private static long allocated(long[] threads) {
        long bytes = 0;
        for (long thread : threads) {
            bytes += THREADS.getThreadAllocatedBytes(thread);
        }
        return bytes;
    }
}
