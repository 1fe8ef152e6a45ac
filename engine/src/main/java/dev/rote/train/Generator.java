package dev.rote.train;

import dev.rote.data.Extent;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.diffusion.SampleBatch;
import dev.rote.diffusion.Sampler;
import dev.rote.graph.DType;
import dev.rote.graph.Fusion;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.nn.Mode;
import dev.rote.nn.Parameters;
import dev.rote.nn.UNet;
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

    private final ModelState model;
    private final Sampler sampler;
    private final Extent extent;
    private final int batch;
    private final int classes;
    private final boolean average;
    private final Map<String, Buffer> own = new HashMap<>();
    private final Program start;
    private final Program step;

    /// @param batch images drawn at a time
    /// @param average uses the averaged parameters if the model has any
    public Generator(
            Device device,
            Blueprint blueprint,
            ModelState model,
            Extent extent,
            int batch,
            boolean average,
            long seed) {
        this.model = model;
        this.sampler = blueprint.sampler();
        this.extent = extent;
        this.batch = batch;
        this.classes = blueprint.network().classes();
        this.average = average && model.hasAverage();
        Shape shape = Shape.of(batch, extent.height(), extent.width(), extent.channels());
        own.put(SampleBatch.X, device.allocate("samples", DType.F32, shape.elements()));
        own.put(SampleBatch.STEP, device.allocate("sampler step", DType.I32, 1));
        own.put(SampleBatch.DRAW, device.allocate("sampler draw", DType.I32, 1));
        if (classes > 0) {
            own.put(LABELS, device.allocate("sampled classes", DType.I32, batch));
        }
        List<Plan> starts = new ArrayList<>();
        List<Plan> steps = new ArrayList<>();
        for (Lane lane : Lane.share(batch, device.lanes(batch))) {
            SampleBatch share = new SampleBatch(shape, lane.first(), lane.count());
            Graph startGraph = new Graph();
            sampler.writeStart(startGraph, share, seed);
            starts.add(Plan.of(startGraph, device.target()));
            Graph stepGraph = new Graph();
            Parameters parameters = new Parameters(stepGraph, blueprint.precision());
            sampler.writeStep(
                    stepGraph,
                    share,
                    seed,
                    (x, t) -> UNet.build(
                            stepGraph,
                            parameters,
                            blueprint.network(),
                            x,
                            t,
                            labels(stepGraph, lane),
                            Mode.evaluation()));
            parameters.freeze();
            Fusion.apply(stepGraph, device.target());
            steps.add(Plan.of(stepGraph, device.target()));
        }
        Map<String, Buffer> bindings = new HashMap<>(model.evaluationBindings(this.average));
        bindings.putAll(own);
        this.start = device.compile("sampler start", starts, bindings);
        this.step = device.compile("sampler step", steps, bindings);
    }

    private Optional<Value> labels(Graph graph, Lane lane) {
        if (classes == 0) {
            return Optional.empty();
        }
        Value all = graph.external(LABELS, TensorType.i32(batch));
        return Optional.of(graph.view(all, lane.first(), TensorType.i32(lane.count())));
    }

    /// Program runs that `count` images take.
    public int updates(int count) {
        return (count + batch - 1) / batch * sampler.updates();
    }

    /// Draws images.
    ///
    /// @param cancelled asked before every update
    /// @param progress told the number of updates done after each
    /// @return [count,H,W,C] in network units, without the data's mean
    /// @throws CancellationException if `cancelled` answers true
    public float[] generate(int count, BooleanSupplier cancelled, Consumer<Integer> progress) {
        if (average) {
            model.refreshAverage();
        }
        float[] images = new float[Math.multiplyExact(count, extent.size())];
        int done = 0;
        for (int first = 0; first < count; first += batch) {
            own.get(SampleBatch.STEP).writeInts(0);
            own.get(SampleBatch.DRAW).writeInts(first / batch * sampler.updates());
            if (classes > 0) {
                own.get(LABELS).writeInts(classesFrom(first));
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
        }
        return images;
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
        start.close();
        step.close();
        own.values().forEach(Buffer::close);
    }
}
