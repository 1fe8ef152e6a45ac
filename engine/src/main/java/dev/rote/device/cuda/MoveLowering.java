package dev.rote.device.cuda;

import dev.rote.graph.*;
import java.util.ArrayList;
import java.util.List;

/// Lowers operations that move data, to `move.cu`.
final class MoveLowering {
    private final CudaMemory memory;

    MoveLowering(CudaMemory memory) {
        this.memory = memory;
    }

    List<KernelLaunch> lower(Node node) {
        return switch (node.op()) {
            case Concat op -> concat(op, node);
            case Slice op -> {
                long inner = inner(node.input(0), op.axis());
                long outer = node.input(0).shape().elements(0, op.axis());
                Rows from = new Rows(node.input(0), node.input(0).shape().dim(op.axis()) * inner, op.begin() * inner);
                Rows to = new Rows(node.output(), op.size() * inner, 0);
                yield List.of(rows(from, to, outer, op.size() * inner, false));
            }
            case Slice.Backward op -> {
                long inner = inner(node.input(0), op.axis());
                long outer = node.input(0).shape().elements(0, op.axis());
                long copied = node.input(0).shape().dim(op.axis()) * inner;
                Rows from = new Rows(node.input(0), copied, 0);
                Rows to = new Rows(node.output(), op.extent() * inner, op.begin() * inner);
                yield List.of(rows(from, to, outer, copied, true));
            }
            case Upsample ignored -> List.of(pool("upsample" + unit(node.output()), node, node.output(), 2));
            case Upsample.Backward ignored ->
                List.of(pool("upsample_backward" + Names.type(node.output()), node, node.output(), 2));
            case AveragePool op ->
                List.of(pool("average_pool" + Names.type(node.output()), node, node.output(), op.size()));
            case AveragePool.Backward op ->
                List.of(pool("average_pool_backward" + Names.type(node.output()), node, node.output(), op.size()));
            case Broadcast op -> List.of(broadcast(op, node));
            case Embedding ignored ->
                List.of(embedding(
                        "embedding" + unit(node.output()),
                        node,
                        node.input(0).shape().dim(0),
                        node.output()));
            case Embedding.Backward op ->
                List.of(embedding("embedding_backward" + Names.type(node.input(0)), node, op.rows(), node.output()));
            default -> throw new AssertionError(node);
        };
    }

    /// Elements of one entry of the axis.
    private static long inner(Value value, int axis) {
        return value.shape().elements(axis + 1, value.shape().rank());
    }

    /// Kernels that only move bytes come in unit sizes.
    private static String unit(Value value) {
        return "_" + value.dtype().bytes();
    }

    /// Part of a tensor: consecutive elements, from `first`, of every stretch of `stride` elements.
    private record Rows(Value value, long stride, long first) {}

    private List<KernelLaunch> concat(Concat op, Node node) {
        Value y = node.output();
        long inner = inner(y, op.axis());
        long stride = y.shape().dim(op.axis()) * inner;
        List<KernelLaunch> launches = new ArrayList<>();
        long first = 0;
        for (Value part : node.inputs()) {
            long width = part.shape().dim(op.axis()) * inner;
            long outer = part.shape().elements(0, op.axis());
            launches.add(rows(new Rows(part, width, 0), new Rows(y, stride, first), outer, width, false));
            first += width;
        }
        return launches;
    }

    private KernelLaunch rows(Rows from, Rows to, long outer, long copied, boolean clear) {
        long width = clear ? to.stride() : copied;
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(from.value()))
                .pointer("y", memory.address(to.value()))
                .i64("outer", outer)
                .i64("x_stride", from.stride())
                .i64("y_stride", to.stride())
                .i64("x_first", from.first())
                .i64("y_first", to.first())
                .i64("width", width)
                .i64("copied", copied)
                .i32("clear", clear ? 1 : 0);
        return KernelLaunch.perElement("copy_rows" + unit(to.value()), outer * width, arguments);
    }

    private KernelLaunch pool(String kernel, Node node, Value y, int size) {
        Shape shape = y.shape();
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(node.input(0)))
                .pointer("y", memory.address(y))
                .i64("n", y.elements())
                .i32("height", shape.dim(1))
                .i32("width", shape.dim(2))
                .i32("channels", shape.dim(3))
                .i32("size", size);
        return KernelLaunch.perElement(kernel, y.elements(), arguments);
    }

    private KernelLaunch broadcast(Broadcast op, Node node) {
        Shape shape = op.shape();
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(node.input(0)))
                .pointer("y", memory.address(node.output()))
                .i64("outer", shape.elements(0, op.begin()))
                .i64("repeats", shape.elements(op.begin(), op.end()))
                .i64("inner", shape.elements(op.end(), shape.rank()));
        return KernelLaunch.perElement("broadcast" + unit(node.output()), shape.elements(), arguments);
    }

    private KernelLaunch embedding(String kernel, Node node, int rows, Value y) {
        Value index = node.input(1);
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(node.input(0)))
                .pointer("index", memory.address(index))
                .pointer("y", memory.address(y))
                .i64("count", index.elements())
                .i32("rows", rows)
                .i32("columns", y.shape().last());
        return KernelLaunch.perElement(kernel, y.elements(), arguments);
    }
}
