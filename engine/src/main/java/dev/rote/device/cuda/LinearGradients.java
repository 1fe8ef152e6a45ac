package dev.rote.device.cuda;

import dev.rote.graph.DType;
import dev.rote.graph.Linear;
import dev.rote.graph.Node;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Both gradients of a linear layer, of what it read and of its weights, in one launch of `linear_backward_sm90.cu`.
record LinearGradients(Node data, Node weights, Form form) {
    /// A layer that the kernel takes.
    private record Form(int rows, int channels, int filters) {
        private static final int BOX = 64; // rows, filters and channels
        private static final int BOX_BYTES = BOX * BOX * 2;
        private static final int MOST_FILTERS = 3 * BOX;
        private static final int MOST_CHANNELS = 2 * BOX;
        private static final int GROUP_THREADS = 128; // for 64 filters
        private static final int STATE_BYTES = 1024;
        private static final int MULTIPROCESSOR_BYTES = 228 << 10;
        private static final int RESERVED_BYTES = 1 << 10; // of each block
        private static final int MOST_STAGES = 8;
        private static final int ENOUGH_STEPS = 4; // of a part
        /// A constant, so that results do not depend on the device.
        private static final int MULTIPROCESSORS = 132;

        static Optional<Form> of(TensorType x, TensorType dy) {
            int channels = x.shape().last();
            int filters = dy.shape().last();
            long rows = x.elements() / channels;
            boolean fits = filters % BOX == 0
                    && filters <= MOST_FILTERS
                    && channels % BOX == 0
                    && channels <= MOST_CHANNELS
                    && rows >= Sm90Linear.LEAST_ROWS;
            return fits && x.type() == DType.BF16 && dy.type() == DType.BF16
                    ? Optional.of(new Form(MatrixLowering.extent("rows of x", rows), channels, filters))
                    : Optional.empty();
        }

        int groups() {
            return filters / BOX;
        }

        /// Blocks of a multiprocessor.
        private int resident() {
            return groups() == 1 || (groups() == 2 && channels == BOX) ? 2 : 1;
        }

        private int filterBytes() {
            return groups() * (channels / BOX) * BOX_BYTES;
        }

        private int stageBytes() {
            return (groups() + channels / BOX) * BOX_BYTES;
        }

        int stages() {
            int room = MULTIPROCESSOR_BYTES / resident() - RESERVED_BYTES - STATE_BYTES - filterBytes();
            return Math.min(MOST_STAGES, room / stageBytes());
        }

        int sharedBytes() {
            return STATE_BYTES + filterBytes() + stages() * stageBytes();
        }

        ProductSplit split() {
            int steps = Math.ceilDiv(rows, BOX);
            long wanted = (long) MULTIPROCESSORS * resident();
            int each = (int) ProductSplit.each(steps, wanted, ProductSplit.FEW_PARTS, ENOUGH_STEPS);
            return new ProductSplit(Math.ceilDiv(steps, each), each);
        }

        TensorMap map(long address, int lines, int line) {
            return TensorMap.swizzled(DType.BF16, address, new long[] {line, lines, 1}, new int[] {BOX, BOX, 1});
        }
    }

    /// The first two of the nodes; empty if they are not that, or of a layer that other kernels take.
    static Optional<LinearGradients> startingAt(List<Node> nodes, CudaMemory memory) {
        Node data = nodes.get(0);
        Node weights = nodes.get(1);
        if (!(data.op() instanceof Linear.BackwardData)
                || !(weights.op() instanceof Linear.BackwardWeight)
                || !weights.input(1).equals(data.input(0))) {
            return Optional.empty();
        }
        return Form.of(weights.input(0).type(), data.input(0).type())
                .map(form -> new LinearGradients(data, weights, form))
                .filter(both -> both.isClear(memory));
    }

    private boolean isClear(CudaMemory memory) {
        List<Value> read = List.of(data.input(0), data.input(1), weights.input(0));
        List<Range> to = Stream.concat(Stream.of(data.output()), weights.outputs().stream())
                .map(memory::range)
                .toList();
        List<Range> from = read.stream().map(memory::range).toList();
        List<Range> partial = List.of(memory.workspaceRange(weights));
        return data.output().elements() == weights.input(0).elements()
                && Packing.aligned(memory, read)
                && Packing.aligned(memory, List.of(data.output()))
                && !Range.anyOverlap(to, from)
                && !Range.anyOverlap(partial, from)
                && !Range.anyOverlap(partial, to.subList(0, 1));
    }

    /// Of a weight gradient that may be the second of such nodes: how it is divided.
    static Optional<ProductSplit> split(TensorType x, TensorType dy) {
        return Form.of(x, dy).map(Form::split);
    }

    Lowered lower(CudaMemory memory) {
        Value dy = data.input(0);
        Value x = weights.input(0);
        ProductSplit split = form.split();
        long partial = split.count() > 1 ? memory.workspace(weights) : 0;
        long dw = memory.address(weights.output());
        boolean bias = weights.outputs().size() == 2;
        long dbias = bias ? memory.address(weights.outputs().get(1)) : 0;
        Arguments arguments = new Arguments()
                .tensorMap("x", form.map(memory.address(x), form.rows(), form.channels()))
                .tensorMap("gradient", form.map(memory.address(dy), form.rows(), form.filters()))
                .tensorMap("w", form.map(memory.address(data.input(1)), form.filters(), form.channels()))
                .pointer("dx", memory.address(data.output()))
                .pointer("dw", dw)
                .pointer("dbias", dbias)
                .pointer("partial", partial)
                .i32("rows", form.rows())
                .i32("filters", form.filters())
                .i32("steps_per_split", split.depth())
                .i32("stages", form.stages());
        List<KernelLaunch> launches = new ArrayList<>();
        launches.add(new KernelLaunch(
                "linear_backward_sm90_" + form.channels(),
                KernelLaunch.Extent.of(split.count()),
                KernelLaunch.Extent.of(Form.GROUP_THREADS * form.groups()),
                form.sharedBytes(),
                arguments));
        if (split.count() > 1) {
            long elements = (long) form.filters() * form.channels();
            launches.add(ProductLowering.sumSplits(partial, dw, dbias, elements, bias ? form.filters() : 0, split));
        }
        return new Lowered(List.of(data, weights), launches);
    }
}
