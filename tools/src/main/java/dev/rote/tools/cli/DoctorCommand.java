package dev.rote.tools.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.device.cuda.CudaDevice;
import dev.rote.device.cuda.VendorLibraries;
import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import dev.rote.tools.report.Lettering;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;

/// Says what this machine offers, and what of it the program can use.
@Command(
        name = "doctor",
        description = "Shows the machine, the devices and where the program keeps its native libraries.",
        mixinStandardHelpOptions = true)
public final class DoctorCommand implements Callable<Integer> {
    private static final int ENVIRONMENT = 3;

    private final Console console;

    public DoctorCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        row("rote", Build.version() + ", commit " + Build.commit());
        row(
                "java",
                Runtime.version() + ", " + System.getProperty("java.vendor") + ", " + System.getProperty("java.home"));
        row(
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch"));
        row("processor", processor() + ", " + Runtime.getRuntime().availableProcessors() + " cores for this program");
        var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        row(
                "memory",
                Units.bytes(system.getTotalMemorySize()) + ", of which "
                        + Units.bytes(Runtime.getRuntime().maxMemory()) + " for the Java heap at most");
        Path here = Path.of("").toAbsolutePath();
        row("disk", Units.bytes(Files.getFileStore(here).getUsableSpace()) + " free in " + here);
        row("libraries", CpuDevice.libraryFolder() + " (set -Drote.native.cache=FOLDER to change it)");
        row("pictures", Lettering.missing().orElse("drawn with the program's own font"));
        boolean cpu = cpu();
        boolean cuda = cuda();
        kernels();
        row("vendor", VendorLibraries.here().describe() + " (for --kernels vendor)");
        return cpu || cuda ? 0 : ENVIRONMENT;
    }

    private boolean cpu() {
        try (Device device = CpuDevice.open(0)) {
            row("device cpu", device.describe());
            return true;
        } catch (EnvironmentException e) {
            row("device cpu", "does not work: " + e.getMessage());
            return false;
        }
    }

    private boolean cuda() {
        try (Device device = CudaDevice.open(0)) {
            String free = device.freeBytes().isPresent()
                    ? ", " + Units.bytes(device.freeBytes().getAsLong()) + " free"
                    : "";
            row("device cuda", device.describe() + free);
            return true;
        } catch (EnvironmentException | DeviceException e) {
            row("device cuda", withoutDevice(e));
            return false;
        }
    }

    private void kernels() {
        try {
            row("kernels", CudaDevice.describeKernels());
        } catch (EnvironmentException e) {
            row("kernels", withoutDevice(e));
        }
    }

    private static String withoutDevice(RuntimeException e) {
        return e.getMessage().replaceFirst("^device \"cuda\": ", "");
    }

    /// The model's name where Linux tells it, else the architecture.
    private static String processor() throws IOException {
        Path file = Path.of("/proc/cpuinfo");
        if (Files.isReadable(file)) {
            try (Stream<String> lines = Files.lines(file)) {
                return lines.filter(line -> line.startsWith("model name"))
                        .map(line -> line.substring(line.indexOf(':') + 1).strip())
                        .findFirst()
                        .orElse(System.getProperty("os.arch"));
            }
        }
        return System.getProperty("os.arch");
    }

    private void row(String name, String value) {
        console.out().println(name + " ".repeat(14 - name.length()) + value);
    }
}
