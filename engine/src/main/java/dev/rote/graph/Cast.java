package dev.rote.graph;

import java.util.List;

/// Converts between f32, bf16 (round to nearest even), i32 and u8 (to floats only). The gradient is converted back.
public record Cast(DType to) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Cast", inputs, 1, 1);
        Check.that(to.isFloat(), "Cast", "a floating target", to);
        return List.of(inputs.getFirst().with(to));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        DType from = node.input(0).dtype();
        Value dy = dOutputs.getFirst();
        if (!from.isFloat()) {
            return java.util.Collections.singletonList(null);
        }
        return List.of(dy.dtype() == from ? dy : graph.apply(new Cast(from), dy));
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(0, inputs, outputs);
    }
}
