package dev.rote.train;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.nn.ParameterLayout;
import dev.rote.nn.Parameters;
import dev.rote.nn.Precision;
import dev.rote.optim.Optimizer;
import dev.rote.optim.OptimizerConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The buffers of a model on a device, each flat and arranged by one layout: parameters, frozen tables, moments,
/// average,
/// step counter, losses. The keys are the names under which graphs ask for them.
public final class ModelState implements AutoCloseable {
    /// Entries of the ring of losses; more steps than this never pass between two readings.
    public static final int RING = 4096;

    private final ParameterLayout layout;
    private final List<String> moments;
    private final Map<String, Buffer> buffers = new LinkedHashMap<>();
    private final Map<String, Program> casts = new LinkedHashMap<>();
    private final Device device;
    private final boolean shortened;

    /// Fresh parameters for a seed, zero moments, step 0.
    ///
    /// @throws dev.rote.errors.DeviceException if the memory cannot be had
    public ModelState(
            Device device, ParameterLayout layout, Precision precision, OptimizerConfig optimizer, long seed) {
        this.device = device;
        this.layout = layout;
        this.moments = Optimizer.buffers(optimizer);
        this.shortened = precision.compute() == DType.BF16;
        allocate(Parameters.PARAMETERS, DType.F32, layout.size());
        if (layout.frozenSize() > 0) {
            allocate(Parameters.FROZEN, DType.F32, layout.frozenSize()).writeFloats(layout.initialFrozen());
        }
        moments.forEach(name -> allocate(name, DType.F32, layout.size()));
        allocate(Optimizer.STEP, DType.I32, 1);
        allocate(Optimizer.LOSSES, DType.F32, RING);
        if (shortened) {
            allocate(Parameters.PARAMETERS_BF16, DType.BF16, layout.size());
        }
        setParameters(layout.initialParameters(seed));
    }

    private Buffer allocate(String name, DType type, long elements) {
        Buffer buffer = device.allocate("model " + name, type, elements);
        buffers.put(name, buffer);
        return buffer;
    }

    public ParameterLayout layout() {
        return layout;
    }

    /// Names of the flat f32 buffers beside the parameters that a checkpoint holds: moments and average.
    public List<String> moments() {
        return moments;
    }

    public boolean hasAverage() {
        return moments.contains(Optimizer.EMA);
    }

    public Buffer buffer(String name) {
        return buffers.get(name);
    }

    /// The buffers that a training step binds.
    public Map<String, Buffer> bindings() {
        return Collections.unmodifiableMap(buffers);
    }

    /// The buffers that an evaluation binds.
    ///
    /// @param average reads the averaged parameters instead; their bf16 copy is made by [#refreshAverage]
    public Map<String, Buffer> evaluationBindings(boolean average) {
        Map<String, Buffer> chosen = new LinkedHashMap<>(buffers);
        if (average && hasAverage()) {
            chosen.put(Parameters.PARAMETERS, buffers.get(Optimizer.EMA));
            if (shortened) {
                chosen.put(Parameters.PARAMETERS_BF16, averageCopy());
            }
        }
        return chosen;
    }

    /// Renews the bf16 copy of the averaged parameters, if there is one; before an evaluation.
    public void refreshAverage() {
        if (shortened && hasAverage()) {
            averageCopy();
            cast(Optimizer.EMA, "ema.bf16");
        }
    }

    private Buffer averageCopy() {
        Buffer known = buffers.get("ema.bf16");
        return known != null ? known : allocate("ema.bf16", DType.BF16, layout.size());
    }

    /// Replaces the parameters, [layout.size()], and their bf16 copy.
    public void setParameters(float[] flat) {
        buffer(Parameters.PARAMETERS).writeFloats(flat);
        if (shortened) {
            cast(Parameters.PARAMETERS, Parameters.PARAMETERS_BF16);
        }
    }

    private void cast(String from, String to) {
        casts.computeIfAbsent(from, name -> {
                    Graph graph = new Graph();
                    Shape shape = Shape.of(Math.toIntExact(layout.size()));
                    Value source = graph.external(from, new TensorType(shape, DType.F32));
                    Value target = graph.external(to, new TensorType(shape, DType.BF16));
                    graph.place(graph.apply(new Cast(DType.BF16), source), target, 0);
                    return device.compile("cast " + from, List.of(Plan.of(graph, device.target())), buffers);
                })
                .run();
    }

    /// Number of updates done.
    public int step() {
        return buffer(Optimizer.STEP).readInts()[0];
    }

    public void setStep(int step) {
        buffer(Optimizer.STEP).writeInts(step);
    }

    /// Losses of the steps `from` (included) to `to` (excluded), counted from 0; at most [#RING] of the newest.
    public float[] losses(int from, int to) {
        if (from < 0 || to < from || to - from > RING) {
            throw new IllegalArgumentException(
                    "losses: expected at most " + RING + " steps, found " + from + " to " + to);
        }
        float[] ring = buffer(Optimizer.LOSSES).readFloats();
        float[] losses = new float[to - from];
        for (int step = from; step < to; step++) {
            losses[step - from] = ring[step % RING];
        }
        return losses;
    }

    @Override
    public void close() {
        casts.values().forEach(Program::close);
        buffers.values().forEach(Buffer::close);
    }
}
