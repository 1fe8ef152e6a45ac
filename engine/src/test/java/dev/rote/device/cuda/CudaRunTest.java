package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.RunConfig;
import dev.rote.errors.DeviceException;
import dev.rote.errors.NonFiniteException;
import dev.rote.measure.RunListener;
import dev.rote.measure.TinyRun;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A measured run on CUDA whose device is lost, or whose numbers are: what was written stays whole.
@ExtendWith(StandInExtension.class)
class CudaRunTest {
    private static final RunConfig CONFIG = TinyRun.config("").with("device", "\"cuda\"");

    @TempDir
    Path temp;

    @Test
    void aDeviceLostInMidRunLeavesTheLastCheckpointAndTheRunEndsInTheSameBits() throws Exception {
        Path whole = temp.resolve("whole");
        run(CONFIG, whole);
        Path lost = temp.resolve("lost");
        StandIn standIn = StandIn.loaded().orElseThrow();
        standIn.fail("cuGraphLaunch", 12, CUresult.CUDA_ERROR_LAUNCH_FAILED); // an update after the first checkpoint
        assertThatThrownBy(() -> run(CONFIG, lost))
                .isInstanceOf(DeviceException.class)
                .hasMessageMatching("program .*: CUDA_ERROR_LAUNCH_FAILED, .*");
        assertThat(checkpoints(lost)).isNotEmpty().doesNotContain(TinyRun.STEPS + ".safetensors");
        run(CONFIG, lost);
        String last = "checkpoints/" + TinyRun.STEPS + ".safetensors";
        assertThat(lost.resolve(last)).hasSameBinaryContentAs(whole.resolve(last));
    }

    @Test
    void numbersThatAreNoLongerFiniteEndTheRunAndLeaveTheLastCheckpoint() throws Exception {
        Path folder = temp.resolve("diverging");
        assertThatThrownBy(() -> run(CONFIG.with("train.lr", "1e30"), folder))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageContaining("step");
        checkpoints(folder);
    }

    private static void run(RunConfig config, Path folder) throws InterruptedException {
        try (CudaDevice device = CudaDevice.open(0)) {
            assertThat(TinyRun.run(device, config, folder, RunListener.silent()))
                    .isTrue();
        }
    }

    /// Names of the checkpoints, every one of them whole.
    private static List<String> checkpoints(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("checkpoints"))) {
            return files.map(file -> {
                        try (SafeTensorsFile opened = SafeTensors.open(file)) {
                            assertThat(opened.verifyHash()).as(file.toString()).isTrue();
                        }
                        return file.getFileName().toString();
                    })
                    .toList();
        }
    }
}
