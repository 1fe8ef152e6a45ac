package dev.rote.device.cuda;

import dev.rote.graph.Add;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Linear;
import dev.rote.graph.Node;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Lowers small linear layers in f32 that follow each other and read one input, and their gradients, to
/// `linear_group.cu`: the time projections of a U-Net. The cast behind a layer, and that of the gradient which comes
/// back, are done on the way.
///
/// The plan does not know that nodes are joined: a result may lie where an earlier node of the group still reads. Then
/// the group ends before it.
final class GroupedLinear {
    private static final int MOST = 32; // LAYERS of linear_group.cu
    private static final int TILE = 32;
    private static final int THREADS = 256;

    private final CudaMemory memory;
    private final boolean tf32;

    GroupedLinear(CudaMemory memory, boolean tf32) {
        this.memory = memory;
        this.tf32 = tf32;
    }

    /// What is in the place of so many nodes.
    record Group(int nodes, List<Lowered> lowered) {}

    /// A part of a group, in one direction.
    ///
    /// @param node the layer, or the gradients of its parameters, without the cast
    /// @param w filters [K,C]
    /// @param addend what the gradient of the input is added to; null forward, and if there is none before
    /// @param dx gradient of the input, of this layer and those before; null forward
    /// @param nodes of the plan
    private record Layer(Node node, Value w, Value addend, Value dx, int nodes) {
        Value x() {
            return node.input(0);
        }

        /// Result or its gradient.
        Value y() {
            return dx == null ? node.output() : node.input(1);
        }

        int filters() {
            return w.shape().dim(0);
        }

        int channels() {
            return w.shape().last();
        }

        long rows() {
            return y().elements() / filters();
        }

        /// Larger ones are better off with wider tiles.
        boolean isSmall() {
            return ProductTile.isSmall(rows(), Math.max(filters(), channels()));
        }

        boolean goesWith(Layer first) {
            return x().equals(first.x()) && y().dtype() == first.y().dtype();
        }
    }

    /// The longest group that begins with a node of the plan, of at least two layers.
    Optional<Group> at(List<Node> nodes, int index) {
        List<Layer> layers = new ArrayList<>();
        for (int next = index; !tf32 && next < nodes.size() && layers.size() < MOST; ) {
            Optional<Layer> layer = layer(nodes, next, layers);
            if (layer.isEmpty()) {
                break;
            }
            layers.add(layer.get());
            next += layer.get().nodes();
        }
        while (layers.size() > 1 && !isClear(layers)) {
            layers.removeLast();
        }
        if (layers.size() < 2) {
            return Optional.empty();
        }
        int count = layers.stream().mapToInt(Layer::nodes).sum();
        return Optional.of(new Group(count, layers.getFirst().dx() == null ? forward(layers) : backward(layers)));
    }

    private Optional<Layer> layer(List<Node> nodes, int index, List<Layer> before) {
        if (before.isEmpty()) {
            return projection(nodes, index)
                    .or(() -> gradients(nodes, index, null))
                    .filter(Layer::isSmall);
        }
        boolean forward = before.getLast().dx() == null;
        return (forward ? projection(nodes, index) : gradients(nodes, index, before.getLast()))
                .filter(Layer::isSmall)
                .filter(layer -> layer.goesWith(before.getFirst()));
    }

    private static <T> Optional<Node> node(List<Node> nodes, int index, Class<T> op) {
        return Optional.of(index)
                .filter(at -> at < nodes.size())
                .map(nodes::get)
                .filter(node -> op.isInstance(node.op()));
    }

    /// A layer, and the cast of its result if that alone reads it.
    private Optional<Layer> projection(List<Node> nodes, int index) {
        Node linear = nodes.get(index);
        if (!(linear.op() instanceof Linear) || linear.output().dtype() != DType.F32) {
            return Optional.empty();
        }
        Value y = linear.output();
        Optional<Value> cast = node(nodes, index + 1, Cast.class)
                .filter(next -> next.input(0).equals(y) && memory.isReadOnce(y))
                .map(Node::output)
                .filter(output -> output.dtype() == DType.BF16);
        Node whole = new Node(linear.op(), linear.inputs(), List.of(cast.orElse(y)));
        return Optional.of(new Layer(whole, linear.input(1), null, null, cast.isPresent() ? 2 : 1));
    }

    /// In the order of [dev.rote.graph.Autodiff]: perhaps a cast that these alone read, the gradients of the input, of
    /// the parameters, and the sum of the first with that of the layers before.
    ///
    /// @param before the layer before in the group; null if there is none
    private Optional<Layer> gradients(List<Node> nodes, int index, Layer before) {
        Optional<Node> cast = node(nodes, index, Cast.class);
        int at = index + (cast.isPresent() ? 1 : 0);
        Optional<Node> data = node(nodes, at, Linear.BackwardData.class);
        Optional<Node> weight = node(nodes, at + 1, Linear.BackwardWeight.class);
        if (data.isEmpty() || weight.isEmpty()) {
            return Optional.empty();
        }
        Value dy = data.get().input(0);
        Value w = data.get().input(1);
        Value x = weight.get().input(0);
        boolean one = weight.get().input(1).equals(dy)
                && w.shape().last() == x.shape().last();
        boolean narrowed = cast.stream()
                .allMatch(node -> node.output().equals(dy) && node.input(0).dtype() == DType.BF16);
        if (!one || dy.dtype() != DType.F32 || !narrowed || (cast.isPresent() && !memory.isRead(dy, 2))) {
            return Optional.empty();
        }
        Value own = data.get().output();
        Optional<Node> sum =
                node(nodes, at + 2, Add.class).filter(add -> add.input(1).equals(own) && memory.isReadOnce(own));
        Value addend = sum.map(add -> add.input(0)).orElse(null);
        if (before != null && !(before.dx().equals(addend) && memory.isReadOnce(addend))) {
            return Optional.empty();
        }
        Value given = cast.map(node -> node.input(0)).orElse(dy);
        Node parameters =
                new Node(weight.get().op(), List.of(x, given), weight.get().outputs());
        int count = at - index + 2 + (int) sum.stream().count();
        return Optional.of(
                new Layer(parameters, w, addend, sum.map(Node::output).orElse(own), count));
    }

    /// Whether the results lie apart from each other and from what is read. A thread reads an element of the addend
    /// before it writes the same one.
    private boolean isClear(List<Layer> layers) {
        List<Range> reads = new ArrayList<>();
        List<Range> writes = new ArrayList<>();
        for (Layer layer : layers) {
            layer.node().inputs().forEach(input -> reads.add(memory.range(input)));
            reads.add(memory.range(layer.w()));
            layer.node().outputs().forEach(output -> writes.add(memory.range(output)));
        }
        Value dx = layers.getLast().dx();
        if (dx != null) {
            Range to = memory.range(dx);
            writes.add(to);
            Stream.ofNullable(layers.getFirst().addend())
                    .map(memory::range)
                    .filter(range -> !range.equals(to))
                    .forEach(reads::add);
        }
        for (int i = 0; i < writes.size(); i++) {
            if (Range.anyOverlap(writes.subList(i, i + 1), writes.subList(i + 1, writes.size()))) {
                return false;
            }
        }
        return !Range.anyOverlap(writes, reads);
    }

    private List<Lowered> forward(List<Layer> layers) {
        List<Value> w = layers.stream().map(Layer::w).toList();
        List<Value> bias = layers.stream()
                .map(layer -> layer.node().inputs().size() == 3 ? layer.node().input(2) : null)
                .toList();
        KernelLaunch.Extent grid = new KernelLaunch.Extent(filterTiles(layers), rowTiles(layers), 1);
        return List.of(new Lowered(nodes(layers), List.of(launch("linear_group", layers, w, bias, grid))));
    }

    /// The gradients of the parameters, which go aside, then that of the input.
    private List<Lowered> backward(List<Layer> layers) {
        List<Value> dw = layers.stream().map(layer -> layer.node().output()).toList();
        List<Value> dbias = layers.stream()
                .map(layer -> layer.node().outputs().size() == 2
                        ? layer.node().outputs().get(1)
                        : null)
                .toList();
        int across = tiles(layers.getFirst().channels());
        KernelLaunch.Extent grid = new KernelLaunch.Extent(filterTiles(layers), across, 1);
        KernelLaunch parameters = launch("linear_group_backward_weight", layers, dw, dbias, grid);

        List<Value> w = layers.stream().map(Layer::w).toList();
        grid = new KernelLaunch.Extent(across, rowTiles(layers), 1);
        KernelLaunch input = launch("linear_group_backward_data", layers, w, List.of(), grid);
        List<Value> read = new ArrayList<>(w);
        layers.forEach(layer -> read.add(layer.y()));
        Stream.ofNullable(layers.getFirst().addend()).forEach(read::add);
        Node sum = new Node(
                new Linear.BackwardData(), read, List.of(layers.getLast().dx()));
        return List.of(new Lowered(nodes(layers), List.of(parameters)), new Lowered(List.of(sum), List.of(input)));
    }

    private static List<Node> nodes(List<Layer> layers) {
        return layers.stream().map(Layer::node).toList();
    }

    private static int tiles(long extent) {
        return MatrixLowering.extent("tiles", (extent + TILE - 1) / TILE);
    }

    private static int rowTiles(List<Layer> layers) {
        return tiles(layers.getFirst().rows());
    }

    private static int filterTiles(List<Layer> layers) {
        return layers.stream().mapToInt(layer -> tiles(layer.filters())).sum();
    }

    /// @param w filters of each layer, or their gradient
    /// @param bias of each layer or its gradient, null if there is none
    private KernelLaunch launch(
            String direction, List<Layer> layers, List<Value> w, List<Value> bias, KernelLaunch.Extent grid) {
        Layer first = layers.getFirst();
        List<Integer> firstTiles = new ArrayList<>();
        layers.forEach(layer -> firstTiles.add(filterTiles(layers.subList(0, firstTiles.size()))));
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(first.x()))
                .pointer("addend", memory.addressOrNull(first.addend()))
                .pointer("dx", memory.addressOrNull(layers.getLast().dx()))
                .pointers("w", addresses(w), MOST)
                .pointers("bias", addresses(bias), MOST)
                .pointers("y", addresses(layers.stream().map(Layer::y).toList()), MOST)
                .i32s("filters", layers.stream().map(Layer::filters).toList(), MOST)
                .i32s("first_tile", firstTiles, MOST)
                .i32("layers", layers.size())
                .i32("rows", MatrixLowering.extent("rows", first.rows()))
                .i32("channels", first.channels());
        String kernel = direction + Names.type(first.y());
        return new KernelLaunch(kernel, grid, KernelLaunch.Extent.of(THREADS), 0, arguments);
    }

    private List<Long> addresses(List<Value> values) {
        return values.stream().map(memory::addressOrNull).toList();
    }
}
