package dev.rote.train;

import dev.rote.data.Extent;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Owned;
import dev.rote.device.Program;
import dev.rote.diffusion.Denoiser;
import dev.rote.diffusion.EntropyProduction;
import dev.rote.diffusion.SampleBatch;
import dev.rote.diffusion.Sampler;
import dev.rote.graph.DType;
import dev.rote.graph.Fusion;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.nn.Parameters;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// Draws images from a model: the sampler's start and its step, each a program, run over batches of one size.
///
/// Image i of seed s is the same whatever else is asked for, as long as the batch size is the same. A network with
/// classes draws image i of class `i % classes`.
public final class Generator implements AutoCloseable {
    private static final String LABELS = "sample.labels";

    private final Owned owned;
    private final ModelState model;
    private final Sampler sampler;
    private final Extent extent;
    private final int batch;
    private final int classes;
    private final boolean average;
    private final Map<String, Buffer> own = new HashMap<>();
    private final Program start;
    private final Program step;

    /// The programs of a batch, one plan per lane.
    private record Plans(List<Plan> start, List<Plan> step) {
        static Plans of(Device device, Blueprint blueprint, Shape shape, boolean entropy, long seed) {
            Plans plans = new Plans(new ArrayList<>(), new ArrayList<>());
            for (Lane lane : Lane.share(shape.dim(0), device.lanes(shape.dim(0)))) {
                plans.add(device, blueprint, new SampleBatch(shape, lane.first(), lane.count()), entropy, seed);
            }
            return plans;
        }

        private void add(Device device, Blueprint blueprint, SampleBatch share, boolean entropy, long seed) {
            Graph startGraph = new Graph();
            blueprint.sampler().writeStart(startGraph, share, seed);
            start.add(Plan.of(startGraph, device.target()));
            Graph stepGraph = new Graph();
            Parameters parameters = new Parameters(stepGraph, blueprint.precision());
            Denoiser network = blueprint.sampled(stepGraph, parameters, labels(stepGraph, blueprint, share));
            Denoiser used = entropy
                    ? EntropyProduction.observed(
                            stepGraph,
                            share,
                            blueprint.schedule(),
                            blueprint.objective(),
                            blueprint.loss().firstIndex(),
                            network)
                    : network;
            blueprint.sampler().writeStep(stepGraph, share, seed, used);
            parameters.freeze();
            Fusion.apply(stepGraph, device.target());
            step.add(Plan.of(stepGraph, device.target()));
        }

        private static Optional<Value> labels(Graph graph, Blueprint blueprint, SampleBatch share) {
            if (blueprint.network().classes() == 0) {
                return Optional.empty();
            }
            Value all = graph.external(LABELS, TensorType.i32(share.shape().dim(0)));
            return Optional.of(graph.view(all, share.first(), TensorType.i32(share.count())));
        }
    }

    /// What is drawn.
    ///
    /// @param batch images drawn at a time
    /// @param average uses the averaged parameters if the model has any
    /// @param entropy also collects each image's [EntropyProduction]
    record Subject(Extent extent, int batch, boolean average, boolean entropy, long seed) {
        private Shape shape() {
            return Generator.shape(batch, extent);
        }
    }

    static Generator open(Device device, Blueprint blueprint, ModelState model, Subject subject) {
        return Owned.opening(owned -> new Generator(owned, device, blueprint, model, subject));
    }

    private Generator(Owned owned, Device device, Blueprint blueprint, ModelState model, Subject subject) {
        this.owned = owned;
        this.model = model;
        this.sampler = blueprint.sampler();
        this.extent = subject.extent();
        this.batch = subject.batch();
        this.classes = blueprint.network().classes();
        this.average = subject.average() && model.hasAverage();
        Shape shape = subject.shape();
        allocate(device, SampleBatch.X, "samples", DType.F32, shape.elements());
        allocate(device, SampleBatch.STEP, "sampler step", DType.I32, 1);
        allocate(device, SampleBatch.DRAW, "sampler draw", DType.I32, 1);
        if (classes > 0) {
            allocate(device, LABELS, "sampled classes", DType.I32, batch);
        }
        if (subject.entropy()) {
            allocate(device, EntropyProduction.SUM, "entropy production", DType.F32, batch);
        }
        Plans plans = Plans.of(device, blueprint, shape, subject.entropy(), subject.seed());
        Map<String, Buffer> bindings = new HashMap<>(model.evaluationBindings(this.average));
        bindings.putAll(own);
        this.start = owned.add(device.compile("sampler start", plans.start(), bindings), Program::close);
        this.step = owned.add(device.compile("sampler step", plans.step(), bindings), Program::close);
    }

    private void allocate(Device device, String external, String owner, DType type, long elements) {
        own.put(external, owned.add(device.allocate(owner, type, elements), Buffer::close));
    }

    private static Shape shape(int batch, Extent extent) {
        return Shape.of(batch, extent.height(), extent.width(), extent.channels());
    }

    /// What a generator of batches of this size allocates.
    ///
    /// @param entropy also collects each image's [EntropyProduction]
    public static long bytes(Device device, Blueprint blueprint, Extent extent, int batch, boolean entropy) {
        Shape shape = shape(batch, extent);
        Plans plans = Plans.of(device, blueprint, shape, entropy, 0);
        return DType.F32.bytes() * (shape.elements() + (entropy ? batch : 0))
                + 2L * DType.I32.bytes()
                + (blueprint.network().classes() > 0 ? (long) DType.I32.bytes() * batch : 0)
                + device.programBytes(plans.start())
                + device.programBytes(plans.step());
    }

    /// Program runs that `count` images take.
    public int updates(int count) {
        return (count + batch - 1) / batch * sampler.updates();
    }

    /// Draws images 0 to `count - 1`.
    ///
    /// @param cancelled asked before every update
    /// @param progress told the number of updates done after each
    /// @return [count,H,W,C] in network units, without the data's mean
    /// @throws CancellationException if `cancelled` answers true
    public float[] generate(int count, BooleanSupplier cancelled, Consumer<Integer> progress) {
        return draw(0, count, cancelled, progress).images();
    }

    /// Draws other images than [#generate(int, BooleanSupplier, Consumer)]: `count` from the first one of a batch on.
    ///
    /// @param firstBatch number of that batch, 0 or more
    public float[] generate(int firstBatch, int count, BooleanSupplier cancelled, Consumer<Integer> progress) {
        return draw(firstBatch, count, cancelled, progress).images();
    }

    /// Images and what each has collected on its way.
    ///
    /// @param images [count,H,W,C] in network units, without the data's mean
    /// @param entropy [count] as of [EntropyProduction]; empty for a generator that does not collect it
    public record Drawn(float[] images, float[] entropy) {}

    /// Draws images as [#generate], with what they have collected.
    ///
    /// @throws CancellationException if `cancelled` answers true
    public Drawn draw(int count, BooleanSupplier cancelled, Consumer<Integer> progress) {
        return draw(0, count, cancelled, progress);
    }

    private Drawn draw(int firstBatch, int count, BooleanSupplier cancelled, Consumer<Integer> progress) {
        if (average) {
            model.refreshAverage();
        }
        float[] images = new float[Math.multiplyExact(count, extent.size())];
        Buffer sums = own.get(EntropyProduction.SUM);
        float[] entropy = new float[sums == null ? 0 : count];
        int done = 0;
        for (int first = 0; first < count; first += batch) {
            own.get(SampleBatch.STEP).writeInts(0);
            own.get(SampleBatch.DRAW).writeInts(Math.multiplyExact(firstBatch + first / batch, sampler.updates()));
            if (classes > 0) {
                own.get(LABELS).writeInts(classesFrom(first));
            }
            if (sums != null) {
                sums.writeFloats(new float[batch]);
            }
            start.run();
            for (int update = 0; update < sampler.updates(); update++) {
                if (cancelled.getAsBoolean()) {
                    throw new CancellationException("sampling was cancelled");
                }
                step.run();
                progress.accept(++done);
            }
            float[] drawn = own.get(SampleBatch.X).readFloats();
            int length = Math.min(batch, count - first) * extent.size();
            System.arraycopy(drawn, 0, images, first * extent.size(), length);
            if (sums != null) {
                System.arraycopy(sums.readFloats(), 0, entropy, first, Math.min(batch, count - first));
            }
        }
        return new Drawn(images, entropy);
    }

    private int[] classesFrom(int first) {
        int[] labels = new int[batch];
        for (int i = 0; i < batch; i++) {
            labels[i] = (first + i) % classes;
        }
        return labels;
    }

    /// Runs updates for about `seconds` to learn how long one takes.
    public double rehearse(double seconds) {
        return Rehearsal.typical(seconds, () -> {
            own.get(SampleBatch.STEP).writeInts(0);
            step.run();
        });
    }

    @Override
    public void close() {
        owned.close();
    }
}
