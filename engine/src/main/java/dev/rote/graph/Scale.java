package dev.rote.graph;

import java.util.List;

/// `y = factor x + shift` with fixed numbers.
public record Scale(float factor, float shift) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Scale", inputs, 1, 1);
        Check.floating("Scale", "x", inputs.getFirst());
        return inputs;
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        return List.of(graph.apply(new Scale(factor, 0), dOutputs.getFirst()));
    }

    @Override
    public int overwrites() {
        return 0;
    }
}
