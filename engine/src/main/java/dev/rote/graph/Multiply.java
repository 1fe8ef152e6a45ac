package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// `y = a b` element by element, both of one shape and type.
public record Multiply() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Multiply", inputs, 2, 2);
        Check.shape("Multiply", "b", inputs.get(1), inputs.get(0).shape());
        Check.that(
                inputs.get(0).type() == inputs.get(1).type(),
                "Multiply",
                "b of type " + inputs.get(0).type(),
                inputs.get(1));
        return List.of(inputs.getFirst());
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value dy = dOutputs.getFirst();
        return Arrays.asList(
                wanted[0] ? graph.apply(this, dy, node.input(1)) : null,
                wanted[1] ? graph.apply(this, dy, node.input(0)) : null);
    }

    @Override
    public int overwrites() {
        return 0;
    }
}
