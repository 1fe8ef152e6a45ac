package dev.rote.device.cuda;

import dev.rote.graph.*;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// Lowers the end of a training step, to `optimizer.cu`.
final class OptimizerLowering {
    private static final int NORM_CHUNK = 4096; // as in optimizer.cu
    private static final int NORM_THREADS = 256;
    private static final int UPDATE_EACH = 16; // parameters of a thread

    private final CudaMemory memory;

    OptimizerLowering(CudaMemory memory) {
        this.memory = memory;
    }

    private static long chunks(long elements) {
        return (elements + NORM_CHUNK - 1) / NORM_CHUNK;
    }

    /// One double per chunk of a norm.
    static long normWorkspaceBytes(long elements) {
        return 8 * chunks(elements);
    }

    /// Whether the next node is the moving average of what this one updates, so that one kernel does both.
    static boolean joins(Node update, Node next) {
        boolean updates = update.op() instanceof AdamUpdate || update.op() instanceof SgdUpdate;
        return updates
                && next.op() instanceof EmaUpdate
                && next.input(1).equals(update.input(0))
                && next.input(2).equals(step(update));
    }

    private static Value step(Node update) {
        return update.input(update.op() instanceof AdamUpdate ? 6 : 5);
    }

    /// An update together with the average that [#joins] it.
    List<KernelLaunch> lower(Node update, Node average) {
        return List.of(update(update, average));
    }

    List<KernelLaunch> lower(Node node) {
        return switch (node.op()) {
            case SgdUpdate ignored -> List.of(update(node, null));
            case AdamUpdate ignored -> List.of(update(node, null));
            case EmaUpdate op -> List.of(average(op, node));
            case GlobalNorm ignored -> norm(node);
            case LearningRate op -> List.of(learningRate(op, node));
            case ClipScale op -> List.of(scalar("clip_scale", node.input(0), null, node.output(), op.limit()));
            case RecordValue ignored -> List.of(scalar("record_value", node.input(0), node.input(1), node.input(2), 0));
            case Advance ignored -> List.of(scalar("advance", null, node.input(0), null, 0));
            default -> throw new AssertionError(node);
        };
    }

    private record Rates(float beta1, float beta2, float eps, float decay, boolean decoupled) {
        static Rates of(Op op) {
            return switch (op) {
                case AdamUpdate adam ->
                    new Rates(adam.beta1(), adam.beta2(), adam.eps(), adam.weightDecay(), adam.decoupled());
                case SgdUpdate sgd -> new Rates(sgd.momentum(), 0, 0, sgd.weightDecay(), false);
                default -> throw new AssertionError(op);
            };
        }
    }

    /// @param average null if there is none
    private KernelLaunch update(Node node, Node average) {
        boolean adam = node.op() instanceof AdamUpdate;
        int scalars = adam ? 4 : 3; // index of the first input behind the flat buffers
        Rates rates = Rates.of(node.op());
        Value copy = node.inputs().size() > scalars + 3 ? node.input(scalars + 3) : null;
        Value averaged = average == null ? null : average.input(0);
        float share = average == null ? 0 : share((EmaUpdate) average.op());
        List<Value> flat = new ArrayList<>(node.inputs().subList(0, scalars));
        Stream.of(copy, averaged).filter(Objects::nonNull).forEach(flat::add);
        long elements = node.input(0).elements();
        Arguments arguments = new Arguments()
                .pointer("p", memory.address(node.input(0)))
                .pointer("g", memory.address(node.input(1)))
                .pointer("m", memory.address(node.input(2)))
                .pointer("v", adam ? memory.address(node.input(3)) : 0)
                .pointer("lr", memory.address(node.input(scalars)))
                .pointer("scale", memory.address(node.input(scalars + 1)))
                .pointer("step", memory.address(step(node)))
                .pointer("copy", memory.addressOrNull(copy))
                .pointer("average", memory.addressOrNull(averaged))
                .i64("n", elements)
                .f32("beta1", rates.beta1())
                .f32("beta2", rates.beta2())
                .f32("eps", rates.eps())
                .f32("decay", rates.decay())
                .f32("average_share", share)
                .i32("decoupled", rates.decoupled() ? 1 : 0)
                .i32("packed", Packing.aligned(memory, flat) && elements % 4 == 0 ? 1 : 0);
        long threads = (elements + UPDATE_EACH - 1) / UPDATE_EACH;
        return KernelLaunch.perElement(adam ? "adam_update" : "sgd_update", threads, arguments);
    }

    private static float share(EmaUpdate op) {
        return (float) (1 - (double) op.decay());
    }

    private KernelLaunch average(EmaUpdate op, Node node) {
        long elements = node.input(0).elements();
        Arguments arguments = new Arguments()
                .pointer("average", memory.address(node.input(0)))
                .pointer("p", memory.address(node.input(1)))
                .pointer("step", memory.address(node.input(2)))
                .i64("n", elements)
                .f32("share", share(op));
        return KernelLaunch.perElement("ema_update", elements, arguments);
    }

    private List<KernelLaunch> norm(Node node) {
        long elements = node.input(0).elements();
        int chunks = Math.toIntExact(chunks(elements));
        KernelLaunch.Extent threads = KernelLaunch.Extent.of(NORM_THREADS);
        return List.of(
                new KernelLaunch(
                        "global_norm_chunks", KernelLaunch.Extent.of(chunks), threads, 0, normArguments(node, chunks)),
                new KernelLaunch("global_norm", KernelLaunch.Extent.of(1), threads, 0, normArguments(node, chunks)));
    }

    private Arguments normArguments(Node node, int chunks) {
        return new Arguments()
                .pointer("x", memory.address(node.input(0)))
                .pointer("partials", memory.workspace(node))
                .pointer("y", memory.address(node.output()))
                .i64("n", node.input(0).elements())
                .i64("chunks", chunks);
    }

    private KernelLaunch learningRate(LearningRate op, Node node) {
        Arguments arguments = new Arguments()
                .pointer("x", 0)
                .pointer("step", memory.address(node.input(0)))
                .pointer("y", memory.address(node.output()))
                .i64("capacity", 0)
                .i64("total", op.total())
                .i32("warmup", op.warmup())
                .i32("cosine", op.cosine() ? 1 : 0)
                .f32("peak", op.peak())
                .f32("last", op.last())
                .f32("limit", 0);
        return single("learning_rate", arguments);
    }

    private KernelLaunch scalar(String kernel, Value x, Value step, Value y, float limit) {
        Arguments arguments = new Arguments()
                .pointer("x", memory.addressOrNull(x))
                .pointer("step", memory.addressOrNull(step))
                .pointer("y", memory.addressOrNull(y))
                .i64("capacity", y == null ? 0 : y.elements())
                .i64("total", 0)
                .i32("warmup", 0)
                .i32("cosine", 0)
                .f32("peak", 0)
                .f32("last", 0)
                .f32("limit", limit);
        return single(kernel, arguments);
    }

    private static KernelLaunch single(String kernel, Arguments arguments) {
        return new KernelLaunch(kernel, KernelLaunch.Extent.of(1), KernelLaunch.Extent.of(1), 0, arguments);
    }
}
