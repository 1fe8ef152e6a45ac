package dev.rote.device.cuda;

import dev.rote.graph.DType;
import dev.rote.graph.Node;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Lowers 1x1 convolutions of two tensors side by side, which are linear layers over the pixels, to `linear_joined.cu`.
final class JoinedLowering {
    private final CudaMemory memory;
    private final boolean tf32;
    private final boolean sm90;

    JoinedLowering(CudaMemory memory, TensorCores cores) {
        this.memory = memory;
        this.tf32 = cores.tf32();
        this.sm90 = cores.sm90();
    }

    /// The tensors in any direction: inputs, filters [filters,channels] and result, or their gradients.
    private final class Layer {
        private final Value x;
        private final Value x2;
        private final Value w;
        private final Value y;

        Layer(Value x, Value x2, Value w, Value y) {
            this.x = x;
            this.x2 = x2;
            this.w = w;
            this.y = y;
        }

        DType type() {
            return y.dtype();
        }

        int rows() {
            return MatrixLowering.extent("pixels of y", y.elements() / filters());
        }

        int first() {
            return x.shape().last();
        }

        int second() {
            return x2.shape().last();
        }

        int channels() {
            return first() + second();
        }

        int filters() {
            return y.shape().last();
        }

        boolean tensor() {
            return MatrixLowering.onTensorCores(type(), tf32)
                    && aligned(x, first())
                    && aligned(x2, second())
                    && aligned(w, channels())
                    && aligned(y, filters());
        }

        private boolean aligned(Value value, int row) {
            return MatrixLowering.alignedRows(memory.address(value), row, type());
        }

        /// The layer for compute capability 9.0; empty where another kernel is to take it.
        Optional<Sm90Linear> sm90() {
            boolean taken = sm90 && x.dtype() == DType.BF16 && y.dtype() == DType.BF16;
            return taken
                    ? Optional.of(new Sm90Linear(
                            rows(),
                            first(),
                            channels(),
                            filters(),
                            memory.address(x),
                            memory.address(x2),
                            memory.address(w),
                            memory.address(y)))
                    : Optional.empty();
        }

        Arguments arguments(long bias, long partial, int depthPerSplit) {
            return new Arguments()
                    .pointer("x", memory.address(x))
                    .pointer("x2", memory.address(x2))
                    .pointer("w", memory.address(w))
                    .pointer("y", memory.address(y))
                    .pointer("bias", bias)
                    .pointer("partial", partial)
                    .i32("rows", rows())
                    .i32("first", first())
                    .i32("channels", channels())
                    .i32("filters", filters())
                    .i32("depth_per_split", depthPerSplit);
        }
    }

    /// x [...,F], x2 [...,C-F], w [K,1,1,C], maybe bias [K]; y [...,K].
    List<KernelLaunch> forward(Node node, boolean bias) {
        Layer layer = new Layer(node.input(0), node.input(1), node.input(2), node.output());
        long added = bias ? memory.address(node.input(3)) : 0;
        Optional<KernelLaunch> one = layer.sm90().flatMap(its -> its.forward(added, 0));
        if (one.isPresent()) {
            return List.of(one.get());
        }
        boolean tensor = layer.tensor();
        ProductTile tile = ProductTile.joined(tensor, layer.rows(), layer.filters());
        return List.of(ProductLowering.launch(
                "linear_joined" + tile.suffix(tensor, layer.type()),
                tile,
                tile.blocks(layer.rows(), layer.filters()),
                1,
                tensor ? tile.sharedBytes(true, true) : 0,
                layer.arguments(added, 0, 0)));
    }

    /// dy [...,K], w [K,1,1,C]; dx [...,F], dx2 [...,C-F].
    List<KernelLaunch> backwardData(Node node) {
        Layer layer = new Layer(node.output(), node.outputs().get(1), node.input(1), node.input(0));
        Optional<KernelLaunch> one = layer.sm90().flatMap(Sm90Linear::backwardData);
        if (one.isPresent()) {
            return List.of(one.get());
        }
        boolean tensor = layer.tensor();
        ProductTile tile = ProductTile.joined(tensor, layer.rows(), Math.max(layer.first(), layer.second()));
        return List.of(ProductLowering.launch(
                "linear_joined_backward_data" + tile.suffix(tensor, layer.type()),
                tile,
                tile.blocks(layer.rows(), layer.first()) + tile.blocks(layer.rows(), layer.second()),
                1,
                tensor ? tile.sharedBytes(true, false) : 0,
                layer.arguments(0, 0, 0)));
    }

    /// x [...,F], x2 [...,C-F], dy [...,K]; dw [K,1,1,C], maybe dbias [K], both f32.
    List<KernelLaunch> backwardWeight(Node node, boolean bias) {
        Layer layer = new Layer(node.input(0), node.input(1), node.output(), node.input(2));
        long dw = memory.address(node.output());
        long dbias = bias ? memory.address(node.outputs().get(1)) : 0;
        Optional<Sm90Linear.Weights> one = layer.sm90().flatMap(its -> its.backwardWeight(dbias));
        if (one.isPresent()) {
            return ProductLowering.weights(memory, node, one.get(), dw, dbias, bias ? layer.filters() : 0);
        }
        boolean tensor = layer.tensor();
        ProductSplit split = ProductSplit.of(layer.filters(), layer.channels(), layer.rows());
        ProductTile tile = ProductTile.weights(tensor, layer.filters(), layer.channels());
        long partial = split.count() > 1 ? memory.workspace(node) : 0;
        List<KernelLaunch> launches = new ArrayList<>();
        launches.add(ProductLowering.launch(
                "linear_joined_backward_weight" + tile.suffix(tensor, layer.type()),
                tile,
                tile.blocks(layer.filters(), layer.channels()),
                split.count(),
                tensor ? tile.sharedBytes(false, false) : 0,
                layer.arguments(dbias, partial, split.depth())));
        if (split.count() > 1) {
            long elements = (long) layer.filters() * layer.channels();
            launches.add(ProductLowering.sumSplits(partial, dw, dbias, elements, bias ? layer.filters() : 0, split));
        }
        return launches;
    }
}
