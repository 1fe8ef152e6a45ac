package dev.rote.device.cuda;

import dev.rote.graph.Node;
import java.util.List;

/// TODO
final class ReductionLowering {
    private final CudaMemory memory;

    ReductionLowering(CudaMemory memory) {
        this.memory = memory;
    }

    List<KernelLaunch> lower(Node node) {
        throw new AssertionError(node.toString() + memory);
    }
}
