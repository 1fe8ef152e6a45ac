package dev.rote.device.cuda;

import dev.rote.graph.Batch;
import dev.rote.graph.Cast;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Embedding;
import dev.rote.graph.Mix;
import dev.rote.graph.Node;
import dev.rote.graph.Op;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.Shape;
import dev.rote.graph.Value;
import dev.rote.random.Purpose;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The beginning of a training step of a network with one channel as one launch of `conv2d_taps_drawn.cu`: a batch is
/// gathered, times and noise are drawn, they are mixed, and the stem convolves the mixture.
record DrawnStem(
        Node batch,
        Node index,
        Node noise,
        Node signal,
        Node level,
        Node mix,
        Node cast,
        Node conv,
        TapsConvolution taps) {
    private static final List<Class<? extends Op>> OPS = List.of(
            Batch.class,
            RandomIndex.class,
            RandomNormal.class,
            Embedding.class,
            Embedding.class,
            Mix.class,
            Cast.class,
            Conv2d.class);
    private static final int DRAWN = 4; // numbers of a Philox block

    /// The first eight of the nodes; empty if they are not that, or of images that other kernels take.
    static Optional<DrawnStem> startingAt(List<Node> nodes, CudaMemory memory) {
        boolean alike = nodes.size() >= OPS.size()
                && IntStream.range(0, OPS.size())
                        .allMatch(i -> OPS.get(i).isInstance(nodes.get(i).op()));
        if (!alike || nodes.getFirst().outputs().size() != 2) {
            return Optional.empty();
        }
        Node conv = nodes.get(OPS.size() - 1);
        Value w = conv.input(1);
        Shape image = conv.input(0).shape();
        return TapsConvolution.of(
                        (Conv2d) conv.op(),
                        w.shape(),
                        w.dtype(),
                        image,
                        image.last(),
                        w.shape().dim(0))
                .map(taps -> new DrawnStem(
                        nodes.get(0),
                        nodes.get(1),
                        nodes.get(2),
                        nodes.get(3),
                        nodes.get(4),
                        nodes.get(5),
                        nodes.get(6),
                        conv,
                        taps))
                .filter(all -> all.follow(memory) && all.isClear(memory));
    }

    /// Whether each reads the ones before, and nobody else reads what is not written.
    private boolean follow(CudaMemory memory) {
        Value t = index.output();
        boolean mixes = mix.inputs().equals(List.of(batch.output(), noise.output(), signal.output(), level.output()));
        boolean read = signal.input(1).equals(t)
                && level.input(1).equals(t)
                && cast.input(0).equals(mix.output())
                && conv.input(0).equals(cast.output());
        boolean alone = memory.isReadOnce(signal.output())
                && memory.isReadOnce(level.output())
                && memory.isReadOnce(mix.output());
        int times = signal.input(0).shape().dim(0);
        boolean tables = signal.input(0).dtype() == DType.F32
                && times == signal.input(0).elements()
                && level.input(0).type().equals(signal.input(0).type());
        long first = ((RandomNormal) noise.op()).first();
        boolean steps = index.input(0).equals(batch.input(1)) && noise.input(0).equals(batch.input(1));
        return mixes && read && alone && tables && steps && first % DRAWN == 0;
    }

    private boolean isClear(CudaMemory memory) {
        List<Value> written = written(memory);
        List<Range> to = written.stream().map(memory::range).toList();
        List<Range> from = Stream.of(
                        batch.input(0),
                        batch.input(1),
                        signal.input(0),
                        level.input(0),
                        conv.input(1),
                        conv.inputs().getLast())
                .map(memory::range)
                .toList();
        return Range.areApart(to) && !Range.anyOverlap(to, from) && Packing.aligned(memory, written);
    }

    private List<Value> written(CudaMemory memory) {
        Stream<Value> always = Stream.of(index.output(), noise.output(), cast.output(), conv.output());
        return Stream.concat(always, batch.outputs().stream().filter(value -> isWanted(value, memory)))
                .toList();
    }

    /// Of the batch.
    private boolean isWanted(Value value, CudaMemory memory) {
        return !memory.isRead(value, value.equals(batch.output()) ? 1 : 0);
    }

    private long wanted(Value value, CudaMemory memory) {
        return isWanted(value, memory) ? memory.address(value) : 0;
    }

    Lowered lower(CudaMemory memory) {
        Batch gathered = (Batch) batch.op();
        RandomIndex time = (RandomIndex) index.op();
        RandomNormal normal = (RandomNormal) noise.op();
        Shape stored = batch.input(0).shape();
        Arguments arguments = new Arguments()
                .pointer("stored", memory.address(batch.input(0)))
                .pointer("step", memory.address(batch.input(1)))
                .pointer("signal", memory.address(signal.input(0)))
                .pointer("level", memory.address(level.input(0)))
                .pointer("w", memory.address(conv.input(1)))
                .pointer("bias", conv.inputs().size() == 3 ? memory.address(conv.input(2)) : 0)
                .pointer("y", memory.address(conv.output()))
                .pointer("noised", memory.address(cast.output()))
                .pointer("noise", memory.address(noise.output()))
                .pointer("t", memory.address(index.output()))
                .pointer("x0", wanted(batch.output(), memory))
                .pointer("index", wanted(batch.outputs().get(1), memory))
                .i64("stride", gathered.stride())
                .i64("first", gathered.first())
                .i64("first_noise", normal.first())
                .i64("first_time", time.first())
                .i64("batch_seed", gathered.seed())
                .i64("noise_seed", normal.seed())
                .i64("time_seed", time.seed())
                .i32("count", gathered.count())
                .i32("images", stored.dim(0))
                .i32("height", stored.dim(1))
                .i32("width", stored.dim(2))
                .i32("filters", taps.channels())
                .i32("times", signal.input(0).shape().dim(0))
                .i32("low", time.low())
                .i32("values", time.high() - time.low() + 1)
                .i32("bytes", batch.input(0).dtype().bytes())
                .i32("shuffle", gathered.shuffle() ? 1 : 0)
                .i32("flip", gathered.flip() ? 1 : 0)
                .i32("purpose_order", Purpose.ORDER.code())
                .i32("purpose_augment", Purpose.AUGMENT.code())
                .i32("purpose_noise", normal.purpose())
                .i32("purpose_time", time.purpose())
                .f32("factor", gathered.scale())
                .f32("shift", gathered.shift());
        return new Lowered(
                List.of(batch, index, noise, signal, level, mix, cast, conv),
                List.of(taps.widen("conv2d_taps_drawn", arguments)));
    }
}
