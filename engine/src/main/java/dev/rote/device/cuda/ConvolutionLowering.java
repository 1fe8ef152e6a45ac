package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Node;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;

/// Lowers convolutions to the files `conv2d*.cu`: to those that read their operands once where these take the shapes,
/// else to gathered products; convolutions with a 1x1 filter that move nothing are linear layers over the pixels, of
/// one tensor or of two side by side.
final class ConvolutionLowering {
    private final CudaMemory memory;
    private final boolean tf32;
    private final boolean sm90;
    private final ProductLowering products;
    private final JoinedLowering joined;

    ConvolutionLowering(CudaMemory memory, TensorCores cores, ProductLowering products) {
        this.memory = memory;
        this.tf32 = cores.tf32();
        this.sm90 = cores.sm90();
        this.products = products;
        this.joined = new JoinedLowering(memory, cores);
    }

    /// The tensors of a convolution in any direction: inputs, filters and results, or their gradients.
    private record Tensors(Conv2d op, Shape x, Shape w, Shape y, long atX, long atW, long atY) {
        int channels() {
            return x.last();
        }

        int filters() {
            return y.last();
        }

        int outPixels() {
            return MatrixLowering.extent("pixels of y", y.elements(0, 3));
        }

        /// What is convolved: x, or x enlarged.
        Shape image() {
            return op.image(x);
        }

        int inPixels() {
            return MatrixLowering.extent("pixels of x", x.elements(0, 3));
        }

        int imagePixels() {
            return MatrixLowering.extent("pixels of the image", image().elements(0, 3));
        }

        Arguments arguments(long bias, long partial, int depthPerSplit) {
            return arguments(bias, partial, depthPerSplit, 0, 1);
        }

        Arguments arguments(long bias, long partial, int depthPerSplit, long addend, int sharing) {
            MatrixLowering.extent("one image of x", image().elements(1, 4));
            MatrixLowering.extent("one image of y", y.elements(1, 4));
            MatrixLowering.extent("R*S*C", w.elements(1, 4));
            return new Arguments()
                    .pointer("x", atX)
                    .pointer("w", atW)
                    .pointer("y", atY)
                    .pointer("bias", bias)
                    .pointer("partial", partial)
                    .i32("images", x.dim(0))
                    .i32("height", image().dim(1))
                    .i32("width", image().dim(2))
                    .i32("channels", x.dim(3))
                    .i32("out_height", y.dim(1))
                    .i32("out_width", y.dim(2))
                    .i32("filters", y.dim(3))
                    .i32("filter_height", w.dim(1))
                    .i32("filter_width", w.dim(2))
                    .i32("stride", op.stride())
                    .i32("top", op.top())
                    .i32("left", op.left())
                    .i32("depth_per_split", depthPerSplit)
                    .i32("shift", op.enlargement() - 1)
                    .i32("addend_pixels", sharing)
                    .pointer("addend", addend);
        }
    }

    private Tensors tensors(Conv2d op, Value x, Shape w, long atW, Value y) {
        return new Tensors(op, x.shape(), w, y.shape(), memory.address(x), atW, memory.address(y));
    }

    private static boolean pointwise(Conv2d op, Shape w) {
        return w.elements(1, 3) == 1 && op.equals(Conv2d.same(1));
    }

    /// A convolution and the addition of something to its result in one launch; empty where these nodes are not that,
    /// or no kernel does it.
    Optional<List<KernelLaunch>> together(Conv2d op, Node node, Node next) {
        if (op.input() == Conv2d.Input.JOINED) {
            return Optional.empty();
        }
        List<Range> reads = node.inputs().stream().map(memory::range).toList();
        Value w = node.input(1);
        return Addition.after(node, next, memory)
                .filter(add -> add.isClear(memory, List.of(), reads))
                .filter(add -> memory.address(add.addend()) % Packing.BYTES == 0)
                .flatMap(add -> {
                    Tensors t = tensors(op, node.input(0), w.shape(), memory.address(w), add.sum());
                    return halo(op, t, w.dtype(), bias(node), add);
                });
    }

    private long bias(Node node) {
        return node.inputs().size() == 3 ? memory.address(node.input(2)) : 0;
    }

    /// By a kernel that reads each pixel once, if one takes these tensors.
    ///
    /// @param add what is added, or null
    private Optional<List<KernelLaunch>> halo(Conv2d op, Tensors t, DType type, long bias, Addition add) {
        boolean aligned = MatrixLowering.alignedRows(t.atX(), t.channels(), type)
                && MatrixLowering.alignedRows(t.atW(), t.channels(), type)
                && t.atY() % Packing.BYTES == 0;
        if (!aligned) {
            return Optional.empty();
        }
        long addend = add == null ? 0 : memory.address(add.addend());
        int sharing = add == null ? 1 : add.sharing();
        if (sm90) {
            Optional<Sm90Convolution> one = Sm90Convolution.of(op, t.w(), type, t.x(), t.filters());
            if (one.isPresent()) {
                var at = new Sm90Convolution.Addresses(t.atX(), t.atW(), t.atY(), bias, addend, sharing);
                return Optional.of(List.of(one.get().forward(op, t.x(), t.filters(), at)));
            }
        }
        Arguments arguments = t.arguments(bias, 0, 0, addend, sharing);
        Optional<List<KernelLaunch>> halo = HaloTile.of(op, t.w(), type, t.image(), t.filters())
                .map(one -> List.of(one.launch("conv2d_halo_", t.imagePixels(), t.filters(), arguments)));
        var at = new Patch.Addresses(t.atX(), t.atW(), t.atY(), bias, addend, sharing, 0);
        return halo.or(() -> SmallConvolution.of(false, op, t.w(), type, t.image(), t.filters())
                .map(small -> List.of(small.launch("conv2d", op, t.filters(), at))));
    }

    List<KernelLaunch> forward(Conv2d op, Node node) {
        if (op.input() == Conv2d.Input.JOINED) {
            return joined.forward(node, op.hasBias(node.inputs()));
        }
        Value w = node.input(1);
        if (pointwise(op, w.shape())) {
            return products.linear(node);
        }
        Tensors t = tensors(op, node.input(0), w.shape(), memory.address(w), node.output());
        DType type = w.dtype();
        long bias = bias(node);
        Optional<List<KernelLaunch>> halo = halo(op, t, type, bias, null);
        if (halo.isPresent()) {
            return halo.get();
        }
        Optional<KernelLaunch> narrow = head(op, t, type, bias)
                .or(() -> narrow("conv2d", "_stem", op, t, type, t.channels(), t.arguments(bias, 0, 0)));
        if (narrow.isPresent()) {
            return List.of(narrow.get());
        }
        boolean aligned = MatrixLowering.alignedRows(t.atX(), t.channels(), type)
                && MatrixLowering.alignedRows(t.atW(), t.channels(), type);
        Optional<StridedConvolution> strided = strided(op, t, type);
        if (strided.isPresent() && aligned && t.atY() % Packing.BYTES == 0) {
            return List.of(strided.get().forward(t.atX(), t.atW(), t.atY(), bias));
        }
        boolean tensor = aligned && MatrixLowering.onTensorCores(type, tf32);
        ProductTile tile = ProductTile.pixels(tensor, t.outPixels(), t.filters());
        return List.of(ProductLowering.launch(
                "conv2d" + tile.suffix(tensor, type),
                tile,
                tile.blocks(t.outPixels(), t.filters()),
                1,
                tensor ? tile.sharedBytes(true, true) : 0,
                t.arguments(bias, 0, 0)));
    }

    private Optional<StridedConvolution> strided(Conv2d op, Tensors t, DType type) {
        return sm90 ? StridedConvolution.of(op, t.w(), type, t.x(), t.filters()) : Optional.empty();
    }

    /// By the kernel from many channels to one, if it takes these tensors.
    private static Optional<KernelLaunch> head(Conv2d op, Tensors t, DType type, long bias) {
        boolean aligned = (t.atX() | t.atY() | t.atW()) % Packing.BYTES == 0;
        return TapsHead.of(op, t.w(), type, t.x())
                .filter(one -> aligned)
                .map(one -> one.launch(new TapsHead.Addresses(t.atX(), t.atW(), bias, t.atY())));
    }

    /// By the kernels of few channels on one side, if they take these tensors.
    ///
    /// @param taps what the kernel's name ends with that has one channel to read
    /// @param in channels that are read
    private static Optional<KernelLaunch> narrow(
            String stem, String taps, Conv2d op, Tensors t, DType type, int in, Arguments arguments) {
        if ((t.atX() | t.atY() | t.atW()) % Packing.BYTES != 0) {
            return Optional.empty();
        }
        int out = t.channels() + t.filters() - in;
        return TapsConvolution.of(op, t.w(), type, t.y(), in, out)
                .map(one -> one.widen("conv2d_taps" + taps, arguments))
                .or(() ->
                        NarrowConvolution.of(op, t.w(), type, in, out).map(one -> one.launch(stem, t.y(), arguments)));
    }

    List<KernelLaunch> backwardData(Conv2d.BackwardData op, Node node) {
        if (op.conv().input() == Conv2d.Input.JOINED) {
            return joined.backwardData(node);
        }
        Value w = node.input(1);
        if (pointwise(op.conv(), w.shape())) {
            return products.linearBackwardData(node);
        }
        Tensors t = tensors(op.conv(), node.output(), w.shape(), memory.address(w), node.input(0));
        DType type = w.dtype();
        boolean upsampled = op.conv().input() == Conv2d.Input.UPSAMPLED;
        String stem = upsampled ? "conv2d_upsampled_backward_data" : "conv2d_backward_data";
        boolean aligned = MatrixLowering.alignedRows(t.atY(), t.filters(), type)
                && MatrixLowering.alignedRows(t.atW(), t.channels(), type);
        if (sm90 && aligned && t.atX() % Packing.BYTES == 0) {
            Shape plane = op.conv().stride() == 1 ? t.x().with(3, t.filters()) : t.y();
            Optional<Sm90Convolution> one = op.conv().stride() == 1
                    ? Sm90Convolution.of(op.conv(), t.w(), type, plane, t.channels())
                    : Sm90Convolution.strided(op.conv(), t.w(), type, plane, t.x());
            if (one.isPresent()) {
                var at = new Sm90Convolution.Addresses(t.atY(), t.atW(), t.atX(), 0, 0, 1);
                return List.of(one.get().backwardData(op.conv(), plane, t.channels(), at));
            }
        }
        Optional<HaloTile> halo = HaloTile.of(op.conv(), t.w(), type, t.y(), t.channels());
        if (halo.isPresent() && aligned && t.atX() % Packing.BYTES == 0) {
            Arguments arguments = t.arguments(0, 0, 0);
            return List.of(halo.get().launch(stem + "_halo_", t.imagePixels(), t.channels(), arguments));
        }
        Optional<SmallConvolution> small = SmallConvolution.of(true, op.conv(), t.w(), type, t.y(), t.channels());
        if (small.isPresent() && aligned && t.atX() % Packing.BYTES == 0) {
            var at = new Patch.Addresses(t.atY(), t.atW(), t.atX(), 0, 0);
            return List.of(small.get().launch(stem, op.conv(), t.channels(), at));
        }
        Optional<KernelLaunch> narrow =
                narrow(stem, "_backward_data_head", op.conv(), t, type, t.filters(), t.arguments(0, 0, 0));
        if (narrow.isPresent()) {
            return List.of(narrow.get());
        }
        boolean tensor = aligned && MatrixLowering.onTensorCores(type, tf32);
        ProductTile tile = ProductTile.pixels(tensor, t.inPixels(), t.channels());
        MatrixLowering.extent("the length of a sum", (upsampled ? 4 : 1) * t.w().elements(1, 3) * t.filters());
        return List.of(ProductLowering.launch(
                stem + tile.suffix(tensor, type),
                tile,
                tile.blocks(t.inPixels(), t.channels()),
                1,
                tensor ? tile.sharedBytes(true, false) : 0,
                t.arguments(0, 0, 0)));
    }

    List<KernelLaunch> backwardWeight(Conv2d.BackwardWeight op, Node node) {
        if (op.conv().input() == Conv2d.Input.JOINED) {
            return joined.backwardWeight(node, op.bias());
        }
        Value x = node.input(0);
        Value dy = node.input(1);
        Shape w = node.output().shape();
        if (pointwise(op.conv(), w)) {
            return products.linearBackwardWeight(node, op.bias());
        }
        Tensors t = tensors(op.conv(), x, w, memory.address(node.output()), dy);
        long bias = op.bias() ? memory.address(node.outputs().get(1)) : 0;
        Weights weights = weights(op.conv(), t, x.type(), dy.type(), bias);
        ProductSplit split = weights.split();
        long partial = split.count() > 1 ? memory.workspace(node) : 0;
        List<KernelLaunch> launches = new ArrayList<>();
        launches.add(weights.launch().apply(partial));
        if (split.count() > 1) {
            long sums = op.bias() ? t.filters() : 0;
            launches.add(ProductLowering.sumSplits(partial, t.atW(), bias, w.elements(), sums, split));
        }
        return launches;
    }

    /// A kernel for a weight gradient, and how it divides the sum.
    ///
    /// @param launch of the address of the parts, 0 if there is one
    private record Weights(ProductSplit split, LongFunction<KernelLaunch> launch) {}

    private Weights weights(Conv2d conv, Tensors t, TensorType x, TensorType dy, long bias) {
        boolean aligned = t.atX() % Packing.BYTES == 0 && t.atY() % Packing.BYTES == 0;
        Optional<Sm90Weights> matrix = sm90 ? Sm90Weights.of(conv, x, dy, t.w()) : Optional.empty();
        if (aligned && matrix.isPresent()) {
            Sm90Weights one = matrix.get();
            return new Weights(
                    one.split(), partial -> one.launch(t.x(), t.atX(), t.atY(), t.filters(), t.atW(), bias, partial));
        }
        Optional<SmallWeights> small = SmallWeights.of(conv, x, dy, t.w());
        if (aligned && small.isPresent()) {
            SmallWeights one = small.get();
            return new Weights(one.split(), partial -> {
                var at = new Patch.Addresses(t.atX(), t.atW(), t.atY(), bias, partial);
                return one.launch(conv, t.filters(), at);
            });
        }
        Optional<HaloWeights> halo = HaloWeights.of(conv, x, dy, t.w());
        if (aligned && halo.isPresent()) {
            HaloWeights one = halo.get();
            return new Weights(
                    one.split(),
                    partial -> one.launch(
                            t.filters(),
                            t.channels(),
                            t.arguments(bias, partial, one.split().depth())));
        }
        boolean tensor = MatrixLowering.onTensorCores(x.type(), tf32)
                && MatrixLowering.alignedRows(t.atX(), t.channels(), x.type())
                && MatrixLowering.alignedRows(t.atY(), t.filters(), x.type());
        Optional<TapsConvolution> taps = taps(conv, x, dy, t.w());
        if (aligned && taps.isPresent()) {
            TapsConvolution one = taps.get();
            String stem = "conv2d_taps_backward_weight" + (t.filters() == 1 ? "_head" : "_stem");
            return new Weights(
                    one.split(),
                    partial -> one.weights(
                            stem, t.arguments(bias, partial, one.split().depth())));
        }
        Optional<NarrowWeights> narrow = NarrowWeights.of(conv, x, dy, t.w());
        if (aligned && !tensor && narrow.isPresent()) {
            NarrowWeights one = narrow.get();
            return new Weights(
                    one.split(),
                    partial -> one.launch(t.arguments(bias, partial, one.split().depth())));
        }
        Optional<StridedConvolution> strided = strided(conv, t, x.type());
        if (aligned && strided.isPresent()) {
            StridedConvolution one = strided.get();
            return new Weights(one.split(), partial -> one.weights(t.atX(), t.atY(), t.atW(), bias, partial));
        }
        ProductSplit split = ProductSplit.of(t.filters(), t.w().elements(1, 4), t.outPixels());
        return new Weights(
                split, partial -> gathered(t, x.type(), tensor, split, t.arguments(bias, partial, split.depth())));
    }

    private static Optional<TapsConvolution> taps(Conv2d conv, TensorType x, TensorType dy, Shape w) {
        int channels = x.shape().last();
        int filters = dy.shape().last();
        return TapsConvolution.of(
                conv, w, x.type(), x.shape(), Math.min(channels, filters), Math.max(channels, filters));
    }

    /// The weight gradient as a product whose right operand is gathered: any convolution.
    private static KernelLaunch gathered(
            Tensors t, DType type, boolean tensor, ProductSplit split, Arguments arguments) {
        long columns = t.w().elements(1, 4);
        ProductTile tile = ProductTile.weights(tensor, t.filters(), columns);
        return ProductLowering.launch(
                "conv2d_backward_weight" + tile.suffix(tensor, type),
                tile,
                tile.blocks(t.filters(), columns),
                split.count(),
                tensor ? tile.sharedBytes(false, false) : 0,
                arguments);
    }

    /// Scratch memory of a weight gradient: what the kernel for its shapes wants, or, should addresses not be aligned,
    /// the others.
    static long workspaceBytes(Conv2d.BackwardWeight op, List<TensorType> inputs, List<TensorType> outputs) {
        if (op.conv().input() == Conv2d.Input.JOINED) {
            return MatrixLowering.workspaceBytes(inputs, outputs);
        }
        TensorType x = inputs.get(0);
        TensorType dy = inputs.get(1);
        Shape w = outputs.getFirst().shape();
        long most = MatrixLowering.workspaceBytes(inputs, outputs);
        for (ProductSplit split : List.of(
                Sm90Weights.of(op.conv(), x, dy, w).map(Sm90Weights::split).orElse(ProductSplit.NONE),
                SmallWeights.of(op.conv(), x, dy, w).map(SmallWeights::split).orElse(ProductSplit.NONE),
                HaloWeights.of(op.conv(), x, dy, w).map(HaloWeights::split).orElse(ProductSplit.NONE),
                StridedConvolution.of(op.conv(), w, x.type(), x.shape(), w.dim(0))
                        .map(StridedConvolution::split)
                        .orElse(ProductSplit.NONE),
                taps(op.conv(), x, dy, w).map(TapsConvolution::split).orElse(ProductSplit.NONE),
                NarrowWeights.of(op.conv(), x, dy, w).map(NarrowWeights::split).orElse(ProductSplit.NONE))) {
            most = Math.max(most, split.workspaceBytes(w.dim(0), w.elements(1, 4), op.bias()));
        }
        return most;
    }
}
