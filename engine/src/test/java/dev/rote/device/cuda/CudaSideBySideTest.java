package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.RunConfig;
import dev.rote.device.Buffer;
import dev.rote.graph.DType;
import dev.rote.measure.RunListener;
import dev.rote.measure.TinyRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Several runs share a GPU: one process, a device and its streams for each.
@ExtendWith(AnyDriver.class)
class CudaSideBySideTest {
    private static final int RUNS = 3;
    private static final int STEPS = 8; // with a measurement on the way

    @TempDir
    Path temp;

    private static RunConfig config(int seed) {
        return TinyRun.config("")
                .with("device", "\"cuda\"")
                .with("seed", Integer.toString(seed))
                .with("measure.steps", "[7]")
                .with("train.steps", Integer.toString(STEPS));
    }

    private static Path run(int seed, Path folder) throws InterruptedException {
        try (CudaDevice device = CudaDevice.open(0)) {
            assertThat(TinyRun.run(device, config(seed), folder, RunListener.silent()))
                    .isTrue();
        }
        return folder.resolve("checkpoints").resolve(STEPS + ".safetensors");
    }

    @Test
    void runsSideBySideHaveTheBitsOfRunsAlone() throws Exception {
        List<Callable<Path>> runs = new ArrayList<>();
        for (int seed = 0; seed < RUNS; seed++) {
            int each = seed;
            runs.add(() -> run(each, temp.resolve("together-" + each)));
        }
        List<Path> together = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(RUNS)) {
            for (Future<Path> future : threads.invokeAll(runs)) {
                together.add(future.get());
            }
        }
        for (int seed = 0; seed < RUNS; seed++) {
            Path alone = run(seed, temp.resolve("alone-" + seed));
            assertThat(together.get(seed)).as("seed " + seed).hasSameBinaryContentAs(alone);
        }
    }

    @Test
    void aDeviceThatIsClosedLeavesTheOthersMemoryAlone() {
        float[] values = {1, 2, 3};
        try (CudaDevice stays = CudaDevice.open(0);
                Buffer buffer = stays.allocate("kept", DType.F32, values.length)) {
            buffer.writeFloats(values);
            try (CudaDevice goes = CudaDevice.open(0);
                    Buffer other = goes.allocate("gone", DType.F32, values.length)) {
                other.writeFloats(new float[] {4, 5, 6});
            }
            assertThat(buffer.readFloats()).isEqualTo(values);
        }
    }
}
