package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A graph of a test, the numbers that are bound to it, and what it was lowered to.
final class GraphRun {
    /// What an i32 external `step` holds.
    static final int STEP = 3;

    private final CudaDevice device;
    private final Graph graph = new Graph();
    private final Map<String, double[]> numbers;
    private final Map<String, Value> inputs = new HashMap<>();
    private final Map<String, Value> placed = new LinkedHashMap<>();
    private final List<String> kernels = new ArrayList<>();

    GraphRun(CudaDevice device, Map<String, double[]> numbers) {
        this.device = device;
        this.numbers = numbers;
    }

    Graph graph() {
        return graph;
    }

    /// What the graph was lowered to, after [#results].
    List<String> kernels() {
        return kernels;
    }

    /// A tensor of the numbers of that name. Bound as f32, as a test can write that.
    Value input(String name, TensorType type) {
        return inputs.computeIfAbsent(name, missing -> {
            Value bound = graph.external(name, type.with(DType.F32));
            return type.type() == DType.BF16 ? graph.apply(new Cast(DType.BF16), bound) : bound;
        });
    }

    Value step() {
        return inputs.computeIfAbsent("step", missing -> graph.external("step", TensorType.i32(1)));
    }

    void place(String name, Value value) {
        placed.put(name, value);
    }

    Map<String, float[]> results() {
        placed.forEach((name, value) -> {
            Value wide = value.dtype() == DType.F32 ? value : graph.apply(new Cast(DType.F32), value);
            graph.place(wide, graph.external("result " + name, wide.type()), 0);
        });
        Plan plan = Plan.of(graph, device.target());
        Map<String, float[]> results = results(plan, false);
        Map<String, float[]> replica = results(plan, true);
        results.forEach((name, values) ->
                assertThat(replica.get(name)).as("%s of a replica", name).isEqualTo(values));
        return results;
    }

    /// @param replica whether as the second part of a program, whose first has the numbers in reverse
    private Map<String, float[]> results(Plan plan, boolean replica) {
        List<Device.Part> parts = new ArrayList<>();
        try {
            if (replica) {
                parts.add(new Device.Part(plan, bound(true)));
            }
            Map<String, Buffer> buffers = bound(false);
            parts.add(new Device.Part(plan, buffers));
            try (Program program = device.together("test", parts)) {
                program.run();
            }
            lower(plan, buffers);
            Map<String, float[]> results = new HashMap<>();
            placed.keySet()
                    .forEach(name ->
                            results.put(name, buffers.get("result " + name).readFloats()));
            return results;
        } finally {
            parts.forEach(part -> part.bindings().values().forEach(Buffer::close));
        }
    }

    private Map<String, Buffer> bound(boolean reversed) {
        Map<String, Buffer> buffers = new HashMap<>();
        graph.externals().forEach((name, value) -> {
            Buffer buffer = device.allocate(name, value.dtype(), value.elements());
            buffers.put(name, buffer);
            if (name.equals("step")) {
                buffer.writeInts(STEP);
            } else if (numbers.containsKey(name)) {
                buffer.writeFloats(floats(numbers.get(name), reversed));
            }
        });
        return buffers;
    }

    private void lower(Plan plan, Map<String, Buffer> buffers) {
        kernels.clear();
        try (CudaMemory memory = new CudaMemory(device, "test", plan, buffers)) {
            new CudaLowering(memory, device.tensorCores())
                    .lower(plan.nodes()).stream()
                            .flatMap(lowered -> lowered.launches().stream())
                            .map(launch -> ((KernelLaunch) launch).kernel())
                            .forEach(kernels::add);
        }
    }

    private static float[] floats(double[] numbers, boolean reversed) {
        float[] floats = new float[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            floats[i] = (float) numbers[reversed ? numbers.length - 1 - i : i];
        }
        return floats;
    }
}
