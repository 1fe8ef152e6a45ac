package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DeviceException;
import dev.rote.graph.DType;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// What the generated bindings give beyond JCuda: launches in clusters, tensor maps. Both need compute capability 9.0.
@ExtendWith(AnyDriver.class)
class CudaBindingsTest {
    private static final int ELEMENTS = 1000;

    private CudaDevice device;

    @BeforeEach
    void open() {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 90));
        device = CudaDevice.open(0);
    }

    @AfterEach
    void close() {
        device.close();
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 80));
    }

    @Test
    void aKernelRunsInClusters() {
        try (CudaBuffer y = (CudaBuffer) device.allocate("y", DType.I32, ELEMENTS)) {
            launch(fill(y, 7).inClusters(KernelLaunch.Extent.of(2)));
            int[] expected = new int[ELEMENTS];
            Arrays.fill(expected, 7);
            assertThat(y.readInts()).containsExactly(expected);
        }
    }

    @Test
    void aGridThatIsNoMultipleOfTheClusterIsRefused() {
        try (CudaBuffer y = (CudaBuffer) device.allocate("y", DType.I32, ELEMENTS)) {
            assertThatThrownBy(() -> launch(fill(y, 7).inClusters(KernelLaunch.Extent.of(3))))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("launch of fill with grid 4x1x1, block 256x1x1, cluster 3x1x1");
        }
    }

    private void launch(KernelLaunch launch) {
        device.makeCurrent();
        device.kernels().prepare(launch);
        device.kernels().launch(launch, device.stream());
    }

    private static KernelLaunch fill(CudaBuffer y, int bits) {
        Arguments arguments = new Arguments()
                .pointer("y", y.address())
                .i64("n", y.elements())
                .i32("bits", bits)
                .i32("bytes", 4);
        return KernelLaunch.perElement("fill", y.elements(), arguments);
    }

    @Test
    void aTensorMapIsEncoded() {
        try (CudaBuffer x = (CudaBuffer) device.allocate("x", DType.BF16, 4 * 9 * 32)) {
            device.makeCurrent();
            long[] dims = {32, 9, 4};
            TensorMap map = TensorMap.dense(DType.BF16, x.address(), dims, new int[] {32, 4, 1});
            assertThat(map.bytes()).hasSize(128);
            TensorMap other = TensorMap.dense(DType.BF16, x.address(), dims, new int[] {32, 8, 1});
            assertThat(other.bytes()).isNotEqualTo(map.bytes());
            assertThatThrownBy(() -> TensorMap.dense(DType.BF16, x.address(), dims, new int[] {32, 257, 1}))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("tensor map of [32, 9, 4] BF16, box [32, 257, 1]: CUDA_ERROR_INVALID_VALUE");
            assertThatThrownBy(
                            () -> TensorMap.dense(DType.BF16, x.address(), new long[] {3, 9, 4}, new int[] {8, 4, 1}))
                    .as("rows of six bytes")
                    .isInstanceOf(DeviceException.class);
        }
    }
}
