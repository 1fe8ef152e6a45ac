package dev.rote.graph;

import java.util.List;

/// `y = a + b`, both of one shape and type.
public record Add() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Add", inputs, 2, 2);
        Check.shape("Add", "b", inputs.get(1), inputs.get(0).shape());
        Check.that(
                inputs.get(0).type() == inputs.get(1).type(),
                "Add",
                "b of type " + inputs.get(0).type(),
                inputs.get(1));
        return List.of(inputs.getFirst());
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        return List.of(dOutputs.getFirst(), dOutputs.getFirst());
    }

    @Override
    public int overwrites() {
        return 0;
    }
}
