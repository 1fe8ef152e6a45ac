package dev.rote.device.cuda;

import dev.rote.graph.*;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Lowers operations that are matrix products: convolutions, linear layers, products, and their gradients.
///
/// Tensor cores multiply bf16 wherever the alignment permits; f32 only if the device was opened with TF32 allowed.
final class MatrixLowering {
    private final CudaMemory memory;
    private final boolean sm90;
    private final Set<Joining> taken = Joining.taken();
    private final ProductLowering products;
    private final ConvolutionLowering convolutions;

    MatrixLowering(CudaMemory memory, TensorCores cores) {
        this.memory = memory;
        this.sm90 = cores.sm90();
        this.products = new ProductLowering(memory, cores);
        this.convolutions = new ConvolutionLowering(memory, cores, products);
    }

    /// The first two or three of the nodes, of which there are two at least, where there is a kernel for them together.
    Optional<Lowered> together(List<Node> nodes) {
        Node node = nodes.get(0);
        Node next = nodes.get(1);
        Optional<Lowered> joined = sm90 ? joined(nodes) : Optional.empty();
        if (joined.isPresent()) {
            return joined;
        }
        Optional<List<KernelLaunch>> two =
                switch (node.op()) {
                    case Conv2d op -> convolutions.together(op, node, next);
                    case Linear ignored -> products.together(node, next);
                    default -> Optional.empty();
                };
        return two.map(launches -> new Lowered(List.of(node, next), launches));
    }

    private Optional<Lowered> joined(List<Node> nodes) {
        Supplier<Optional<Lowered>> skip =
                () -> SkipConvolution.startingAt(nodes, memory).flatMap(one -> one.lower(memory));
        Supplier<Optional<Lowered>> gradients =
                () -> LinearGradients.startingAt(nodes, memory).map(one -> one.lower(memory));
        return Joining.SKIP_CONVOLUTION.of(taken, skip).or(() -> Joining.LINEAR_GRADIENTS.of(taken, gradients));
    }

    List<KernelLaunch> lower(Node node) {
        return switch (node.op()) {
            case Conv2d op -> convolutions.forward(op, node);
            case Conv2d.BackwardData op -> convolutions.backwardData(op, node);
            case Conv2d.BackwardWeight op -> convolutions.backwardWeight(op, node);
            case Linear ignored -> products.linear(node);
            case Linear.BackwardData ignored -> products.linearBackwardData(node);
            case Linear.BackwardWeight op -> products.linearBackwardWeight(node, op.bias());
            case MatMul op -> products.matmul(op, node);
            default -> throw new AssertionError(node);
        };
    }

    /// Scratch memory of a weight gradient; inputs x [...,C], in one tensor or two, dy [...,K], outputs dw [K,...] and
    /// maybe dbias.
    static long workspaceBytes(List<TensorType> inputs, List<TensorType> outputs) {
        long filters = inputs.getLast().shape().last();
        long columns = outputs.getFirst().elements() / filters;
        int depth = extent("rows of dy", inputs.getLast().elements() / filters);
        boolean sums = outputs.size() == 2;
        long portable = ProductSplit.of(filters, columns, depth).workspaceBytes(filters, columns, sums);
        int first = inputs.getFirst().shape().last();
        long matrix = Sm90Linear.split(depth, first, Math.toIntExact(columns), Math.toIntExact(filters))
                .map(split -> split.workspaceBytes(filters, columns, sums))
                .orElse(0L);
        long both = LinearGradients.split(inputs.getFirst(), inputs.getLast())
                .map(split -> split.workspaceBytes(filters, columns, sums))
                .orElse(0L);
        return Math.max(both, Math.max(portable, matrix));
    }

    /// What a kernel counts in 32 bits, with room for the tile that runs over the end.
    ///
    /// @throws IllegalArgumentException if it is too large
    static int extent(String what, long extent) {
        if (extent > Integer.MAX_VALUE - (1 << 16)) {
            throw new IllegalArgumentException("cuda: expected " + what + " to fit in 31 bits, found " + extent);
        }
        return (int) extent;
    }

    /// True if tensor cores may multiply this type.
    static boolean onTensorCores(DType type, boolean tf32) {
        return type == DType.BF16 || (type == DType.F32 && tf32);
    }

    /// True if rows of that length can be read 16 bytes at a time.
    static boolean alignedRows(long address, long rowElements, DType type) {
        return address % 16 == 0 && rowElements * type.bytes() % 16 == 0;
    }
}
