package dev.rote.device.cuda;

import dev.rote.graph.Node;
import java.util.List;

/// TODO
final class RandomLowering {
    private final CudaMemory memory;

    RandomLowering(CudaMemory memory) {
        this.memory = memory;
    }

    List<KernelLaunch> lower(Node node) {
        throw new AssertionError(node.toString() + memory);
    }
}
