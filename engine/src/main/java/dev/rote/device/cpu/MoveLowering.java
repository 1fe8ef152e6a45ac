package dev.rote.device.cpu;

import dev.rote.graph.*;

/// Lowers operations that move data.
final class MoveLowering {
    private final Operands operands;

    MoveLowering(Operands operands) {
        this.operands = operands;
    }

    Kernel move(Node node) {
        Value x = node.inputs().isEmpty() ? null : node.input(0);
        Value y = node.output();
        Shape in = x.shape();
        int bytes = x.dtype().bytes();
        return switch (node.op()) {
            case Concat op -> {
                long outer = in.elements(0, op.axis());
                long[] from = node.inputs().stream().mapToLong(operands::at).toArray();
                int[] widths = node.inputs().stream()
                        .mapToInt(part -> Math.toIntExact(part.elements() / outer * bytes))
                        .toArray();
                yield MoveKernels.concat(from, widths, operands.at(y), outer);
            }
            case Slice op -> {
                int inner = rowBytes(in, op.axis(), bytes);
                yield MoveKernels.slice(
                        operands.at(x),
                        in.dim(op.axis()) * inner,
                        op.begin() * inner,
                        operands.at(y),
                        op.size() * inner,
                        in.elements(0, op.axis()));
            }
            case Slice.Backward op -> {
                int inner = rowBytes(in, op.axis(), bytes);
                yield MoveKernels.sliceBackward(
                        operands.at(x),
                        in.dim(op.axis()) * inner,
                        operands.at(y),
                        op.extent() * inner,
                        op.begin() * inner,
                        in.elements(0, op.axis()));
            }
            case Upsample ignored ->
                MoveKernels.upsample(
                        operands.at(x), operands.at(y), in.dim(0) * in.dim(1), in.dim(2), in.dim(3) * bytes);
            case Upsample.Backward ignored -> {
                Shape out = y.shape();
                yield MoveKernels.upsampleBackward(
                        operands.images(x), operands.images(y), out.dim(0), out.dim(1), out.dim(2), out.dim(3));
            }
            case AveragePool op -> {
                Shape out = y.shape();
                yield MoveKernels.averagePool(
                        operands.images(x),
                        operands.images(y),
                        out.dim(0),
                        out.dim(1),
                        out.dim(2),
                        out.dim(3),
                        op.size());
            }
            case AveragePool.Backward op ->
                MoveKernels.averagePoolBackward(
                        operands.images(x), operands.images(y), in.dim(0), in.dim(1), in.dim(2), in.dim(3), op.size());
            case Broadcast op -> {
                Shape out = op.shape();
                int inner = Math.toIntExact(out.elements(op.end(), out.rank()) * bytes);
                yield MoveKernels.broadcast(
                        operands.at(x),
                        operands.at(y),
                        out.elements(0, op.begin()),
                        out.elements(op.begin(), op.end()),
                        inner);
            }
            case Embedding ignored ->
                MoveKernels.embedding(
                        node.op().label(),
                        operands.at(x),
                        in.dim(0),
                        operands.at(node.input(1)),
                        operands.at(y),
                        y.shape().dim(0),
                        in.last() * bytes);
            case Embedding.Backward op ->
                MoveKernels.embeddingBackward(
                        operands.images(x),
                        operands.at(node.input(1)),
                        operands.at(y),
                        op.rows(),
                        in.dim(0),
                        in.last());
            default -> throw new AssertionError(node);
        };
    }

    private static int rowBytes(Shape shape, int axis, int bytes) {
        return Math.toIntExact(shape.elements(axis + 1, shape.rank()) * bytes);
    }
}
