package dev.rote.device.cuda;

import dev.rote.graph.*;
import java.util.List;

/// Lowers operations on the rows of the innermost dimension, to `softmax.cu` and `cross_entropy.cu`.
final class RowLowering {
    /// Columns up to which a warp takes a row, as `rows.cuh` says.
    private static final int WARP_COLUMNS = 1024;

    private static final int THREADS = 256;

    private final CudaMemory memory;

    RowLowering(CudaMemory memory) {
        this.memory = memory;
    }

    /// One launch over rows: a row by a warp or by a block.
    static KernelLaunch launch(String kernel, Value x, Arguments arguments) {
        int columns = x.shape().last();
        long rows = x.elements() / columns;
        boolean byWarp = columns <= WARP_COLUMNS;
        int blocks = Math.toIntExact(byWarp ? Math.ceilDiv(rows, THREADS / 32) : rows);
        return KernelLaunch.blocks(kernel + Names.type(x) + (byWarp ? "_warp" : ""), blocks, THREADS, arguments);
    }

    List<KernelLaunch> softmax(Node node) {
        Value x = node.input(0);
        return List.of(launch("softmax", x, softmaxArguments(x, 0, node.output())));
    }

    List<KernelLaunch> softmaxBackward(Node node) {
        Value dy = node.input(0);
        Value y = node.input(1);
        Names.requireOneType(node, dy, y);
        return List.of(launch("softmax_backward", y, softmaxArguments(y, memory.address(dy), node.output())));
    }

    private Arguments softmaxArguments(Value x, long dy, Value y) {
        return new Arguments()
                .pointer("x", memory.address(x))
                .pointer("dy", dy)
                .pointer("y", memory.address(y))
                .i64("rows", x.elements() / x.shape().last())
                .i32("columns", x.shape().last());
    }

    List<KernelLaunch> crossEntropy(CrossEntropy op, Node node) {
        Value logits = node.input(0);
        long losses = memory.workspace(node);
        int rows = logits.shape().dim(0);
        Sum sum = new Sum(1, rows, 1, rows);
        var weight = new Sum.Factor(op.weight(), 1);
        return List.of(
                launch("cross_entropy", logits, crossEntropyArguments(node, 0, losses, op.weight())),
                sum.launch("reduce_f32", losses, 0, memory.address(node.output()), weight));
    }

    List<KernelLaunch> crossEntropyBackward(CrossEntropy.Backward op, Node node) {
        long dloss = memory.address(node.input(2));
        Arguments arguments = crossEntropyArguments(node, dloss, memory.address(node.output()), op.weight());
        return List.of(launch("cross_entropy_backward", node.input(0), arguments));
    }

    private Arguments crossEntropyArguments(Node node, long dloss, long y, float weight) {
        Value logits = node.input(0);
        return new Arguments()
                .pointer("logits", memory.address(logits))
                .pointer("label", memory.address(node.input(1)))
                .pointer("dloss", dloss)
                .pointer("y", y)
                .i64("rows", logits.shape().dim(0))
                .i32("columns", logits.shape().last())
                .f32("weight", weight);
    }
}
