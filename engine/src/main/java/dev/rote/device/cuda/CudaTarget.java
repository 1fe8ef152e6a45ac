package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Fusion;
import dev.rote.graph.GlobalNorm;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.LayerNorm;
import dev.rote.graph.Linear;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.Op;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import java.util.List;

/// What the CUDA kernels join, and their scratch memory.
enum CudaTarget implements Target {
    INSTANCE;

    /// About one residual block: longer costs memory and no more can run at once.
    private static final int NODES_BESIDE = 8;

    @Override
    public boolean fuses(Fusion.Pattern pattern) {
        return switch (pattern) {
            case GROUP_NORM_SILU, UPSAMPLE_CONVOLUTION, CONCAT_READERS -> true;
        };
    }

    @Override
    public long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs) {
        return switch (op) {
            case Conv2d.BackwardWeight weight -> ConvolutionLowering.workspaceBytes(weight, inputs, outputs);
            case Linear.BackwardWeight ignored -> MatrixLowering.workspaceBytes(inputs, outputs);
            case GlobalNorm ignored ->
                OptimizerLowering.normWorkspaceBytes(inputs.getFirst().elements());
            default -> ReductionLowering.workspaceBytes(op, inputs);
        };
    }

    /// The terms of a norm's parameters and of small weight gradients, for [LateSums].
    @Override
    public boolean keepsWorkspace(Op op, long bytes) {
        return op instanceof GroupNorm.Backward
                || op instanceof LayerNorm.Backward
                || (Streams.runsAside(op) && bytes <= SplitSum.MOST_BYTES);
    }

    @Override
    public int nodesBeside(Op op) {
        if (op instanceof Conv2d conv && SkipConvolution.mayBegin(conv)) {
            return 2; // the convolution behind it and their sum may be one with it
        }
        if (op instanceof MeanSquaredError) {
            return 3; // what begins its gradient may be one with it
        }
        return Streams.runsAside(op) ? NODES_BESIDE : 0;
    }
}
