package dev.rote.device.cuda;

import dev.rote.graph.Cast;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Fill;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.Node;
import dev.rote.graph.Op;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The end of a network and the beginning of its gradient: a 3x3 convolution to one channel, the squared error of its
/// result, and the gradient of that: one launch, and a second one that adds up the errors of its blocks.
record LossHead(Node conv, Node wide, Node loss, Node seed, Node slope, Node narrow, TapsHead head) {
    private static final List<Class<? extends Op>> OPS = List.of(
            Conv2d.class, Cast.class, MeanSquaredError.class, Fill.class, MeanSquaredError.Backward.class, Cast.class);

    /// The first six of the nodes; empty if they are not that.
    static Optional<LossHead> startingAt(List<Node> nodes, CudaMemory memory) {
        boolean alike = nodes.size() >= OPS.size()
                && IntStream.range(0, OPS.size())
                        .allMatch(i -> OPS.get(i).isInstance(nodes.get(i).op()));
        if (!alike || ((Conv2d) nodes.getFirst().op()).input() != Conv2d.Input.PLAIN) {
            return Optional.empty();
        }
        Node conv = nodes.get(0);
        Value w = conv.input(1);
        return TapsHead.of(
                        (Conv2d) conv.op(), w.shape(), w.dtype(), conv.input(0).shape())
                .map(head ->
                        new LossHead(conv, nodes.get(1), nodes.get(2), nodes.get(3), nodes.get(4), nodes.get(5), head))
                .filter(all -> all.follow(memory) && all.isClear(memory));
    }

    /// Whether each reads the one before, and nobody else does.
    private boolean follow(CudaMemory memory) {
        Value prediction = wide.output();
        float weight = ((MeanSquaredError) loss.op()).weight();
        boolean squares = prediction.dtype() == DType.F32
                && slope.op().equals(new MeanSquaredError.Backward(weight))
                && loss.input(0).equals(prediction)
                && slope.input(0).equals(prediction)
                && loss.input(1).dtype() == DType.F32
                && slope.input(1).equals(loss.input(1))
                && slope.input(2).equals(seed.output());
        return squares
                && wide.input(0).equals(conv.output())
                && narrow.input(0).equals(slope.output())
                && narrow.output().dtype() == DType.BF16
                && memory.isReadOnce(conv.output())
                && memory.isRead(prediction, 2)
                && memory.isReadOnce(seed.output())
                && memory.isReadOnce(slope.output());
    }

    private boolean isClear(CudaMemory memory) {
        Range partial = memory.workspaceRange(loss);
        List<Range> to = List.of(memory.range(narrow.output()), memory.range(loss.output()), partial);
        List<Range> from = Stream.concat(conv.inputs().stream(), Stream.of(loss.input(1)))
                .map(memory::range)
                .toList();
        return Range.areApart(to)
                && !Range.anyOverlap(to, from)
                && Packing.aligned(memory, List.of(conv.input(0), conv.input(1), narrow.output()))
                && partial.end() - partial.from() >= 8L * head.pieces();
    }

    /// What the error's scratch memory is to hold where it may be that of such nodes.
    ///
    /// @param prediction [N,H,W,1]
    static long workspaceBytes(TensorType prediction) {
        boolean image = prediction.shape().rank() == 4 && prediction.shape().last() == 1;
        return image && TapsHead.fits(prediction.shape()) ? 8L * new TapsHead(prediction.shape()).pieces() : 0;
    }

    Lowered lower(CudaMemory memory) {
        MeanSquaredError error = (MeanSquaredError) loss.op();
        float dloss = ((Fill) seed.op()).number();
        long partial = memory.workspace(loss);
        var at = new TapsHead.Addresses(
                memory.address(conv.input(0)),
                memory.address(conv.input(1)),
                conv.inputs().size() == 3 ? memory.address(conv.input(2)) : 0,
                memory.address(narrow.output()));
        KernelLaunch first = head.launch(at, memory.address(loss.input(1)), partial, 2 * error.weight() * dloss);
        Sum pieces = new Sum(1, head.pieces(), 1, head.pieces());
        KernelLaunch total = pieces.launch(
                "reduce_total_f32", partial, 0, memory.address(loss.output()), new Sum.Factor(error.weight(), 1));
        return new Lowered(List.of(conv, wide, loss, seed, slope, narrow), List.of(first, total));
    }
}
