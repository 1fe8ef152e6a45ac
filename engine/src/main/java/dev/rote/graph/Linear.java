package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// `y[...,k] = bias[k] + sum_c x[...,c] w[k,c]`: a fully connected layer over the innermost dimension.
///
/// Inputs x [...,C], w [K,C], optional bias [K] f32; output y [...,K] in the type of x.
public record Linear() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Linear", inputs, 2, 3);
        TensorType x = inputs.get(0);
        TensorType w = inputs.get(1);
        Check.rank("Linear", "w [K,C]", w, 2);
        Check.floating("Linear", "x", x);
        Check.that(
                w.shape().last() == x.shape().last(),
                "Linear",
                "w with C = " + x.shape().last(),
                w);
        Check.that(w.type() == x.type(), "Linear", "w of type " + x.type(), w);
        if (inputs.size() == 3) {
            Check.shape("Linear", "bias", inputs.get(2), Shape.of(w.shape().dim(0)));
            Check.type("Linear", "bias", inputs.get(2), DType.F32);
        }
        return List.of(x.with(x.shape().with(-1, w.shape().dim(0))));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value dy = dOutputs.getFirst();
        boolean bias = node.inputs().size() == 3;
        Value dx = wanted[0] ? graph.apply(new BackwardData(), dy, node.input(1)) : null;
        Value dw = null;
        Value dbias = null;
        if (wanted[1] || (bias && wanted[2])) {
            List<Value> gradients = graph.add(new BackwardWeight(bias), List.of(node.input(0), dy));
            dw = gradients.get(0);
            dbias = bias ? gradients.get(1) : null;
        }
        return bias ? Arrays.asList(dx, dw, dbias) : Arrays.asList(dx, dw);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(
                2 * outputs.getFirst().elements() * inputs.getFirst().shape().last(), inputs, outputs);
    }

    /// Gradient with respect to x. Inputs dy [...,K], w [K,C]; output dx [...,C].
    public record BackwardData() implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 2, 2);
            Check.rank(label(), "w [K,C]", inputs.get(1), 2);
            TensorType dy = inputs.get(0);
            Shape w = inputs.get(1).shape();
            Check.that(
                    w.dim(0) == dy.shape().last(),
                    label(),
                    "w with K = " + dy.shape().last(),
                    w);
            return List.of(dy.with(dy.shape().with(-1, w.dim(1))));
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(
                    2 * inputs.get(0).elements() * outputs.getFirst().shape().last(), inputs, outputs);
        }
    }

    /// Gradients with respect to w and, if `bias`, the bias. Inputs x [...,C], dy [...,K]; outputs dw [K,C], dbias [K],
    /// f32.
    public record BackwardWeight(boolean bias) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 2, 2);
            Shape x = inputs.get(0).shape();
            Shape dy = inputs.get(1).shape();
            Check.shape(label(), "dy", inputs.get(1), x.with(-1, dy.last()));
            TensorType dw = TensorType.f32(dy.last(), x.last());
            return bias ? List.of(dw, TensorType.f32(dy.last())) : List.of(dw);
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(2 * inputs.get(1).elements() * inputs.get(0).shape().last(), inputs, outputs);
        }
    }
}
