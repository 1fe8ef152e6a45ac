package dev.rote.train;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Owned;
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
/// average, step counter, losses. The keys are the names under which graphs ask for them.
public final class ModelState implements AutoCloseable {
    /// Entries of the ring of losses; more steps than this never pass between two readings.
    public static final int RING = 4096;

    /// bf16 copy of the averaged parameters, made when they are first evaluated.
    private static final String EMA_BF16 = "ema.bf16";

    private final Owned owned;
    private final ParameterLayout layout;
    private final List<String> moments;
    private final Map<String, Buffer> buffers = new LinkedHashMap<>();
    private final Map<String, Program> casts = new LinkedHashMap<>();
    private final Device device;
    private final boolean shortened;

    /// Type and size of one buffer.
    private record Slot(DType type, long elements) {
        long bytes() {
            return elements * type.bytes();
        }
    }

    /// Fresh parameters for a seed, zero moments, step 0.
    ///
    /// @throws dev.rote.errors.DeviceException if the memory cannot be had
    public static ModelState open(
            Device device, ParameterLayout layout, Precision precision, OptimizerConfig optimizer, long seed) {
        return Owned.opening(owned -> new ModelState(owned, device, layout, precision, optimizer, seed));
    }

    private ModelState(
            Owned owned,
            Device device,
            ParameterLayout layout,
            Precision precision,
            OptimizerConfig optimizer,
            long seed) {
        this.owned = owned;
        this.device = device;
        this.layout = layout;
        this.moments = Optimizer.buffers(optimizer);
        this.shortened = precision.compute() == DType.BF16;
        slots(layout, precision, optimizer).forEach(this::allocate);
        if (layout.frozenSize() > 0) {
            buffer(Parameters.FROZEN).writeFloats(layout.initialFrozen());
        }
        setParameters(layout.initialParameters(seed));
    }

    private static Map<String, Slot> slots(ParameterLayout layout, Precision precision, OptimizerConfig optimizer) {
        Map<String, Slot> slots = new LinkedHashMap<>();
        slots.put(Parameters.PARAMETERS, new Slot(DType.F32, layout.size()));
        if (layout.frozenSize() > 0) {
            slots.put(Parameters.FROZEN, new Slot(DType.F32, layout.frozenSize()));
        }
        Optimizer.buffers(optimizer).forEach(name -> slots.put(name, new Slot(DType.F32, layout.size())));
        slots.put(Optimizer.STEP, new Slot(DType.I32, 1));
        slots.put(Optimizer.LOSSES, new Slot(DType.F32, RING));
        if (precision.compute() == DType.BF16) {
            slots.put(Parameters.PARAMETERS_BF16, new Slot(DType.BF16, layout.size()));
        }
        return slots;
    }

    /// What [#open] allocates.
    ///
    /// @param averaged whether the averaged parameters, if there are any, will be evaluated, which takes a bf16
    ///     copy of theirs under that policy
    public static long bytes(
            Device device, ParameterLayout layout, Precision precision, OptimizerConfig optimizer, boolean averaged) {
        long bytes = slots(layout, precision, optimizer).values().stream()
                .mapToLong(Slot::bytes)
                .sum();
        if (precision.compute() == DType.BF16) {
            long cast = device.programBytes(List.of(castPlan(device, layout, "from", "to")));
            boolean copied = averaged && Optimizer.buffers(optimizer).contains(Optimizer.EMA);
            bytes += cast + (copied ? cast + DType.BF16.bytes() * layout.size() : 0);
        }
        return bytes;
    }

    private Buffer allocate(String name, Slot slot) {
        Buffer buffer = owned.add(device.allocate("model " + name, slot.type(), slot.elements()), Buffer::close);
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
            cast(Optimizer.EMA, EMA_BF16);
        }
    }

    private Buffer averageCopy() {
        Buffer known = buffers.get(EMA_BF16);
        return known != null ? known : allocate(EMA_BF16, new Slot(DType.BF16, layout.size()));
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
                    Plan plan = castPlan(device, layout, from, to);
                    return owned.add(device.compile("cast " + from, List.of(plan), buffers), Program::close);
                })
                .run();
    }

    private static Plan castPlan(Device device, ParameterLayout layout, String from, String to) {
        Graph graph = new Graph();
        Shape shape = Shape.of(Math.toIntExact(layout.size()));
        Value source = graph.external(from, new TensorType(shape, DType.F32));
        Value target = graph.external(to, new TensorType(shape, DType.BF16));
        graph.place(graph.apply(new Cast(DType.BF16), source), target, 0);
        return Plan.of(graph, device.target());
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
        owned.close();
    }
}
