package dev.rote.device.cuda;

import dev.rote.graph.Node;
import java.util.List;

/// TODO
final class OptimizerLowering {
    private final CudaMemory memory;

    OptimizerLowering(CudaMemory memory) {
        this.memory = memory;
    }

    List<KernelLaunch> lower(Node node) {
        throw new AssertionError(node.toString() + memory);
    }

    static final int NORM_CHUNK = 4096;

    /// One double per chunk of a norm.
    static long normWorkspaceBytes(long elements) {
        return 8 * ((elements + NORM_CHUNK - 1) / NORM_CHUNK);
    }
}
