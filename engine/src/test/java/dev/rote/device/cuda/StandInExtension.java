package dev.rote.device.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Loads the stand-in before the first use of JCuda, and gives every test a context and ordinary settings. The tests
/// are skipped where the stand-in was not built, for want of g++, and where a GPU is tested.
final class StandInExtension implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback {
    private static final long MEMORY = 1L << 30;

    private CUcontext context;

    static Path library() {
        return Path.of(System.getProperty("rote.standin.library", "native/target/standin/librote_standin.so"))
                .normalize();
    }

    /// What the program that repeats a record under AddressSanitizer says, and its exit status.
    static String replay(Path record) throws IOException, InterruptedException {
        Path program = library().resolveSibling("replay");
        Path output = Files.createTempFile(record.getParent(), "replay", ".txt");
        Process process = new ProcessBuilder(List.of(program.toString(), record.toString()))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(5, TimeUnit.MINUTES);
        process.destroyForcibly();
        return Files.readString(output) + (ended ? "status " + process.exitValue() : "no end in five minutes");
    }

    @Override
    public void beforeAll(ExtensionContext test) {
        Assumptions.assumeFalse(AnyDriver.isGpu(), "a process has one driver");
        load();
    }

    static void load() {
        Assumptions.assumeTrue(Files.exists(library()), () -> "no stand-in at " + library());
        System.setProperty(StandIn.PROPERTY, library().toString());
        Assertions.assertThat(StandIn.loaded()).isPresent(); // before the first use of JCuda
        JCudaDriver.setExceptionsEnabled(false);
        reset();
    }

    /// An ordinary device, whatever the test before made of it.
    private static void reset() {
        StandIn standIn = StandIn.loaded().orElseThrow();
        standIn.descending(false);
        standIn.set("memory", MEMORY);
        standIn.set("workers", 0);
        standIn.set("devices", 1);
        standIn.set("driver", 13_000);
        standIn.set("capability", 80);
    }

    @Override
    public void beforeEach(ExtensionContext test) {
        reset();
        Driver.check(JCudaDriver.cuInit(0), "cuInit");
        CUdevice device = new CUdevice();
        Driver.check(JCudaDriver.cuDeviceGet(device, 0), "cuDeviceGet");
        context = new CUcontext();
        Driver.check(JCudaDriver.cuCtxCreate(context, 0, device), "cuCtxCreate");
    }

    @Override
    public void afterEach(ExtensionContext test) {
        JCudaDriver.cuCtxDestroy(context);
    }
}
