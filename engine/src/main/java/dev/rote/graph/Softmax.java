package dev.rote.graph;

import java.util.List;

/// `y = exp(x - max) / sum exp(x - max)` over the innermost dimension. Input and output of one shape and type.
public record Softmax() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Softmax", inputs, 1, 1);
        Check.floating("Softmax", "x", inputs.getFirst());
        return inputs;
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        return List.of(graph.apply(new Backward(), dOutputs.getFirst(), node.output()));
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(5 * outputs.getFirst().elements(), inputs, outputs);
    }

    /// `dx = y (dy - sum_c dy y)`. Inputs dy, y.
    public record Backward() implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 2, 2);
            Check.shape(label(), "dy", inputs.get(0), inputs.get(1).shape());
            return List.of(inputs.get(1));
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(4 * outputs.getFirst().elements(), inputs, outputs);
        }
    }
}
