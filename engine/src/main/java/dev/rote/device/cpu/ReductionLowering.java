package dev.rote.device.cpu;

import dev.rote.graph.*;
import java.util.List;

/// Lowers operations that sum over a part of a tensor: norms, attention, softmax, reductions.
final class ReductionLowering {
    private final Operands operands;

    ReductionLowering(Operands operands) {
        this.operands = operands;
    }

    Kernel norm(Node node) {
        Value out = node.output();
        List<Value> outputs = node.outputs();
        int columns = out.shape().last();
        int rowCount = Math.toIntExact(out.elements() / columns);
        return switch (node.op()) {
            case GroupNorm op -> {
                int gamma = node.inputs().size() - 2;
                Image x = Image.joined(node.inputs().subList(0, gamma), operands);
                yield x.before(new GroupNormKernels(op, out.shape())
                        .forward(
                                x.images(out, operands),
                                operands.at(node.input(gamma)),
                                operands.at(node.input(gamma + 1)),
                                operands.images(out),
                                operands.at(outputs.get(1)),
                                operands.at(outputs.get(2))));
            }
            case GroupNorm.Backward op -> {
                Value dy = node.input(0);
                int gamma = node.inputs().size() - 4;
                Image x = Image.joined(node.inputs().subList(1, gamma), operands);
                Image dx = Image.split(outputs.subList(0, gamma - 1), operands);
                long imageBytes = 4 * dy.elements() / dy.shape().dim(0);
                Kernel backward = new GroupNormKernels(op.forward(), dy.shape())
                        .backward(
                                operands.images(dy),
                                x.images(out, operands),
                                operands.at(node.input(gamma)),
                                operands.at(node.input(gamma + 1)),
                                operands.at(node.input(gamma + 2)),
                                operands.at(node.input(gamma + 3)),
                                dx.images(out, operands),
                                operands.at(outputs.get(gamma - 1)),
                                operands.at(outputs.get(gamma)),
                                operands.scratch().take(imageBytes));
                yield dx.after(x.before(backward));
            }
            case LayerNorm op ->
                ReduceKernels.layerNorm(
                        operands.rows(node.input(0)),
                        operands.at(node.input(1)),
                        operands.at(node.input(2)),
                        operands.rows(out),
                        operands.at(outputs.get(1)),
                        operands.at(outputs.get(2)),
                        op.eps(),
                        rowCount,
                        columns);
            case LayerNorm.Backward ignored ->
                ReduceKernels.layerNormBackward(
                        operands.rows(node.input(0)),
                        operands.rows(node.input(1)),
                        operands.at(node.input(2)),
                        operands.at(node.input(3)),
                        operands.at(node.input(4)),
                        operands.rows(out),
                        operands.at(outputs.get(1)),
                        operands.at(outputs.get(2)),
                        rowCount,
                        columns);
            default -> throw new AssertionError(node);
        };
    }

    Kernel attention(Node node) {
        return switch (node.op()) {
            case Attention op ->
                attention(node.output().shape(), op.heads())
                        .forward(
                                operands.images(node.input(0)),
                                operands.images(node.output()),
                                operands.at(node.outputs().get(1)));
            case Attention.Backward op ->
                attention(node.input(0).shape(), op.heads())
                        .backward(
                                operands.images(node.input(0)),
                                operands.images(node.input(1)),
                                operands.images(node.input(2)),
                                operands.at(node.input(3)),
                                operands.images(node.output()));
            default -> throw new AssertionError(node);
        };
    }

    /// @param y [N,T,heads*D]
    private static AttentionKernels attention(Shape y, int heads) {
        return new AttentionKernels(y.dim(0), y.dim(1), heads, y.dim(2) / heads);
    }

    Kernel reduction(Node node) {
        Value x = node.input(0);
        int columns = x.shape().last();
        int rowCount = Math.toIntExact(x.elements() / columns);
        return switch (node.op()) {
            case Softmax ignored ->
                ReduceKernels.softmax(operands.rows(x), operands.rows(node.output()), rowCount, columns);
            case Softmax.Backward ignored ->
                ReduceKernels.softmaxBackward(
                        operands.rows(x),
                        operands.rows(node.input(1)),
                        operands.rows(node.output()),
                        rowCount,
                        columns);
            case CrossEntropy op ->
                ReduceKernels.crossEntropy(
                        operands.rows(x),
                        operands.at(node.input(1)),
                        operands.at(node.output()),
                        op.weight(),
                        rowCount,
                        columns);
            case CrossEntropy.Backward op ->
                ReduceKernels.crossEntropyBackward(
                        operands.rows(x),
                        operands.at(node.input(1)),
                        operands.at(node.input(2)),
                        operands.rows(node.output()),
                        op.weight(),
                        rowCount,
                        columns);
            case Reduce op -> {
                int outer = Math.toIntExact(x.shape().elements(0, op.begin()));
                int reduced = Math.toIntExact(x.shape().elements(op.begin(), op.end()));
                int inner =
                        Math.toIntExact(x.shape().elements(op.end(), x.shape().rank()));
                double factor = op.kind() == Reduce.Kind.MEAN ? 1.0 / reduced : 1;
                yield ReduceKernels.reduce(
                        operands.stage(x, reduced * inner),
                        operands.whole(node.output()),
                        outer,
                        reduced,
                        inner,
                        factor);
            }
            default -> throw new AssertionError(node);
        };
    }
}
