package dev.rote.device.cpu;

import dev.rote.graph.*;

/// Lowers the operations in which lanes meet.
final class CollectiveLowering {
    /// What lanes know of each other while they are lowered: the addresses of a node's values in every lane, and the
    /// partial sums of a norm.
    interface SharedState {
        long[] copies(int node, int input);

        double[] partials(int node, long elements);
    }

    private final Operands operands;
    private final CollectiveKernels collectives;
    private final SharedState shared;

    CollectiveLowering(Operands operands, CollectiveKernels collectives, SharedState shared) {
        this.operands = operands;
        this.collectives = collectives;
        this.shared = shared;
    }

    Kernel collective(Node node, int index) {
        return switch (node.op()) {
            case AllReduce ignored ->
                collectives.allReduce(shared.copies(index, 0), node.input(0).elements());
            case GlobalNorm ignored -> {
                long elements = node.input(0).elements();
                yield collectives.globalNorm(
                        operands.at(node.input(0)),
                        elements,
                        shared.partials(index, elements),
                        operands.at(node.output()));
            }
            case ClipScale op -> {
                long norm = operands.at(node.input(0));
                long y = operands.at(node.output());
                yield () -> {
                    float found = Memory.getFloat(norm);
                    Memory.setFloat(y, Float.isFinite(found) ? Math.min(1, op.limit() / (found + 1e-6f)) : Float.NaN);
                };
            }
            case Advance ignored -> collectives.advance(operands.at(node.input(0)));
            case RecordValue ignored ->
                collectives.record(
                        operands.at(node.input(0)),
                        operands.at(node.input(1)),
                        operands.at(node.input(2)),
                        Math.toIntExact(node.input(2).elements()));
            case SgdUpdate op -> collectives.sgd(op, buffers(node, 3), operands.at(node.input(2)));
            case AdamUpdate op ->
                collectives.adam(op, buffers(node, 4), operands.at(node.input(2)), operands.at(node.input(3)));
            case EmaUpdate op ->
                collectives.ema(
                        op,
                        operands.at(node.input(0)),
                        operands.at(node.input(1)),
                        operands.at(node.input(2)),
                        node.input(0).elements());
            default -> throw new AssertionError(node);
        };
    }

    /// @param scalars index of the first input behind the flat buffers
    private CollectiveKernels.Buffers buffers(Node node, int scalars) {
        boolean copied = node.inputs().size() > scalars + 3;
        return new CollectiveKernels.Buffers(
                node.input(0).elements(),
                operands.at(node.input(0)),
                operands.at(node.input(1)),
                operands.at(node.input(scalars)),
                operands.at(node.input(scalars + 1)),
                operands.at(node.input(scalars + 2)),
                copied ? operands.at(node.input(scalars + 3)) : 0);
    }
}
