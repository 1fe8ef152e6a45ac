package dev.rote.device.cuda;

import dev.rote.graph.Fusion;
import dev.rote.graph.Op;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import java.util.List;

/// What the CUDA kernels join, but for what convolutions read: a vendor's library reads images from memory. And scratch
/// memory for either way to compute an operation: whether a library does it is known only when addresses are.
record VendorTarget(VendorOperations vendor) implements Target {
    @Override
    public boolean fuses(Fusion.Pattern pattern) {
        return switch (pattern) {
            case GROUP_NORM_SILU -> CudaTarget.INSTANCE.fuses(pattern);
            case UPSAMPLE_CONVOLUTION, CONCAT_READERS -> false;
        };
    }

    @Override
    public long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs) {
        long ours = CudaTarget.INSTANCE.workspaceBytes(op, inputs, outputs);
        long theirs = vendor.call(op, inputs, outputs)
                .map(call -> VendorLowering.workspaceBytes(call, inputs, outputs))
                .orElse(0L);
        return Math.max(ours, theirs);
    }
}
