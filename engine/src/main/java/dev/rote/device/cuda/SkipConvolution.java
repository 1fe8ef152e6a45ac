package dev.rote.device.cuda;

import dev.rote.graph.Add;
import dev.rote.graph.Conv2d;
import dev.rote.graph.Node;
import dev.rote.graph.Value;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The end of a residual block whose number of channels changes: a 1x1 convolution of the block's input, of one tensor
/// or of two side by side, then a 3x3 convolution, and their sum. To a kernel of compute capability 9.0 the channels of
/// the first are more columns of the second's sums, so that neither result lies in memory.
///
/// @param skip the 1x1 convolution
/// @param conv the 3x3 convolution behind it
/// @param add what reads both
record SkipConvolution(Node skip, Node conv, Node add) {
    private static final Conv2d POINTWISE = Conv2d.same(1);

    /// Whether a convolution of this kind may be the first of such nodes. What it reads must live on for the second.
    static boolean mayBegin(Conv2d op) {
        return op.reading(Conv2d.Input.PLAIN).equals(POINTWISE);
    }

    /// The first three of the nodes; empty if they are not that.
    static Optional<SkipConvolution> startingAt(List<Node> nodes, CudaMemory memory) {
        if (nodes.size() < 3
                || !(nodes.get(0).op() instanceof Conv2d first)
                || !mayBegin(first)
                || !(nodes.get(1).op() instanceof Conv2d second)
                || !second.equals(Conv2d.same(3))
                || !(nodes.get(2).op() instanceof Add)) {
            return Optional.empty();
        }
        SkipConvolution one = new SkipConvolution(nodes.get(0), nodes.get(1), nodes.get(2));
        boolean pointwise = one.filters().shape().elements(1, 3) == 1;
        return Addition.after(one.conv, one.add, memory)
                .filter(sum -> pointwise && sum.addend().unreshaped().equals(one.skip.output()))
                .filter(sum -> memory.isReadOnce(one.skip.output()))
                .filter(sum -> sum.isClear(memory, List.of(), one.reads(memory)))
                .map(sum -> one);
    }

    private List<Range> reads(CudaMemory memory) {
        return Stream.of(skip, conv)
                .flatMap(node -> node.inputs().stream())
                .map(memory::range)
                .toList();
    }

    private int sources() {
        return ((Conv2d) skip.op()).sources();
    }

    private Value filters() {
        return skip.input(sources());
    }

    /// The launch that does the work of the three; empty where the kernels do not take them.
    Optional<Lowered> lower(CudaMemory memory) {
        Value x = conv.input(0);
        Value w = conv.input(1);
        Value y = add.output();
        boolean bias = conv.inputs().size() == 3;
        Value second = sources() == 2 ? skip.input(1) : null;
        var its = new Sm90Convolution.Skip(
                skip.input(0).shape().last(),
                second == null ? 0 : second.shape().last(),
                memory.address(skip.input(0)),
                memory.addressOrNull(second),
                memory.address(filters()),
                skip.inputs().size() == sources() + 2
                        ? memory.address(skip.inputs().getLast())
                        : 0);
        boolean aligned =
                Packing.aligned(memory, List.of(x, w, y, skip.input(0), skip.input(sources() - 1), filters()));
        var at = new Sm90Convolution.Addresses(
                memory.address(x),
                memory.address(w),
                memory.address(y),
                bias ? memory.address(conv.input(2)) : 0,
                0,
                1,
                its);
        return Sm90Convolution.skipping(
                        (Conv2d) conv.op(),
                        w.shape(),
                        w.dtype(),
                        x.shape(),
                        y.shape().last(),
                        its)
                .filter(one -> aligned)
                .map(one -> one.forward((Conv2d) conv.op(), x.shape(), y.shape().last(), at))
                .map(launch -> new Lowered(List.of(skip, conv, add), List.of(launch)));
    }
}
