package dev.rote.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.RunConfig;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class DevicesTest {
    @Test
    void autoIsTheGpuThatOpens() {
        Devices.Choice choice = Devices.choose(false, () -> CpuDevice.open(1)); // any device does for a GPU here
        assertThat(choice.device()).isEqualTo(RunConfig.Device.CUDA);
        assertThat(choice.reason()).startsWith("cpu: 1 thread");
    }

    @Test
    void autoIsTheCpuWhereNoGpuOpens() {
        Devices.Choice none = Devices.choose(false, () -> {
            throw new EnvironmentException("device \"cuda\": no NVIDIA driver on this machine (why)");
        });
        assertThat(none)
                .isEqualTo(new Devices.Choice(RunConfig.Device.CPU, "cpu, no NVIDIA driver on this machine (why)"));
        Devices.Choice broken = Devices.choose(false, () -> {
            throw new DeviceException("context on GPU 0: out of memory");
        });
        assertThat(broken).isEqualTo(new Devices.Choice(RunConfig.Device.CPU, "cpu, context on GPU 0: out of memory"));
    }

    @Test
    void autoNeverIsTheStandIn() {
        Devices.Choice choice = Devices.choose(true, () -> {
            throw new AssertionError("opened");
        });
        assertThat(choice.device()).isEqualTo(RunConfig.Device.CPU);
    }

    @Test
    void onlyAutoIsAnnounced() {
        Assumptions.assumeFalse(Files.exists(Path.of("/proc/driver/nvidia/version")), "there is a GPU");
        assertThat(announced(RunConfig.Device.CPU)).isEmpty();
        assertThat(announced(RunConfig.Device.CUDA)).isEmpty();
        assertThat(announced(RunConfig.Device.AUTO)).startsWith("device auto: cpu, no NVIDIA driver on this machine");
    }

    private static String announced(RunConfig.Device kind) {
        var bytes = new ByteArrayOutputStream();
        Devices.announce(kind, new PrintStream(bytes, true, StandardCharsets.UTF_8));
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
