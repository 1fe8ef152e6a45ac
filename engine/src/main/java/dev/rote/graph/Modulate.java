package dev.rote.graph;

import java.util.List;

/// Scales and shifts the channels of each image: `y[n,...,c] = x[n,...,c] (1 + scale[n,c]) + shift[n,c]`, the
/// conditioning of scale-shift norms (Nichol & Dhariwal 2021, arXiv:2102.09672).
///
/// Inputs x [N,...,C], scale [N,C], shift [N,C] of one type.
public record Modulate() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Modulate", inputs, 3, 3);
        TensorType x = inputs.get(0);
        Check.that(x.shape().rank() >= 2, "Modulate", "x [N,...,C]", x);
        Shape perImage = Shape.of(x.shape().dim(0), x.shape().last());
        Check.floating("Modulate", "x", x);
        Check.shape("Modulate", "scale", inputs.get(1), perImage);
        Check.shape("Modulate", "shift", inputs.get(2), perImage);
        Check.type("Modulate", "scale", inputs.get(1), x.type());
        Check.type("Modulate", "shift", inputs.get(2), x.type());
        return List.of(x);
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        return graph.add(new Backward(), List.of(dOutputs.getFirst(), node.input(0), node.input(1)));
    }

    @Override
    public int overwrites() {
        return 0;
    }

    /// Inputs dy, x, scale; outputs dx as x, dscale [N,C], dshift [N,C].
    public record Backward() implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 3, 3);
            Check.shape(label(), "dy", inputs.get(0), inputs.get(1).shape());
            return List.of(inputs.get(1), inputs.get(2), inputs.get(2));
        }
    }
}
