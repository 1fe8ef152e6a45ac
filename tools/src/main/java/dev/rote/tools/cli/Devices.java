package dev.rote.tools.cli;

import dev.rote.config.RunConfig;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.errors.EnvironmentException;
import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// The devices of this build: the CPU.
public final class Devices {
    private Devices() {}

    /// Opens what was asked for; `AUTO` is the CPU, because this build has no other device.
    ///
    /// @param threads CPU threads; 0 for all cores
    /// @throws EnvironmentException if this machine or this build has no such device
    public static Device open(RunConfig.Device kind, int threads) {
        return switch (kind) {
            case CPU, AUTO -> CpuDevice.open(threads);
            case CUDA ->
                throw new EnvironmentException(
                        "device \"cuda\": this build of rote has the CPU device only; use --device cpu");
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
