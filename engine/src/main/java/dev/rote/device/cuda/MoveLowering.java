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
            case Upsample ignored -> List.of(upsample(node));
            case Upsample.Backward ignored -> List.of(pool("upsample_backward", node, 2));
            case AveragePool op -> List.of(pool("average_pool", node, op.size()));
            case AveragePool.Backward op -> List.of(pool("average_pool_backward", node, op.size()));
            case Broadcast op -> List.of(broadcast(op, node));
            case Embedding ignored -> List.of(embedding(node));
            case Embedding.Backward op ->
                List.of(embedding("embedding_backward" + Names.type(node.input(0)), node, op.rows(), 1));
            default -> throw new AssertionError(node);
        };
    }

    /// Elements of one entry of the axis.
    private static long inner(Value value, int axis) {
        return value.shape().elements(axis + 1, value.shape().rank());
    }

    /// Bytes that one thread moves: 16 if addresses are aligned to that and the counts, in elements, are multiples of
    /// it, else one element.
    private int unit(Value x, Value y, long... counts) {
        int element = y.dtype().bytes();
        return Packing.fits(memory, List.of(x, y), counts) ? Packing.BYTES : element;
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
        Value y = to.value();
        int unit = unit(from.value(), y, from.stride(), from.first(), to.stride(), to.first(), width, copied);
        int each = unit / y.dtype().bytes();
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(from.value()))
                .pointer("y", memory.address(y))
                .i64("outer", outer)
                .i64("x_stride", from.stride() / each)
                .i64("y_stride", to.stride() / each)
                .i64("x_first", from.first() / each)
                .i64("y_first", to.first() / each)
                .i64("width", width / each)
                .i64("copied", copied / each)
                .i32("clear", clear ? 1 : 0);
        return KernelLaunch.perElement("copy_rows_" + unit, outer * width / each, arguments);
    }

    private KernelLaunch upsample(Node node) {
        Value y = node.output();
        int unit = unit(node.input(0), y, y.shape().last());
        return pixels("upsample_" + unit, node, 2, unit / y.dtype().bytes());
    }

    private KernelLaunch pool(String stem, Node node, int size) {
        Value y = node.output();
        boolean packed =
                Packing.fits(memory, List.of(node.input(0), y), y.shape().last());
        int each = packed ? Packing.BYTES / y.dtype().bytes() : 1;
        return pixels(stem + Names.type(y) + (packed ? "_packed" : ""), node, size, each);
    }

    /// @param each channels of one thread
    private KernelLaunch pixels(String kernel, Node node, int size, int each) {
        Value y = node.output();
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(node.input(0)))
                .pointer("y", memory.address(y))
                .i64("n", y.elements() / each)
                .i32("height", y.shape().dim(1))
                .i32("width", y.shape().dim(2))
                .i32("channels", y.shape().last() / each)
                .i32("size", size);
        return KernelLaunch.perElement(kernel, y.elements() / each, arguments);
    }

    private KernelLaunch broadcast(Broadcast op, Node node) {
        Shape shape = op.shape();
        long inner = shape.elements(op.end(), shape.rank());
        int unit = unit(node.input(0), node.output(), inner);
        int each = unit / node.output().dtype().bytes();
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(node.input(0)))
                .pointer("y", memory.address(node.output()))
                .i64("outer", shape.elements(0, op.begin()))
                .i64("repeats", shape.elements(op.begin(), op.end()))
                .i64("inner", inner / each);
        return KernelLaunch.perElement("broadcast_" + unit, shape.elements() / each, arguments);
    }

    private KernelLaunch embedding(Node node) {
        Value y = node.output();
        int unit = unit(node.input(0), y, y.shape().last());
        int rows = node.input(0).shape().dim(0);
        return embedding("embedding_" + unit, node, rows, unit / y.dtype().bytes());
    }

    /// @param each columns of one thread
    private KernelLaunch embedding(String kernel, Node node, int rows, int each) {
        Value index = node.input(1);
        Value y = node.output();
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(node.input(0)))
                .pointer("index", memory.address(index))
                .pointer("y", memory.address(y))
                .i64("count", index.elements())
                .i32("rows", rows)
                .i32("columns", y.shape().last() / each);
        return KernelLaunch.perElement(kernel, y.elements() / each, arguments);
    }
}
