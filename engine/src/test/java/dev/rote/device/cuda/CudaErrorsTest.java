package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.Scale;
import dev.rote.graph.SinusoidalEmbedding;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.List;
import java.util.Map;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// What is missing or breaks is one sentence.
@ExtendWith(StandInExtension.class)
class CudaErrorsTest {
    private final StandIn standIn = StandIn.loaded().orElseThrow();

    @Test
    void noGpuIsTheEnvironments() {
        standIn.set("devices", 0);
        assertThatThrownBy(() -> CudaDevice.open(0))
                .isInstanceOf(EnvironmentException.class)
                .hasMessage("device \"cuda\": the NVIDIA driver finds no GPU on this machine");
    }

    @Test
    void anOldDriverIsTheEnvironments() {
        standIn.set("driver", 12_040);
        assertThatThrownBy(() -> CudaDevice.open(0))
                .isInstanceOf(EnvironmentException.class)
                .hasMessage("device \"cuda\": expected an NVIDIA driver for CUDA 13.0 (580) or newer, "
                        + "found one for CUDA 12.4");
    }

    @Test
    void anOldGpuIsTheEnvironments() {
        standIn.set("capability", 75);
        assertThatThrownBy(() -> CudaDevice.open(0))
                .isInstanceOf(EnvironmentException.class)
                .hasMessageMatching(
                        "device \"cuda\": expected a GPU of compute capability 8\\.0 or newer, found .* of 7\\.5");
    }

    @Test
    void tooLittleMemoryNamesItsOwnerAndWhatIsFree() {
        try (CudaDevice device = CudaDevice.open(0)) {
            standIn.set("memory", 4096);
            assertThat(device.freeBytes()).hasValue(4096);
            assertThatThrownBy(() -> device.allocate("training images", DType.F32, 2000))
                    .isInstanceOf(DeviceException.class)
                    .hasMessage("device \"cuda\": no memory for training images: needs 8000 bytes, 4096 are free");
            assertThat(device.allocatedBytes()).isZero();
        }
    }

    @Test
    void aLostDeviceNamesTheProgram() {
        try (CudaDevice device = CudaDevice.open(0);
                Buffer x = device.allocate("x", DType.F32, 4);
                Program program = device.compile("doubling", List.of(plan(device)), Map.of("x", x))) {
            program.run();
            standIn.fail("cuGraphLaunch", 0, CUresult.CUDA_ERROR_LAUNCH_FAILED);
            assertThatThrownBy(program::run)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("program doubling: CUDA_ERROR_LAUNCH_FAILED");
            assertThatThrownBy(x::readFloats)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("buffer x");
        }
    }

    @Test
    void whatAProgramTakesIsKnownBeforeItIsMadeAndGivenBack() {
        try (CudaDevice device = CudaDevice.open(0)) {
            Plan plan = plan(device);
            try (Buffer x = device.allocate("x", DType.F32, 4);
                    Program program = device.compile("doubling", List.of(plan), Map.of("x", x))) {
                assertThat(program.memoryBytes()).isEqualTo(device.programBytes(List.of(plan)));
                assertThat(device.allocatedBytes()).isEqualTo(16 + program.memoryBytes());
            }
            assertThat(device.allocatedBytes()).isZero();
        }
    }

    private static Plan plan(CudaDevice device) {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(4));
        graph.keep(graph.apply(new Scale(2, 0), x));
        graph.keep(graph.apply(new SinusoidalEmbedding(6, 1000, 2, false), x));
        return Plan.of(graph, device.target());
    }
}
