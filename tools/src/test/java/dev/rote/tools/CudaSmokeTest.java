package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The main jobs on CUDA, on the stand-in for the driver, in processes of its own: a process has one driver.
class CudaSmokeTest {
    private static final Path STAND_IN = Path.of("../native/target/standin/librote_standin.so")
            .toAbsolutePath()
            .normalize();
    private static final int KILLED = 137;

    @TempDir
    Path temp;

    @BeforeEach
    void requireStandIn() {
        Assumptions.assumeTrue(Files.exists(STAND_IN), () -> "no stand-in at " + STAND_IN);
    }

    @Test
    void aStudyRunsAndAKilledOneEndsInTheSameBits() throws IOException, InterruptedException {
        Path whole = temp.resolve("whole");
        assertThat(wait(start(whole), whole)).isZero();
        assertThat(whole.resolve("report.html")).content().contains("n = 8").doesNotContain("is left out");
        assertThat(whole.resolve("runs/n=8,seed=0/metrics.jsonl")).content().contains("Rote stand-in");

        Path killed = temp.resolve("killed");
        Process process = start(killed);
        Path checkpoint = killed.resolve("runs/n=8,seed=0/checkpoints/10.safetensors");
        while (process.isAlive() && !Files.exists(checkpoint)) {
            Thread.sleep(5);
        }
        process.destroyForcibly();
        assertThat(wait(process, killed)).isEqualTo(KILLED);
        assertThat(wait(start(killed), killed)).isZero();
        for (String run : List.of("n=4,seed=0", "n=8,seed=0")) {
            String last = "runs/" + run + "/checkpoints/20.safetensors";
            assertThat(killed.resolve(last)).hasSameBinaryContentAs(whole.resolve(last));
            String samples = "runs/" + run + "/samples/20.safetensors";
            assertThat(killed.resolve(samples)).hasSameBinaryContentAs(whole.resolve(samples));
        }
    }

    /// The search has the CPU's bits, so the table has them too.
    @Test
    void anAuditFindsTheNeighboursThatTheCpuFinds() throws IOException, InterruptedException {
        Path onCpu = temp.resolve("cpu");
        Path onCuda = temp.resolve("cuda");
        assertThat(wait(audit(onCpu, "cpu"), onCpu)).isZero();
        assertThat(wait(audit(onCuda, "cuda"), onCuda)).isZero();
        assertThat(onCuda.resolve("neighbours.csv")).hasSameBinaryContentAs(onCpu.resolve("neighbours.csv"));
        assertThat(Path.of(onCpu + ".log")).content().contains("neighbours searched on cpu: 1 thread");
        assertThat(Path.of(onCuda + ".log"))
                .content()
                .contains("searched 400 of 400 images (100 %)", "neighbours searched on cuda: Rote stand-in");
        assertThat(onCuda.resolve("report.html")).content().contains("Rote stand-in");
        assertThat(numbers(onCuda)).hasSizeGreaterThan(50).isEqualTo(numbers(onCpu));
    }

    /// Features are multiplied on the device; eigenvalues are LAPACK's.
    @Test
    void aSpectrumOfFeaturesIsThatOfTheCpu() throws IOException, InterruptedException {
        List<double[]> values = new ArrayList<>();
        for (String device : List.of("cpu", "cuda")) {
            Path folder = temp.resolve(device);
            assertThat(wait(spectrum(folder, device), folder)).isZero();
            values.add(Files.readAllLines(folder.resolve("eigenvalues.csv")).stream()
                    .filter(line -> line.contains(",features,"))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(',') + 1)))
                    .toArray());
        }
        assertThat(values.getFirst()).hasSize(2 * 2 * 48);
        assertThat(values.getLast()).containsExactly(values.getFirst(), within(1e-5));
        assertThat(temp.resolve("cuda/report.html")).content().contains("Rote stand-in");
        assertThat(temp.resolve("cpu/report.html")).content().doesNotContain("Rote stand-in");
    }

    private static Process spectrum(Path folder, String device) throws IOException {
        return onDevice(folder, device, "theory", "spectrum", "--set", "model.d=12", "--set", "model.psi_p=[4]");
    }

    /// Everything an audit found, without the device that searched.
    private static List<String> numbers(Path folder) throws IOException {
        return Files.readAllLines(folder.resolve("audit.json")).stream()
                .filter(line -> !line.contains("\"searched_on\""))
                .toList();
    }

    private static Process audit(Path folder, String device) throws IOException {
        String images = "builtin:fashion-mnist#";
        return onDevice(
                folder,
                device,
                "audit",
                "--samples",
                images + "190:270", // the first ten are training images
                "--training",
                images + "0:200",
                "--heldout",
                images + "300:420");
    }

    private static Process onDevice(Path folder, String device, String... command) throws IOException {
        List<String> words = new ArrayList<>(List.of(command));
        words.addAll(List.of("--threads", "1", "--device", device, "--out", folder.toString()));
        return rote(folder, words.toArray(String[]::new));
    }

    private static Process start(Path folder) throws IOException {
        return rote(
                folder,
                "study",
                Path.of("studies/smoke.toml").toAbsolutePath().toString(),
                "--out",
                folder.toString(),
                "--jobs",
                "1",
                "--set",
                "device=\"cuda\"");
    }

    private static Process rote(Path folder, String... arguments) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-Drote.standin=" + STAND_IN,
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Rote.class.getName()));
        words.addAll(List.of(arguments));
        return new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(Path.of(folder + ".log").toFile())
                .start();
    }

    private static int wait(Process process, Path folder) throws IOException, InterruptedException {
        boolean ended = process.waitFor(4, TimeUnit.MINUTES);
        process.destroyForcibly();
        assertThat(ended).as(Files.readString(Path.of(folder + ".log"))).isTrue();
        return process.exitValue();
    }
}
