package dev.rote.device.cuda;

import static dev.rote.device.cuda.Joining.*;

import dev.rote.graph.*;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Turns a node into launches: the exhaustive switch over [Op].
final class CudaLowering {
    private final ElementLowering elements;
    private final MatrixLowering matrices;
    private final ReductionLowering reductions;
    private final MoveLowering moves;
    private final RandomLowering draws;
    private final OptimizerLowering optimizers;
    private final GroupedLinear groups;
    private final Optional<VendorLowering> vendor;
    private final CudaMemory memory;
    private final boolean sm90;
    private final Set<Joining> taken = Joining.taken();

    CudaLowering(CudaMemory memory, TensorCores cores) {
        this(memory, cores, Optional.empty());
    }

    /// @param vendor is asked before our own kernels
    CudaLowering(CudaMemory memory, TensorCores cores, Optional<VendorLowering> vendor) {
        this.vendor = vendor;
        this.memory = memory;
        this.sm90 = cores.sm90();
        this.elements = new ElementLowering(memory);
        this.matrices = new MatrixLowering(memory, cores);
        this.reductions = new ReductionLowering(memory, cores);
        this.moves = new MoveLowering(memory);
        this.draws = new RandomLowering(memory);
        this.optimizers = new OptimizerLowering(memory);
        this.groups = new GroupedLinear(memory, cores.tf32());
    }

    /// The launches of a plan, in its order; some do the work of several nodes.
    List<Lowered> lower(List<Node> nodes) {
        List<Lowered> program = new ArrayList<>();
        int index = 0;
        while (index < nodes.size()) {
            Optional<GroupedLinear.Group> group = vendor.isPresent() ? Optional.empty() : groups.at(nodes, index);
            if (group.isPresent()) {
                program.addAll(group.get().lowered());
                index += group.get().nodes();
            } else {
                Node node = nodes.get(index);
                program.add(together(nodes.subList(index, nodes.size())).orElseGet(() -> alone(node)));
                index += program.getLast().nodes().size();
            }
        }
        return new LateSums(memory, reductions::parameterSums).joined(program);
    }

    private Lowered alone(Node node) {
        Optional<List<Launch>> theirs = vendor.flatMap(other -> other.lower(node));
        return new Lowered(List.of(node), theirs.isPresent() ? theirs.get() : lower(node));
    }

    /// The first few of the nodes as one.
    private Optional<Lowered> together(List<Node> nodes) {
        if (nodes.size() < 2) {
            return Optional.empty();
        }
        Node node = nodes.get(0);
        Node next = nodes.get(1);
        if (OptimizerLowering.joins(node, next)) {
            return Optional.of(new Lowered(List.of(node, next), optimizers.lower(node, next)));
        }
        if (vendor.isPresent()) { // whose results lie in memory first
            return Optional.empty();
        }
        return ATTENTION_BLOCK
                .of(taken, () -> attentionBlock(nodes))
                .or(() -> DRAWN_STEM.of(
                        taken, () -> DrawnStem.startingAt(nodes, memory).map(its -> its.lower(memory))))
                .or(() -> LOSS_HEAD.of(
                        taken, () -> LossHead.startingAt(nodes, memory).map(its -> its.lower(memory))))
                .or(() -> matrices.together(nodes))
                .or(() -> reductions.together(nodes));
    }

    private Optional<Lowered> attentionBlock(List<Node> nodes) {
        return sm90 ? AttentionBlock.startingAt(nodes, memory).map(its -> its.lower(memory)) : Optional.empty();
    }

    List<KernelLaunch> lower(Node node) {
        return switch (node.op()) {
            case Activation ignored -> elements.lower(node);
            case Activation.Backward ignored -> elements.lower(node);
            case Add ignored -> elements.lower(node);
            case AddChannels ignored -> elements.lower(node);
            case Cast ignored -> elements.lower(node);
            case Clamp ignored -> elements.lower(node);
            case Dropout ignored -> elements.lower(node);
            case Fill ignored -> elements.lower(node);
            case Mix ignored -> elements.lower(node);
            case Modulate ignored -> elements.lower(node);
            case Multiply ignored -> elements.lower(node);
            case Scale ignored -> elements.lower(node);
            case MeanSquaredError.Backward ignored -> elements.lower(node);

            case Conv2d ignored -> matrices.lower(node);
            case Conv2d.BackwardData ignored -> matrices.lower(node);
            case Conv2d.BackwardWeight ignored -> matrices.lower(node);
            case Linear ignored -> matrices.lower(node);
            case Linear.BackwardData ignored -> matrices.lower(node);
            case Linear.BackwardWeight ignored -> matrices.lower(node);
            case MatMul ignored -> matrices.lower(node);

            case Attention ignored -> reductions.lower(node);
            case Attention.Backward ignored -> reductions.lower(node);
            case CrossEntropy ignored -> reductions.lower(node);
            case CrossEntropy.Backward ignored -> reductions.lower(node);
            case GroupNorm ignored -> reductions.lower(node);
            case GroupNorm.Backward ignored -> reductions.lower(node);
            case LayerNorm ignored -> reductions.lower(node);
            case LayerNorm.Backward ignored -> reductions.lower(node);
            case MeanSquaredError ignored -> reductions.lower(node);
            case Modulate.Backward ignored -> reductions.lower(node);
            case Reduce ignored -> reductions.lower(node);
            case Softmax ignored -> reductions.lower(node);
            case Softmax.Backward ignored -> reductions.lower(node);

            case AveragePool ignored -> moves.lower(node);
            case AveragePool.Backward ignored -> moves.lower(node);
            case Broadcast ignored -> moves.lower(node);
            case Concat ignored -> moves.lower(node);
            case Embedding ignored -> moves.lower(node);
            case Embedding.Backward ignored -> moves.lower(node);
            case Slice ignored -> moves.lower(node);
            case Slice.Backward ignored -> moves.lower(node);
            case Upsample ignored -> moves.lower(node);
            case Upsample.Backward ignored -> moves.lower(node);

            case Batch ignored -> draws.lower(node);
            case RandomIndex ignored -> draws.lower(node);
            case RandomNormal ignored -> draws.lower(node);
            case SinusoidalEmbedding ignored -> draws.lower(node);

            case AdamUpdate ignored -> optimizers.lower(node);
            case Advance ignored -> optimizers.lower(node);
            case AllReduce ignored -> List.of(); // one lane
            case ClipScale ignored -> optimizers.lower(node);
            case EmaUpdate ignored -> optimizers.lower(node);
            case GlobalNorm ignored -> optimizers.lower(node);
            case LearningRate ignored -> optimizers.lower(node);
            case RecordValue ignored -> optimizers.lower(node);
            case SgdUpdate ignored -> optimizers.lower(node);
        };
    }
}
