package dev.rote.device.cuda;

import dev.rote.graph.Fusion;
import dev.rote.graph.Op;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import java.util.List;

/// What the CUDA kernels join, and scratch memory for either way to compute an operation: whether a vendor's library
/// does it is known only when addresses are.
record VendorTarget(VendorOperations vendor) implements Target {
    @Override
    public boolean fuses(Fusion.Pattern pattern) {
        return CudaTarget.INSTANCE.fuses(pattern);
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
