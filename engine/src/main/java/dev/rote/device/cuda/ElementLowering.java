package dev.rote.device.cuda;

import dev.rote.graph.*;
import dev.rote.random.Bernoulli;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// Lowers operations on single elements, to `elementwise.cu`, and dropout, to `random.cu`.
final class ElementLowering {
    private static final int CAST_EACH = 8; // elements of a thread
    private static final int DROPPED_PACKS = 8; // as in random.cu
    private static final int THREADS = 256;

    private final CudaMemory memory;

    ElementLowering(CudaMemory memory) {
        this.memory = memory;
    }

    List<KernelLaunch> lower(Node node) {
        return List.of(
                switch (node.op()) {
                    case Cast ignored -> cast(node);
                    case Fill op -> fill(op, node.output());
                    case Dropout op -> dropout(op, node);
                    default -> element(node);
                });
    }

    /// The operands of `ElementArgs`; what an operation does not have is null or zero.
    private static final class Operands {
        private Value x;
        private Value z;
        private Value v;
        private Value a;
        private Value b;
        private int kind;
        private float factor;
        private float shift;
    }

    private KernelLaunch element(Node node) {
        Operands o = new Operands();
        o.x = node.input(0);
        String stem =
                switch (node.op()) {
                    case Activation op -> {
                        o.kind = kind(op.kind());
                        yield "activation";
                    }
                    case Activation.Backward op -> {
                        o.x = node.input(1);
                        o.z = node.input(0);
                        o.kind = kind(op.kind());
                        yield "activation_backward";
                    }
                    case Add ignored -> {
                        o.z = node.input(1);
                        yield "add";
                    }
                    case Multiply ignored -> {
                        o.z = node.input(1);
                        yield "multiply";
                    }
                    case Scale op -> {
                        o.factor = op.factor();
                        o.shift = op.shift();
                        yield "scale";
                    }
                    case Clamp op -> {
                        o.factor = op.low();
                        o.shift = op.high();
                        yield "clamp";
                    }
                    case Mix ignored -> {
                        o.z = node.input(1);
                        o.a = node.input(2);
                        o.b = node.input(3);
                        yield "mix";
                    }
                    case MeanSquaredError.Backward op -> {
                        o.z = node.input(1);
                        o.a = node.input(2);
                        o.factor = 2 * op.weight();
                        yield "squared_error_backward";
                    }
                    case AddChannels ignored -> {
                        o.v = node.input(1);
                        yield "add_channels";
                    }
                    case Modulate ignored -> {
                        o.v = node.input(1);
                        o.z = node.input(2);
                        yield "modulate";
                    }
                    default -> throw new AssertionError(node);
                };
        return launch(stem, o, node.output());
    }

    private KernelLaunch launch(String stem, Operands o, Value y) {
        Arguments arguments = new Arguments()
                .pointer("x", memory.addressOrNull(o.x))
                .pointer("z", memory.addressOrNull(o.z))
                .pointer("v", memory.addressOrNull(o.v))
                .pointer("a", memory.addressOrNull(o.a))
                .pointer("b", memory.addressOrNull(o.b))
                .pointer("y", memory.address(y))
                .i64("n", y.elements())
                .i64("per_image", Math.max(1, y.elements() / y.shape().dim(0)))
                .i32("channels", y.shape().last())
                .i32("a_per_image", o.a != null && o.a.elements() > 1 ? 1 : 0)
                .i32("b_per_image", o.b != null && o.b.elements() > 1 ? 1 : 0)
                .i32("packed", isPacked(o, y) ? 1 : 0)
                .i32("kind", o.kind)
                .f32("factor", o.factor)
                .f32("shift", o.shift);
        long each = Packing.BYTES / y.dtype().bytes();
        return KernelLaunch.perElement(stem + Names.type(y), (y.elements() + each - 1) / each, arguments);
    }

    private boolean isPacked(Operands o, Value y) {
        List<Value> tensors =
                Stream.of(o.x, o.z, o.v, y).filter(Objects::nonNull).toList();
        boolean perImage = o.v != null || o.a != null;
        long image = perImage ? y.elements() / y.shape().dim(0) : y.elements();
        long channels = o.v != null ? y.shape().last() : y.elements();
        return Packing.fits(memory, tensors, y.elements(), image, channels);
    }

    /// The numbers of `elementwise.cu`.
    private static int kind(Activation.Kind kind) {
        return switch (kind) {
            case SILU -> 0;
            case GELU -> 1;
            case RELU -> 2;
            case TANH -> 3;
        };
    }

    private KernelLaunch cast(Node node) {
        Value x = node.input(0);
        Value y = node.output();
        return cast(memory.address(x), x.dtype(), memory.address(y), y.dtype(), y.elements());
    }

    /// Numbers of one type from x, of another to y.
    static KernelLaunch cast(long x, DType from, long y, DType to, long elements) {
        boolean packed = x % Packing.BYTES == 0
                && y % Packing.BYTES == 0
                && elements * from.bytes() % Packing.BYTES == 0
                && elements * to.bytes() % Packing.BYTES == 0;
        Arguments arguments = new Arguments()
                .pointer("x", x)
                .pointer("y", y)
                .i64("n", elements)
                .i32("from", type(from))
                .i32("to", type(to))
                .i32("packed", packed ? 1 : 0);
        return KernelLaunch.perElement("cast", (elements + CAST_EACH - 1) / CAST_EACH, arguments);
    }

    private static int type(DType type) {
        return switch (type) {
            case F32 -> 0;
            case BF16 -> 1;
            case I32 -> 2;
            case U8 -> 3;
        };
    }

    private KernelLaunch fill(Fill op, Value y) {
        int bits = Float.floatToRawIntBits(op.number());
        Arguments arguments = new Arguments()
                .pointer("y", memory.address(y))
                .i64("n", y.elements())
                .i32(
                        "bits",
                        switch (y.dtype()) {
                            case F32 -> bits;
                            case BF16 -> bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
                            case I32, U8 -> (int) op.number();
                        })
                .i32("bytes", y.dtype().bytes());
        return KernelLaunch.perElement("fill", y.elements(), arguments);
    }

    private KernelLaunch dropout(Dropout op, Node node) {
        Value y = node.output();
        long perImage = y.elements() / y.shape().dim(0);
        int channels = y.shape().last();
        long first = op.firstImage() * (op.channelwise() ? channels : perImage);
        int each = Packing.BYTES / y.dtype().bytes();
        boolean packed = op.channelwise()
                ? channels <= each * THREADS && Packing.fits(memory, List.of(node.input(0), y), channels)
                : Packing.fits(memory, List.of(node.input(0), y), first, y.elements());
        Arguments arguments = new Arguments()
                .pointer("x", memory.address(node.input(0)))
                .pointer("y", memory.address(y))
                .pointer("step", memory.address(node.input(1)))
                .i64("n", y.elements())
                .i64("per_image", perImage)
                .i64("first", first)
                .i64("seed", op.seed())
                .i32("purpose", op.purpose())
                .i32("channels", op.channelwise() ? channels : 0)
                .i32("packed", packed ? 1 : 0)
                .i32("threshold", Bernoulli.threshold(op.rate()))
                .f32("kept", 1 / (1 - op.rate()));
        if (op.channelwise()) {
            String kernel = "dropout_channels" + Names.type(y);
            if (!packed) {
                return KernelLaunch.perElement(kernel, y.elements(), arguments);
            }
            int packs = channels / each;
            long perBlock = (long) THREADS / packs * packs * DROPPED_PACKS;
            long blocks = y.shape().dim(0) * ((perImage / each + perBlock - 1) / perBlock);
            return KernelLaunch.blocks(kernel, Math.toIntExact(blocks), THREADS, arguments);
        }
        int blocksEach = each / 4; // of four random words
        long threads = (RandomLowering.blocks(first, y.elements()) + blocksEach - 1) / blocksEach;
        return KernelLaunch.perElement("dropout_elements" + Names.type(y), threads, arguments);
    }
}
