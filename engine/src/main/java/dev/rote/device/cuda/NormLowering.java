package dev.rote.device.cuda;

import dev.rote.graph.*;
import dev.rote.random.Bernoulli;
import java.util.List;
import java.util.Optional;

/// Lowers normalisations, to `group_norm.cu`, `group_norm_warps.cu` and their `_backward`, `layer_norm.cu` and
/// `norm_parameters.cu`.
final class NormLowering {
    /// Chunks of rows over which a layer norm's parameter gradients are summed first: enough blocks for a large GPU.
    private static final int MOST_CHUNKS = 256;
    /// Rows of a chunk at least: 8 for each of the 8 rows that a block reads at a time.
    private static final int CHUNK_ROWS = 64;

    /// Values of a group that the kernels in `_runs` take together.
    private static final int RUN = 4;

    private final CudaMemory memory;

    NormLowering(CudaMemory memory) {
        this.memory = memory;
    }

    /// A norm or its gradient and the nodes about it in the launches of the one; empty where the first of the nodes
    /// begins no such run.
    Optional<Lowered> together(List<Node> nodes) {
        return NormRun.startingAt(nodes, memory).stream()
                .filter(run -> run.nodes().size() > 1 && isTaken(run) && run.isClear(memory))
                .findFirst()
                .map(run -> new Lowered(
                        run.nodes(), run.norm().op() instanceof GroupNorm ? groupNorm(run) : groupNormBackward(run)));
    }

    /// Only the kernels in warps take a dropout, and some of these sum dx over the pixels.
    private boolean isTaken(NormRun run) {
        Optional<WarpSlice> warps = warps(run.norm());
        boolean dropped = run.dropout() == null || warps.isPresent();
        boolean summed = run.totals() == null
                || warps.filter(WarpSlice::sumsPixels).isPresent()
                        && memory.address(run.totals().output()) % Packing.BYTES == 0;
        return dropped && summed;
    }

    List<KernelLaunch> groupNorm(Node node) {
        return groupNorm(NormRun.of(node));
    }

    private List<KernelLaunch> groupNorm(NormRun run) {
        Node node = run.norm();
        GroupNorm op = (GroupNorm) node.op();
        int gamma = node.inputs().size() - 2;
        boolean joined = gamma == 2;
        Value x = node.input(0);
        TensorType whole = node.output().type();
        GroupSlice slice = slice(whole, x, op, 1);
        Optional<WarpSlice> warps = warps(node);
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(x))
                .pointer("gamma", memory.address(node.input(gamma)))
                .pointer("beta", memory.address(node.input(gamma + 1)))
                .pointer("y", memory.address(run.y()))
                .pointer("mean", memory.address(node.outputs().get(1)))
                .pointer("rstd", memory.address(node.outputs().get(2)))
                .i64("pixels", slice.pixels())
                .i32("channels", slice.channels())
                .i32("groups", op.groups())
                .i32("per_group", slice.channels() / op.groups())
                .i32("slice", warps.map(WarpSlice::width).orElse(slice.width()))
                .i32("silu", op.silu() ? 1 : 0)
                .f32("eps", op.eps())
                .i32("first", x.shape().last())
                .pointer("x2", joined ? memory.address(node.input(1)) : 0);
        drop(run.dropout(), arguments);
        arguments
                .i32("images", x.shape().dim(0))
                .i32("stages", warps.map(WarpSlice::stages).orElse(1))
                .i32("rounds", warps.map(WarpSlice::rounds).orElse(0))
                .i32("ahead", warps.map(WarpSlice::ahead).orElse(0));
        if (warps.isPresent()) {
            return List.of(warps.get().launch(arguments, ""));
        }
        String type = Names.type(x);
        return List.of(
                slice.kind() == GroupSlice.Kind.ANY
                        ? KernelLaunch.blocks("group_norm_any" + type, groups(x, op), 256, arguments)
                        : slice.launch("group_norm" + type, "", arguments));
    }

    /// The fields of a dropout of channels, null for none.
    private void drop(Node dropout, Arguments arguments) {
        Dropout op = dropout == null ? null : (Dropout) dropout.op();
        arguments
                .pointer("step", op == null ? 0 : memory.address(dropout.input(1)))
                .i64(
                        "first_word",
                        op == null
                                ? 0
                                : op.firstImage() * dropout.output().shape().last())
                .i64("seed", op == null ? 0 : op.seed())
                .i32("purpose", op == null ? 0 : op.purpose())
                .i32("threshold", op == null ? 0 : Bernoulli.threshold(op.rate()))
                .f32("kept", op == null ? 1 : 1 / (1 - op.rate()));
    }

    /// The slice of the kernels in warps, if they take the norm or its gradient.
    private Optional<WarpSlice> warps(Node norm) {
        boolean backward = norm.op() instanceof GroupNorm.Backward;
        GroupNorm op = norm.op() instanceof GroupNorm.Backward of ? of.forward() : (GroupNorm) norm.op();
        TensorType whole = (backward ? norm.input(0) : norm.output()).type();
        int gamma = norm.inputs().size() - (backward ? 4 : 2);
        boolean packed = isPacked(whole, norm.input(backward ? 1 : 0))
                && Packing.aligned(memory, norm.inputs().subList(gamma, gamma + 2));
        return packed ? WarpSlice.of(whole, op.groups(), backward) : Optional.empty();
    }

    /// @param x the tensor, or the first of two side by side; a vector of channels must lie in one of them
    private static boolean isPacked(TensorType whole, Value x) {
        return x.type().equals(whole) || x.shape().last() * x.dtype().bytes() % Packing.BYTES == 0;
    }

    private static GroupSlice slice(TensorType whole, Value x, GroupNorm op, int tensors) {
        return isPacked(whole, x) ? GroupSlice.of(whole, op.groups(), tensors) : GroupSlice.any(whole, tensors);
    }

    /// Groups of all images.
    private static int groups(Value x, GroupNorm op) {
        return Math.multiplyExact(x.shape().dim(0), op.groups());
    }

    List<KernelLaunch> groupNormBackward(Node node) {
        return groupNormBackward(NormRun.of(node));
    }

    private List<KernelLaunch> groupNormBackward(NormRun run) {
        Node node = run.norm();
        GroupNorm op = ((GroupNorm.Backward) node.op()).forward();
        int gamma = node.inputs().size() - 4;
        boolean joined = gamma == 3;
        Value x = node.input(1);
        Names.requireOneType(node, node.input(0), x);
        TensorType whole = node.input(0).type();
        GroupSlice slice = slice(whole, x, op, 2);
        Optional<WarpSlice> warps = warps(node);
        int images = x.shape().dim(0);
        Arguments arguments = new Arguments()
                .pointer("dy", memory.address(run.dy()))
                .pointer("x", memory.address(x))
                .pointer("gamma", memory.address(node.input(gamma)))
                .pointer("beta", memory.address(node.input(gamma + 1)))
                .pointer("mean", memory.address(node.input(gamma + 2)))
                .pointer("rstd", memory.address(node.input(gamma + 3)))
                .pointer("addend", memory.addressOrNull(run.addend(0)))
                .pointer("dx", memory.address(run.dx(0)))
                .pointer("sums", memory.workspace(node))
                .i64("images", images)
                .i64("pixels", slice.pixels())
                .i32("channels", slice.channels())
                .i32("groups", op.groups())
                .i32("per_group", slice.channels() / op.groups())
                .i32("slice", warps.map(WarpSlice::width).orElse(slice.width()))
                .i32("silu", op.silu() ? 1 : 0)
                .i32("first", x.shape().last())
                .pointer("x2", joined ? memory.address(node.input(2)) : 0)
                .pointer("dx2", joined ? memory.address(run.dx(1)) : 0)
                .pointer("addend2", joined ? memory.addressOrNull(run.addend(1)) : 0);
        drop(run.dropout(), arguments);
        arguments
                .pointer(
                        "totals",
                        run.totals() == null ? 0 : memory.address(run.totals().output()))
                .i32("rounds", warps.map(WarpSlice::rounds).orElse(0))
                .i32("ahead", warps.map(WarpSlice::ahead).orElse(0));
        KernelLaunch parameters = parameters(node);
        if (warps.isPresent()) {
            return List.of(warps.get().gradient(arguments, run), parameters);
        }
        String type = Names.type(x);
        if (slice.kind() != GroupSlice.Kind.ANY) {
            boolean runs = x.dtype() == DType.BF16 && slice.channels() / op.groups() % RUN == 0;
            return List.of(slice.launch("group_norm_backward" + type, runs ? "_runs" : "", arguments), parameters);
        }
        int tiles = Math.multiplyExact(images, Math.ceilDiv(slice.channels(), 32));
        return List.of(
                KernelLaunch.blocks("group_norm_backward_sums" + type, tiles, 256, arguments),
                KernelLaunch.blocks("group_norm_backward_any" + type, groups(x, op), 256, arguments),
                parameters);
    }

    /// What the last launch of a norm's gradient sums; empty for other nodes.
    Optional<ParameterSums> parameterSums(Node node) {
        return switch (node.op()) {
            case GroupNorm.Backward ignored ->
                Optional.of(parameterSums(node, node.input(0).shape().dim(0)));
            case LayerNorm.Backward ignored ->
                Optional.of(parameterSums(node, rowChunks(node.input(0).shape())));
            default -> Optional.empty();
        };
    }

    private ParameterSums parameterSums(Node node, int rows) {
        List<Value> outputs = node.outputs();
        return new ParameterSums(memory.workspaceRange(node), rows, outputs.get(outputs.size() - 2), outputs.getLast());
    }

    private KernelLaunch parameters(Node node) {
        return ParameterSums.together(List.of(parameterSums(node).orElseThrow()), memory);
    }

    List<KernelLaunch> layerNorm(LayerNorm op, Node node) {
        Value x = node.input(0);
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(x))
                .pointer("gamma", memory.address(node.input(1)))
                .pointer("beta", memory.address(node.input(2)))
                .pointer("y", memory.address(node.output()))
                .pointer("mean", memory.address(node.outputs().get(1)))
                .pointer("rstd", memory.address(node.outputs().get(2)))
                .i64("rows", x.elements() / x.shape().last())
                .i32("columns", x.shape().last())
                .f32("eps", op.eps());
        return List.of(RowLowering.launch("layer_norm", x, arguments));
    }

    static int rowChunks(Shape x) {
        long rows = x.elements() / x.last();
        return (int) Math.ceilDiv(rows, chunkRows(rows));
    }

    private static long chunkRows(long rows) {
        return Math.max(CHUNK_ROWS, Math.ceilDiv(rows, MOST_CHUNKS));
    }

    List<KernelLaunch> layerNormBackward(Node node) {
        Value x = node.input(1);
        Names.requireOneType(node, node.input(0), x);
        int columns = x.shape().last();
        long rows = x.elements() / columns;
        int chunks = rowChunks(x.shape());
        Arguments arguments = new Arguments()
                .pointer("dy", memory.address(node.input(0)))
                .pointer("x", memory.address(x))
                .pointer("gamma", memory.address(node.input(2)))
                .pointer("mean", memory.address(node.input(3)))
                .pointer("rstd", memory.address(node.input(4)))
                .pointer("dx", memory.address(node.output()))
                .pointer("sums", memory.workspace(node))
                .i64("rows", rows)
                .i64("chunk", chunkRows(rows))
                .i32("chunks", chunks)
                .i32("columns", columns);
        int tiles = Math.multiplyExact(chunks, Math.ceilDiv(columns, 32));
        return List.of(
                KernelLaunch.blocks("layer_norm_backward_sums" + Names.type(x), tiles, 256, arguments),
                RowLowering.launch("layer_norm_backward", x, arguments),
                parameters(node));
    }
}
