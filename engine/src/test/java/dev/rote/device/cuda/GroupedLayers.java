package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.graph.Add;
import dev.rote.graph.Autodiff;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Linear;
import dev.rote.graph.Multiply;
import dev.rote.graph.Plan;
import dev.rote.graph.Reduce;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Layers of one input x [rows,channels].
///
/// @param type of what follows the layers, and so of the gradients that come back
/// @param filters of each layer
/// @param also whether something else reads x, so that its gradient is a sum before the group adds to it
record GroupedLayers(DType type, boolean bias, boolean also, int rows, int channels, int... filters) {
    @Override
    public String toString() {
        return type + " " + rows + "x" + channels + " " + Arrays.toString(filters) + (bias ? " bias" : "")
                + (also ? " also" : "");
    }

    /// What was computed, by name, and by which kernels.
    record Outcome(Map<String, float[]> values, List<String> kernels) {
        long launches(String stem) {
            return kernels.stream().filter(kernel -> kernel.startsWith(stem)).count();
        }
    }

    static String name(String what, int layer) {
        return what + layer;
    }

    /// The layers, then for each the loss that gives it the gradient `dy`.
    Map<String, Value> addTo(Graph graph) {
        Value x = graph.external("x", TensorType.f32(rows, channels));
        Map<String, Value> results = new LinkedHashMap<>();
        List<Value> wanted = new ArrayList<>(List.of(x));
        for (int layer = 0; layer < filters.length; layer++) {
            int count = filters[layer];
            List<Value> inputs = new ArrayList<>(List.of(x));
            inputs.add(graph.external(name("w", layer), TensorType.f32(count, channels)));
            if (bias) {
                inputs.add(graph.external(name("bias", layer), TensorType.f32(count)));
            }
            wanted.addAll(inputs.subList(1, inputs.size()));
            results.put(
                    name("y", layer),
                    as(graph, type, graph.add(new Linear(), inputs).getFirst()));
        }
        Value loss = null;
        for (int layer = 0; layer < filters.length; layer++) {
            Value part = contract(graph, results.get(name("y", layer)), name("dy", layer));
            loss = loss == null ? part : graph.apply(new Add(), loss, part);
        }
        if (also) {
            loss = graph.apply(new Add(), loss, contract(graph, x, "dx before"));
        }
        List<Value> gradients = Autodiff.gradients(graph, loss, wanted);
        for (int i = 0; i < wanted.size(); i++) {
            results.put("d" + wanted.get(i).name(), gradients.get(i));
        }
        return results;
    }

    static Value as(Graph graph, DType type, Value value) {
        return value.dtype() == type ? value : graph.apply(new Cast(type), value);
    }

    /// The sum of the products with an external.
    private static Value contract(Graph graph, Value value, String name) {
        Value factor = as(
                graph,
                value.dtype(),
                graph.external(name, TensorType.f32(value.shape().toArray())));
        Value product = graph.apply(new Multiply(), value, factor);
        Value flat = graph.reshape(product, Shape.of((int) product.elements()));
        return as(graph, DType.F32, graph.apply(new Reduce(Reduce.Kind.SUM, 0, 1), flat));
    }

    Outcome run(CudaDevice device) {
        Graph graph = new Graph();
        return run(device, graph, addTo(graph));
    }

    static Outcome run(CudaDevice device, Graph graph, Map<String, Value> results) {
        List<Value> inputs = List.copyOf(graph.externals().values());
        results.forEach((name, value) -> graph.place(
                as(graph, DType.F32, value),
                graph.external("result " + name, TensorType.f32(value.shape().toArray())),
                0));
        Map<String, Buffer> buffers = new HashMap<>();
        try {
            for (Value external : graph.externals().values()) {
                buffers.put(external.name(), device.allocate(external.name(), external.dtype(), external.elements()));
            }
            inputs.forEach(input -> buffers.get(input.name()).writeFloats(numbers(input.name(), input.elements())));
            Plan plan = Plan.of(graph, device.target());
            try (Program program = device.compile("group", List.of(plan), buffers)) {
                program.run();
            }
            Map<String, float[]> values = new LinkedHashMap<>();
            results.keySet()
                    .forEach(name ->
                            values.put(name, buffers.get("result " + name).readFloats()));
            return new Outcome(values, kernels(device, plan, buffers));
        } finally {
            buffers.values().forEach(Buffer::close);
        }
    }

    private static List<String> kernels(CudaDevice device, Plan plan, Map<String, Buffer> buffers) {
        try (CudaMemory memory = new CudaMemory(device, "group", plan, buffers)) {
            return new CudaLowering(memory, device.tensorCores())
                    .lower(plan.nodes()).stream()
                            .flatMap(lowered -> lowered.launches().stream())
                            .map(launch -> ((KernelLaunch) launch).kernel())
                            .toList();
        }
    }

    /// Whole in bf16, so that it may come back as such.
    static float[] numbers(String name, long count) {
        Random random = new Random(name.hashCode());
        float[] numbers = new float[(int) count];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = random.nextInt(-255, 256) / 128f;
        }
        return numbers;
    }
}
