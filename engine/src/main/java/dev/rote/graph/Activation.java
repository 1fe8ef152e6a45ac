package dev.rote.graph;

import java.util.List;

/// A function of each element. Input and output of one shape and type.
public record Activation(Kind kind) implements Op {
    /// SILU `x sigmoid(x)`; GELU `x (1 + erf(x/sqrt 2))/2` (exact); RELU `max(x, 0)`; TANH.
    public enum Kind {
        SILU,
        GELU,
        RELU,
        TANH
    }

    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs(label(), inputs, 1, 1);
        Check.floating(label(), "x", inputs.getFirst());
        return inputs;
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        return List.of(graph.apply(new Backward(kind), dOutputs.getFirst(), node.input(0)));
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(4 * outputs.getFirst().elements(), inputs, outputs);
    }

    /// `dx = dy f'(x)`. Inputs dy, x.
    public record Backward(Kind kind) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 2, 2);
            Check.shape(label(), "dy", inputs.get(0), inputs.get(1).shape());
            return List.of(inputs.get(1));
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(8 * outputs.getFirst().elements(), inputs, outputs);
        }

        @Override
        public int overwrites() {
            return 0;
        }
    }
}
