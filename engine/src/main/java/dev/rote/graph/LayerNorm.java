package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// Layer normalisation over the innermost dimension (Ba et al. 2016, arXiv:1607.06450).
///
/// Inputs x [...,C], gamma [C], beta [C] f32; outputs y as x, mean and rstd [rows] f32, where rows are all but the last
/// dimension. The variance is biased and two-pass.
public record LayerNorm(float eps) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("LayerNorm", inputs, 3, 3);
        TensorType x = inputs.get(0);
        Check.floating("LayerNorm", "x", x);
        int channels = x.shape().last();
        Check.shape("LayerNorm", "gamma", inputs.get(1), Shape.of(channels));
        Check.shape("LayerNorm", "beta", inputs.get(2), Shape.of(channels));
        Check.type("LayerNorm", "gamma", inputs.get(1), DType.F32);
        Check.type("LayerNorm", "beta", inputs.get(2), DType.F32);
        TensorType statistic = TensorType.f32(Math.toIntExact(x.elements() / channels));
        return List.of(x, statistic, statistic);
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Check.firstOnly("LayerNorm", dOutputs);
        List<Value> inputs = Arrays.asList(
                dOutputs.getFirst(),
                node.input(0),
                node.input(1),
                node.outputs().get(1),
                node.outputs().get(2));
        return graph.add(new Backward(), inputs);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(8 * outputs.getFirst().elements(), inputs, outputs);
    }

    /// Gradients. Inputs dy, x, gamma, mean, rstd; outputs dx as x, dgamma [C], dbeta [C] f32.
    public record Backward() implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 5, 5);
            Check.shape(label(), "dy", inputs.get(0), inputs.get(1).shape());
            TensorType channel = TensorType.f32(inputs.get(1).shape().last());
            return List.of(inputs.get(1), channel, channel);
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(14 * outputs.getFirst().elements(), inputs, outputs);
        }
    }
}
