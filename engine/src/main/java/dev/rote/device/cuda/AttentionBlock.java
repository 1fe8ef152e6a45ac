package dev.rote.device.cuda;

import dev.rote.graph.Add;
import dev.rote.graph.Attention;
import dev.rote.graph.DType;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Linear;
import dev.rote.graph.Node;
import dev.rote.graph.Op;
import dev.rote.graph.Shape;
import dev.rote.graph.Value;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A block of self-attention, `x + out(attention(qkv(norm(x))))`, as one launch of `attention_block_sm90.cu`. What lies
/// between is written only where somebody else reads it, as a gradient does.
///
/// @param add the sum with what the norm has read
/// @param form the shape, and how the kernel for it is launched
record AttentionBlock(Node norm, Node qkv, Node attention, Node out, Node add, Form form) {
    private static final List<Class<? extends Op>> OPS =
            List.of(GroupNorm.class, Linear.class, Attention.class, Linear.class, Add.class);
    /// Of compute capability 9.0.
    private static final int MULTIPROCESSORS = 132;

    private static final int PADDING = 8; // elements behind each row of a tile
    private static final int SHORTEST = 16; // values of a head's row
    private static final int WARP = 32;

    /// Shapes that a kernel is for: those of study 1's U-Nets of 32 and of 16 channels, of 8 at 8x8 pixels and of 64 at
    /// 16x16.
    ///
    /// @param depth values of a head
    /// @param perGroup channels of a group
    /// @param sixteens of tokens that a warp has, with all heads one after another; 0 where it has 16 tokens and a head
    /// @param kept heads whose filters are in shared memory at a time
    /// @param resident blocks of a multiprocessor
    private record Form(int tokens, int channels, int depth, int perGroup, int sixteens, int kept, int resident) {
        private static final List<Form> ALL = List.of(
                new Form(256, 64, 16, 8, 2, 4, 2),
                new Form(64, 128, 32, 16, 0, 4, 1),
                new Form(256, 32, 8, 4, 2, 4, 2),
                new Form(64, 64, 16, 8, 0, 4, 1),
                new Form(64, 32, 8, 4, 1, 4, 4),
                new Form(256, 128, 32, 16, 1, 2, 1));

        static Optional<Form> of(Shape image, int heads, int groups) {
            int channels = image.last();
            long tokens = image.elements() / image.dim(0) / channels;
            return ALL.stream()
                    .filter(form -> form.tokens == tokens && form.channels == channels)
                    .filter(form -> form.depth * heads == channels && form.perGroup * groups == channels)
                    .findFirst();
        }

        String kernel() {
            return "attention_block_sm90_" + tokens + "x" + channels + "x" + depth + "_" + perGroup;
        }

        private boolean inTurn() {
            return sixteens > 0;
        }

        private int heads() {
            return channels / depth;
        }

        int threads() {
            return inTurn() ? 2 * tokens / sixteens : 2 * tokens * heads();
        }

        /// As the kernel lays it out: filters, tiles of tokens, keys and values; what is added, and moments that meet.
        int sharedBytes() {
            int row = channels + PADDING;
            int head = 2 * tokens * (Math.max(depth, SHORTEST) + PADDING);
            int filters = (3 * kept * depth + channels) * row;
            int elements = filters + (inTurn() ? tokens * row + head : 2 * tokens * row + heads() * head);
            int moments = threads() / WARP * (channels / perGroup);
            return elements * DType.BF16.bytes() + 4 * channels * Float.BYTES + 2 * moments * Float.BYTES;
        }
    }

    /// The first five of the nodes; empty if they are no such block, or one for which there is no kernel.
    static Optional<AttentionBlock> startingAt(List<Node> nodes, CudaMemory memory) {
        boolean alike = nodes.size() >= OPS.size()
                && IntStream.range(0, OPS.size())
                        .allMatch(i -> OPS.get(i).isInstance(nodes.get(i).op()));
        if (!alike
                || ((GroupNorm) nodes.get(0).op()).silu()
                || nodes.get(0).inputs().size() != 3) {
            return Optional.empty();
        }
        int heads = ((Attention) nodes.get(2).op()).heads();
        int groups = ((GroupNorm) nodes.get(0).op()).groups();
        return Form.of(nodes.get(0).input(0).shape(), heads, groups)
                .map(form ->
                        new AttentionBlock(nodes.get(0), nodes.get(1), nodes.get(2), nodes.get(3), nodes.get(4), form))
                .filter(block -> block.follows() && block.isPacked(memory) && block.isClear(memory));
    }

    private Value x() {
        return norm.input(0);
    }

    private boolean follows() {
        Value other = add.input(add.input(0).unreshaped().equals(out.output()) ? 1 : 0);
        Shape packed = Shape.of(x().shape().dim(0), form.tokens(), 3 * form.channels());
        return attention.input(0).shape().equals(packed)
                && reads(qkv, norm)
                && reads(attention, qkv)
                && reads(out, attention)
                && add.inputs().stream().anyMatch(input -> input.unreshaped().equals(out.output()))
                && other.unreshaped().equals(x().unreshaped());
    }

    private static boolean reads(Node next, Node before) {
        return next.input(0).unreshaped().equals(before.output());
    }

    /// What is read, and written, 16 bytes at a time, whatever others read.
    private List<Value> packed() {
        return Stream.of(x(), qkv.input(1), out.input(1), norm.input(1), norm.input(2), add.output())
                .toList();
    }

    private boolean isPacked(CudaMemory memory) {
        List<Value> of =
                Stream.concat(packed().stream(), written(memory).stream()).toList();
        return x().dtype() == DType.BF16 && Packing.aligned(memory, of);
    }

    /// What the kernel writes besides the sum: what others read.
    private List<Value> written(CudaMemory memory) {
        return Stream.of(norm, qkv, attention)
                .flatMap(node -> node.outputs().stream())
                .filter(value -> isWanted(value, memory))
                .toList();
    }

    private boolean isWanted(Value value, CudaMemory memory) {
        boolean between = value.equals(norm.output()) || value.equals(qkv.output()) || value.equals(attention.output());
        return !memory.isRead(value, between ? 1 : 0);
    }

    /// Whether nobody else reads what is not written, and all that is may be while other images are read. The plan
    /// takes the nodes for five, and may put one's result where the one before has read its filters.
    private boolean isClear(CudaMemory memory) {
        List<Range> from = Stream.of(norm, qkv, out)
                .flatMap(node -> node.inputs().stream().skip(1))
                .map(memory::range)
                .toList();
        Range x = memory.range(x());
        Range y = memory.range(add.output());
        List<Range> to = Stream.concat(Stream.of(y), written(memory).stream().map(memory::range))
                .toList();
        return memory.isReadOnce(out.output())
                && Range.areApart(to)
                && !Range.anyOverlap(to.subList(1, to.size()), List.of(x))
                && (y.equals(x) || !y.overlaps(x))
                && !Range.anyOverlap(to, from);
    }

    Lowered lower(CudaMemory memory) {
        GroupNorm op = (GroupNorm) norm.op();
        int images = x().shape().dim(0);
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(x()))
                .pointer("gamma", memory.address(norm.input(1)))
                .pointer("beta", memory.address(norm.input(2)))
                .pointer("w_qkv", memory.address(qkv.input(1)))
                .pointer("b_qkv", bias(qkv, memory))
                .pointer("w_out", memory.address(out.input(1)))
                .pointer("b_out", bias(out, memory))
                .pointer("y", memory.address(add.output()))
                .pointer("normed", wanted(norm.output(), memory))
                .pointer("mean", wanted(norm.outputs().get(1), memory))
                .pointer("rstd", wanted(norm.outputs().get(2), memory))
                .pointer("qkv", wanted(qkv.output(), memory))
                .pointer("attended", wanted(attention.output(), memory))
                .pointer("lse", wanted(attention.outputs().get(1), memory))
                .i32("images", images)
                .f32("eps", op.eps())
                .f32("scale", (float) (1 / Math.sqrt(form.depth())));
        int filling = MULTIPROCESSORS * form.resident();
        KernelLaunch launch = new KernelLaunch(
                        form.kernel(),
                        KernelLaunch.Extent.of(Math.ceilDiv(images, Math.ceilDiv(images, filling))),
                        KernelLaunch.Extent.of(form.threads()),
                        form.sharedBytes(),
                        arguments)
                .inTurn(filling);
        return new Lowered(List.of(norm, qkv, attention, out, add), List.of(launch));
    }

    private static long bias(Node linear, CudaMemory memory) {
        return linear.inputs().size() == 3 ? memory.address(linear.input(2)) : 0;
    }

    private long wanted(Value value, CudaMemory memory) {
        return isWanted(value, memory) ? memory.address(value) : 0;
    }
}
