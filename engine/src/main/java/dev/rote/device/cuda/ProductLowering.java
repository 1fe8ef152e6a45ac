package dev.rote.device.cuda;

import dev.rote.graph.DType;
import dev.rote.graph.MatMul;
import dev.rote.graph.Node;
import dev.rote.graph.Shape;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Lowers matrix products and linear layers to `matmul.cu`.
final class ProductLowering {
    /// As `sum_splits_few` takes them; it is for results whose threads, of four values each, fill a device.
    private static final int FEW_SPLITS = 8;
    private static final int FOUR = 4;
    private static final int MANY_VALUES = 1 << 17;

    private final CudaMemory memory;
    private final boolean tf32;
    private final boolean sm90;

    ProductLowering(CudaMemory memory, TensorCores cores) {
        this.memory = memory;
        this.tf32 = cores.tf32();
        this.sm90 = cores.sm90();
    }

    /// An operand of a product: rows of A or columns of B, and the depth; one of the two is fastest.
    ///
    /// @param batchStride values from one matrix to the next
    private record Operand(long address, DType type, int outers, int depths, boolean depthFast, long batchStride) {
        long outerStride() {
            return depthFast ? depths : 1;
        }

        long depthStride() {
            return depthFast ? 1 : outers;
        }

        boolean aligned() {
            return MatrixLowering.alignedRows(address, depthFast ? depths : outers, type);
        }
    }

    private Operand operand(Value value, long outers, long depths, boolean depthFast) {
        return new Operand(
                memory.address(value),
                value.dtype(),
                MatrixLowering.extent("rows", outers),
                MatrixLowering.extent("the length of a sum", depths),
                depthFast,
                outers * depths);
    }

    private static long rows(Value value) {
        return value.elements() / value.shape().last();
    }

    private boolean tensor(Operand left, Operand right) {
        return MatrixLowering.onTensorCores(left.type(), tf32) && left.aligned() && right.aligned();
    }

    /// The layer for compute capability 9.0, of values or their gradients; empty where another kernel is to take it.
    private Optional<Sm90Linear> sm90(Value x, Value w, Value y) {
        if (!sm90 || x.dtype() != DType.BF16 || y.dtype() != DType.BF16) {
            return Optional.empty();
        }
        int channels = x.shape().last();
        int rows = MatrixLowering.extent("rows", rows(x));
        long atX = memory.address(x);
        return Optional.of(new Sm90Linear(
                rows, channels, channels, y.shape().last(), atX, atX, memory.address(w), memory.address(y)));
    }

    /// A linear layer and the addition of something to its result in one launch; empty where these nodes are not that,
    /// or no kernel does it.
    Optional<List<KernelLaunch>> together(Node node, Node next) {
        List<Range> reads = node.inputs().stream().map(memory::range).toList();
        return Addition.after(node, next, memory)
                .filter(add -> add.sharing() == 1 && add.isClear(memory, List.of(), reads))
                .filter(add -> memory.address(add.addend()) % Packing.BYTES == 0)
                .flatMap(add -> sm90(node.input(0), node.input(1), node.output())
                        .map(layer -> layer.writing(memory.address(add.sum())))
                        .flatMap(layer -> layer.forward(bias(node), memory.address(add.addend()))))
                .map(List::of);
    }

    private long bias(Node node) {
        return node.inputs().size() == 3 ? memory.address(node.input(2)) : 0;
    }

    /// x [...,C], w [K,...] with C values each, maybe bias [K]; y [...,K].
    List<KernelLaunch> linear(Node node) {
        Value x = node.input(0);
        int channels = x.shape().last();
        long added = bias(node);
        Optional<KernelLaunch> one = sm90(x, node.input(1), node.output()).flatMap(layer -> layer.forward(added, 0));
        if (one.isPresent()) {
            return List.of(one.get());
        }
        Operand left = operand(x, rows(x), channels, true);
        Operand right = operand(node.input(1), node.input(1).shape().dim(0), channels, true);
        return List.of(product(left, right, 1, memory.address(node.output()), added));
    }

    /// dy [...,K], w [K,...]; dx [...,C].
    List<KernelLaunch> linearBackwardData(Node node) {
        Value dy = node.input(0);
        int filters = dy.shape().last();
        Optional<KernelLaunch> one = sm90(node.output(), node.input(1), dy).flatMap(Sm90Linear::backwardData);
        if (one.isPresent()) {
            return List.of(one.get());
        }
        Operand left = operand(dy, rows(dy), filters, true);
        Operand right = operand(node.input(1), node.output().shape().last(), filters, false);
        return List.of(product(left, right, 1, memory.address(node.output()), 0));
    }

    List<KernelLaunch> matmul(MatMul op, Node node) {
        Shape y = node.output().shape();
        int depth = node.input(0).shape().dim(op.transposeA() ? 1 : 2);
        Operand left = operand(node.input(0), y.dim(1), depth, !op.transposeA());
        Operand right = operand(node.input(1), y.dim(2), depth, op.transposeB());
        return List.of(product(left, right, y.dim(0), memory.address(node.output()), 0));
    }

    private KernelLaunch product(Operand left, Operand right, int batch, long y, long bias) {
        boolean tensor = tensor(left, right);
        ProductTile tile =
                ProductTile.matrices(tensor, !left.depthFast(), left.outers() * (long) batch, right.outers());
        String layout = tensor ? (left.depthFast() ? "_n" : "_t") + (right.depthFast() ? "t" : "n") : "";
        return launch(
                "matmul" + layout + tile.suffix(tensor, left.type()),
                tile,
                batch * tile.blocks(left.outers(), right.outers()),
                1,
                tensor ? tile.sharedBytes(left.depthFast(), right.depthFast()) : 0,
                arguments(left, right, y, bias, 0, 0, 0));
    }

    /// x [...,C], dy [...,K]; dw [K,...] with C values each, maybe dbias [K], both f32.
    List<KernelLaunch> linearBackwardWeight(Node node, boolean sums) {
        Value x = node.input(0);
        Value dy = node.input(1);
        long dw = memory.address(node.output());
        long dbias = sums ? memory.address(node.outputs().get(1)) : 0;
        int filters = dy.shape().last();
        Optional<Sm90Linear.Weights> one = sm90(x, node.output(), dy).flatMap(layer -> layer.backwardWeight(dbias));
        if (one.isPresent()) {
            return weights(memory, node, one.get(), dw, dbias, sums ? filters : 0);
        }
        Operand left = operand(dy, filters, rows(dy), false);
        Operand right = operand(x, x.shape().last(), rows(x), false);
        boolean tensor = tensor(left, right);
        ProductSplit split = ProductSplit.of(left.outers(), right.outers(), left.depths());
        ProductTile tile = ProductTile.weights(tensor, left.outers(), right.outers());
        long partial = split.count() > 1 ? memory.workspace(node) : 0;
        List<KernelLaunch> launches = new ArrayList<>();
        launches.add(launch(
                "linear_backward_weight" + tile.suffix(tensor, left.type()),
                tile,
                tile.blocks(left.outers(), right.outers()),
                split.count(),
                tensor ? tile.sharedBytes(false, false) : 0,
                arguments(left, right, dw, 0, dbias, partial, split.depth())));
        if (split.count() > 1) {
            launches.add(sumSplits(partial, dw, dbias, node.output().elements(), sums ? left.outers() : 0, split));
        }
        return launches;
    }

    /// The parts of a weight gradient, and their sum if there are several.
    ///
    /// @param sums values of dbias
    static List<KernelLaunch> weights(
            CudaMemory memory, Node node, Sm90Linear.Weights weights, long dw, long dbias, long sums) {
        ProductSplit split = weights.split();
        long partial = split.count() > 1 ? memory.workspace(node) : 0;
        List<KernelLaunch> launches = new ArrayList<>();
        launches.add(weights.launch().apply(partial));
        if (split.count() > 1) {
            launches.add(sumSplits(partial, dw, dbias, node.output().elements(), sums, split));
        }
        return launches;
    }

    private static Arguments arguments(
            Operand left, Operand right, long y, long bias, long rowSums, long partial, int depthPerSplit) {
        return new Arguments()
                .pointer("a", left.address())
                .pointer("b", right.address())
                .pointer("y", y)
                .pointer("bias", bias)
                .pointer("row_sums", rowSums)
                .pointer("partial", partial)
                .i64("a_batch", left.batchStride())
                .i64("a_row", left.outerStride())
                .i64("a_depth", left.depthStride())
                .i64("b_batch", right.batchStride())
                .i64("b_column", right.outerStride())
                .i64("b_depth", right.depthStride())
                .i32("m", left.outers())
                .i32("n", right.outers())
                .i32("k", left.depths())
                .i32("depth_per_split", depthPerSplit);
    }

    /// The second stage of a divided sum.
    static KernelLaunch sumSplits(long partial, long y, long rowSums, long elements, long sums, ProductSplit split) {
        Arguments arguments = new Arguments()
                .pointer("partial", partial)
                .pointer("y", y)
                .pointer("row_sums", rowSums)
                .i64("n", elements)
                .i64("sums", sums)
                .i32("splits", split.count());
        boolean whole = (elements | sums) % FOUR == 0 && (partial | y | rowSums) % Packing.BYTES == 0;
        boolean few = whole && split.count() <= FEW_SPLITS && elements >= MANY_VALUES;
        return few
                ? KernelLaunch.perElement("sum_splits_few", (elements + sums) / FOUR, arguments)
                : KernelLaunch.blocks(
                        SplitSum.ALONE,
                        MatrixLowering.extent(
                                "blocks", Math.ceilDiv(elements + sums, SplitSum.valuesOfBlock(split.count()))),
                        SplitSum.THREADS,
                        arguments);
    }

    /// @param splits blocks that share a tile, the grid's y
    static KernelLaunch launch(
            String kernel, ProductTile tile, long blocks, int splits, int sharedBytes, Arguments arguments) {
        KernelLaunch.Extent grid = new KernelLaunch.Extent(MatrixLowering.extent("blocks", blocks), splits, 1);
        return new KernelLaunch(kernel, grid, KernelLaunch.Extent.of(tile.threads()), sharedBytes, arguments);
    }
}
