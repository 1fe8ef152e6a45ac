package dev.rote.device.cuda;

import dev.rote.graph.*;
import dev.rote.random.Purpose;
import java.util.List;

/// Lowers draws and the embedding of diffusion times, to `random.cu`.
final class RandomLowering {
    private final CudaMemory memory;

    RandomLowering(CudaMemory memory) {
        this.memory = memory;
    }

    List<KernelLaunch> lower(Node node) {
        return List.of(
                switch (node.op()) {
                    case RandomNormal op -> normal(op, node);
                    case RandomIndex op -> index(op, node);
                    case Batch op -> batch(op, node);
                    case SinusoidalEmbedding op -> sinusoids(op, node);
                    default -> throw new AssertionError(node);
                });
    }

    /// Philox blocks that hold elements `first` to `first + n - 1`.
    static long blocks(long first, long n) {
        return (first + n + 3) / 4 - first / 4;
    }

    private KernelLaunch normal(RandomNormal op, Node node) {
        Value y = node.output();
        Arguments arguments = new Arguments()
                .pointer("y", memory.address(y))
                .pointer("step", memory.address(node.input(0)))
                .i64("n", y.elements())
                .i64("first", op.first())
                .i64("seed", op.seed())
                .i32("purpose", op.purpose());
        return KernelLaunch.perElement("random_normal", blocks(op.first(), y.elements()), arguments);
    }

    private KernelLaunch index(RandomIndex op, Node node) {
        Arguments arguments = new Arguments()
                .pointer("y", memory.address(node.output()))
                .pointer("step", memory.address(node.input(0)))
                .i64("n", op.count())
                .i64("first", op.first())
                .i64("seed", op.seed())
                .i32("purpose", op.purpose())
                .i32("low", op.low())
                .i32("values", op.high() - op.low() + 1);
        return KernelLaunch.perElement("random_index", op.count(), arguments);
    }

    private KernelLaunch batch(Batch op, Node node) {
        Value stored = node.input(0);
        boolean labelled = node.inputs().size() == 3;
        Shape shape = stored.shape();
        Arguments arguments = new Arguments()
                .pointer("stored", memory.address(stored))
                .pointer("step", memory.address(node.input(1)))
                .pointer("labels", labelled ? memory.address(node.input(2)) : 0)
                .pointer("x", memory.address(node.output()))
                .pointer("index", memory.address(node.outputs().get(1)))
                .pointer("label", labelled ? memory.address(node.outputs().get(2)) : 0)
                .i64("stride", op.stride())
                .i64("first", op.first())
                .i64("seed", op.seed())
                .i64("per_image", stored.elements() / shape.dim(0))
                .i32("count", op.count())
                .i32("images", shape.dim(0))
                .i32("width", shape.dim(2))
                .i32("channels", shape.dim(3))
                .i32("shuffle", op.shuffle() ? 1 : 0)
                .i32("flip", op.flip() ? 1 : 0)
                .i32("purpose_order", Purpose.ORDER.code())
                .i32("purpose_augment", Purpose.AUGMENT.code())
                .f32("factor", op.scale())
                .f32("shift", op.shift());
        String kernel = stored.dtype() == DType.U8 ? "batch_u8" : "batch_f32";
        return KernelLaunch.perElement(kernel, node.output().elements(), arguments);
    }

    /// Bytes of the tables that a node has beside its values.
    static long tableBytes(Node node) {
        return node.op() instanceof SinusoidalEmbedding op ? Double.BYTES * (op.width() / 2L) : 0;
    }

    private KernelLaunch sinusoids(SinusoidalEmbedding op, Node node) {
        int half = op.width() / 2;
        double[] frequency = new double[half];
        for (int i = 0; i < half; i++) {
            frequency[i] = Math.pow(op.base(), -(double) i / op.divisor());
        }
        long rows = node.input(0).elements();
        Arguments arguments = new Arguments()
                .pointer("t", memory.address(node.input(0)))
                .pointer("frequency", memory.table(frequency))
                .pointer("y", memory.address(node.output()))
                .i64("n", rows)
                .i32("half", half)
                .i32("cosine_first", op.cosineFirst() ? 1 : 0);
        return KernelLaunch.perElement("sinusoids", rows * half, arguments);
    }
}
