package dev.rote.device.cuda;

import dev.rote.graph.*;
import java.util.List;
import java.util.Optional;

/// Lowers operations that sum over a part of a tensor: sends them on by family, and knows their scratch memory.
final class ReductionLowering {
    private final NormLowering norms;
    private final AttentionLowering attentions;
    private final RowLowering rows;
    private final SumLowering sums;

    ReductionLowering(CudaMemory memory, TensorCores cores) {
        this.norms = new NormLowering(memory);
        this.attentions = new AttentionLowering(memory, cores);
        this.rows = new RowLowering(memory);
        this.sums = new SumLowering(memory);
    }

    /// The first few of the nodes as one, where there is a kernel for them.
    Optional<Lowered> together(List<Node> nodes) {
        return norms.together(nodes);
    }

    /// What the last launch of a node sums, if it may wait.
    Optional<ParameterSums> parameterSums(Node node) {
        return norms.parameterSums(node);
    }

    List<KernelLaunch> lower(Node node) {
        return switch (node.op()) {
            case GroupNorm ignored -> norms.groupNorm(node);
            case GroupNorm.Backward ignored -> norms.groupNormBackward(node);
            case LayerNorm op -> norms.layerNorm(op, node);
            case LayerNorm.Backward ignored -> norms.layerNormBackward(node);
            case Attention op -> attentions.forward(op.heads(), node);
            case Attention.Backward op -> attentions.backward(op.heads(), node);
            case Softmax ignored -> rows.softmax(node);
            case Softmax.Backward ignored -> rows.softmaxBackward(node);
            case CrossEntropy op -> rows.crossEntropy(op, node);
            case CrossEntropy.Backward op -> rows.crossEntropyBackward(op, node);
            case Reduce op -> sums.reduce(op, node);
            case MeanSquaredError op -> sums.squaredError(op, node);
            case Modulate.Backward ignored -> sums.modulateBackward(node);
            default -> throw new AssertionError(node);
        };
    }

    /// Scratch bytes of an operation that [#lower] takes; 0 for every other.
    static long workspaceBytes(Op op, List<TensorType> inputs) {
        if (inputs.isEmpty()) {
            return 0; // a Fill
        }
        Shape shape = inputs.getFirst().shape();
        return switch (op) {
            case GroupNorm.Backward ignored -> 8L * shape.dim(0) * shape.last();
            case LayerNorm.Backward ignored -> 8L * NormLowering.rowChunks(shape) * shape.last();
            case Attention.Backward backward -> 4L * shape.dim(0) * backward.heads() * shape.dim(1);
            case CrossEntropy ignored -> 4L * shape.dim(0);
            case Reduce reduce -> Sum.of(shape, reduce.begin(), reduce.end()).workspaceBytes();
            case MeanSquaredError ignored ->
                Math.max(8L * Sum.ofAll(shape.elements()).chunks(), LossHead.workspaceBytes(inputs.getFirst()));
            default -> 0;
        };
    }
}
