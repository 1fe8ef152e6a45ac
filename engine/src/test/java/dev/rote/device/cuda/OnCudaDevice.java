package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import dev.rote.graph.Value;
import dev.rote.reference.OpCase;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// Tests that share one device, on the stand-in or a GPU.
@ExtendWith(AnyDriver.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class OnCudaDevice {
    CudaDevice device;

    @BeforeAll
    void openDevice() {
        device = opened();
    }

    CudaDevice opened() {
        return CudaDevice.open(0);
    }

    @AfterAll
    void closeDevice() {
        if (device != null) {
            device.close();
        }
    }

    /// How a device lowers the operation of a case.
    static List<KernelLaunch> launches(CudaDevice device, OpCase one) {
        Graph graph = new Graph();
        Node node = one.addTo(graph);
        Map<String, Buffer> bindings = new HashMap<>();
        for (Value external : graph.externals().values()) {
            bindings.put(external.name(), device.allocate(external.name(), external.dtype(), external.elements()));
        }
        try (CudaMemory memory = new CudaMemory(device, "test", Plan.of(graph, device.target()), bindings)) {
            return new CudaLowering(memory, device.tensorCores()).lower(node);
        } finally {
            bindings.values().forEach(Buffer::close);
        }
    }

    static List<String> kernels(CudaDevice device, OpCase one) {
        return launches(device, one).stream().map(KernelLaunch::kernel).toList();
    }
}
