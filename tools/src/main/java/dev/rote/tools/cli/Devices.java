package dev.rote.tools.cli;

import dev.rote.config.Named;
import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.config.TrainConfig;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.device.cuda.CudaDevice;
import dev.rote.device.cuda.StandIn;
import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// The devices of this build: the CPU and CUDA.
public final class Devices {
    private Devices() {}

    /// What `AUTO` is in this process.
    ///
    /// @param device CPU or CUDA
    /// @param reason the GPU, or why there is none
    record Choice(RunConfig.Device device, String reason) {}

    private static final class Auto {
        private static final Choice CHOICE = choose(StandIn.loaded().isPresent(), () -> CudaDevice.open(0));
    }

    /// `AUTO` is the GPU if one can be opened, else the CPU. The stand-in for the driver is slower than the CPU device
    /// and for tests: whoever wants it names CUDA.
    static Choice choose(boolean standIn, Supplier<Device> gpu) {
        if (standIn) {
            return new Choice(RunConfig.Device.CPU, "cpu, because the stand-in for the NVIDIA driver is no GPU");
        }
        try (Device device = gpu.get()) {
            return new Choice(RunConfig.Device.CUDA, device.describe());
        } catch (EnvironmentException | DeviceException e) {
            return new Choice(RunConfig.Device.CPU, "cpu, " + e.getMessage().replaceFirst("^device \"cuda\": ", ""));
        }
    }

    /// Says in one line what `AUTO` is here; nothing if another device was asked for.
    public static void announce(RunConfig.Device kind, PrintStream err) {
        if (kind == RunConfig.Device.AUTO) {
            err.println("device auto: " + Auto.CHOICE.reason());
        }
    }

    /// What `AUTO` is in this process; any other kind is itself.
    public static RunConfig.Device resolved(RunConfig.Device kind) {
        return kind == RunConfig.Device.AUTO ? Auto.CHOICE.device() : kind;
    }

    /// Whether a run's device is a GPU in this process.
    public static boolean isGpu(RunConfig config) {
        return resolved(config.device()) == RunConfig.Device.CUDA;
    }

    /// What is asked of a device.
    ///
    /// @param threads CPU threads; 0 for all cores
    /// @param precision of the run; TF32 lets CUDA round the factors of products
    public record Wanted(
            RunConfig.Device device, RunConfig.Kernels kernels, int threads, TrainConfig.Precision precision) {
        public static Wanted of(RunConfig config) {
            return new Wanted(
                    config.device(),
                    config.kernels(),
                    config.threads(),
                    config.train().precision());
        }

        /// The same, of a device that only has to be there.
        public Wanted plain() {
            return new Wanted(device, kernels, 1, TrainConfig.Precision.F32);
        }
    }

    /// Opens what was asked for. `AUTO` is chosen once in a process: all runs of a study get the same.
    ///
    /// @param notices is told, in a sentence, what vendor kernels refuse
    /// @throws EnvironmentException if this machine or this build has no such device, or no vendor's libraries
    /// @throws IllegalArgumentException if vendor kernels are wanted of a CPU
    public static Device open(Wanted wanted, Consumer<String> notices) {
        RunConfig.Device kind = wanted.device();
        boolean vendor = wanted.kernels() == RunConfig.Kernels.VENDOR;
        boolean tf32 = wanted.precision() == TrainConfig.Precision.TF32;
        return switch (resolved(kind)) {
            case CPU -> {
                requireOwn(vendor, kind);
                yield CpuDevice.open(wanted.threads());
            }
            case CUDA -> vendor ? CudaDevice.openWithVendor(0, tf32, notices) : CudaDevice.open(0, tf32);
            case AUTO -> throw new AssertionError("auto is the cpu or cuda");
        };
    }

    private static void requireOwn(boolean vendor, RunConfig.Device kind) {
        if (vendor) {
            throw new IllegalArgumentException("kernels: expected \"own\", because device \"" + kind.word()
                    + "\" is the cpu here, found \"vendor\"");
        }
    }

    /// Opens what was asked for and closes it again.
    ///
    /// @throws EnvironmentException if this machine or this build has no such device
    public static void require(Wanted wanted) {
        open(wanted, notice -> {}).close();
    }

    /// Reads `cpu`, `cuda` or `auto`.
    public static final class Converter implements ITypeConverter<RunConfig.Device> {
        @Override
        public RunConfig.Device convert(String word) {
            return find(RunConfig.Device.values(), word);
        }
    }

    /// Reads `own` or `vendor`.
    public static final class KernelsConverter implements ITypeConverter<RunConfig.Kernels> {
        @Override
        public RunConfig.Kernels convert(String word) {
            return find(RunConfig.Kernels.values(), word);
        }
    }

    /// Reads a rule for stopping.
    public static final class StopConverter implements ITypeConverter<StopConfig.Rule> {
        @Override
        public StopConfig.Rule convert(String word) {
            return find(StopConfig.Rule.values(), word);
        }
    }

    private static <T extends Named> T find(T[] values, String word) {
        return Arrays.stream(values)
                .filter(value -> value.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("expected "
                        + Arrays.stream(values).map(Named::word).collect(Collectors.joining(" or ")) + ", found "
                        + word));
    }
}
