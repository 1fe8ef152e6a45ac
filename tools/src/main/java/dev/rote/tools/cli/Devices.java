package dev.rote.tools.cli;

import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.device.cuda.CudaDevice;
import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// The devices of this build: the CPU, and CUDA, whose kernels have not been run on a GPU yet.
public final class Devices {
    private Devices() {}

    /// Opens what was asked for. `AUTO` is the CPU: nobody gets a device by chance whose kernels no GPU has run.
    ///
    /// @param threads CPU threads; 0 for all cores
    /// @param precision of the run; TF32 lets CUDA round the factors of products
    /// @throws EnvironmentException if this machine or this build has no such device
    public static Device open(RunConfig.Device kind, int threads, TrainConfig.Precision precision) {
        return switch (kind) {
            case CPU, AUTO -> CpuDevice.open(threads);
            case CUDA -> CudaDevice.open(0, precision == TrainConfig.Precision.TF32);
        };
    }

    /// Reads `cpu`, `cuda` or `auto`.
    static final class Converter implements ITypeConverter<RunConfig.Device> {
        @Override
        public RunConfig.Device convert(String word) {
            return Arrays.stream(RunConfig.Device.values())
                    .filter(device -> device.word().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("expected "
                            + Arrays.stream(RunConfig.Device.values())
                                    .map(RunConfig.Device::word)
                                    .collect(Collectors.joining(" or "))
                            + ", found " + word));
        }
    }
}
