package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// Group normalisation, optionally followed by SiLU (Wu & He 2018, arXiv:1803.08494, eq. 1-7).
///
/// Over the values of each group g of C/G channels of each image n: `mean`, `rstd = 1/sqrt(variance + eps)`,
/// `z = (x - mean) rstd gamma[c] + beta[c]`, `y = silu ? z sigmoid(z) : z`. The variance is biased and two-pass.
/// Inputs x [N,...,C], gamma [C], beta [C] f32; outputs y as x, mean [N,G], rstd [N,G] f32.
public record GroupNorm(int groups, float eps, boolean silu) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("GroupNorm", inputs, 3, 3);
        TensorType x = inputs.get(0);
        Check.floating("GroupNorm", "x", x);
        Check.that(x.shape().rank() >= 2, "GroupNorm", "x [N,...,C]", x);
        int channels = x.shape().last();
        Check.that(
                groups >= 1 && channels % groups == 0, "GroupNorm", "channels divisible by " + groups + " groups", x);
        Check.shape("GroupNorm", "gamma", inputs.get(1), Shape.of(channels));
        Check.shape("GroupNorm", "beta", inputs.get(2), Shape.of(channels));
        Check.type("GroupNorm", "gamma", inputs.get(1), DType.F32);
        Check.type("GroupNorm", "beta", inputs.get(2), DType.F32);
        TensorType statistic = TensorType.f32(x.shape().dim(0), groups);
        return List.of(x, statistic, statistic);
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Check.firstOnly("GroupNorm", dOutputs);
        List<Value> inputs = Arrays.asList(
                dOutputs.getFirst(),
                node.input(0),
                node.input(1),
                node.input(2),
                node.outputs().get(1),
                node.outputs().get(2));
        return graph.add(new Backward(this), inputs);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of((silu ? 12 : 8) * outputs.getFirst().elements(), inputs, outputs);
    }

    /// Gradients. Inputs dy, x, gamma, beta, mean, rstd; outputs dx as x, dgamma [C], dbeta [C] f32.
    public record Backward(GroupNorm forward) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 6, 6);
            Check.shape(label(), "dy", inputs.get(0), inputs.get(1).shape());
            TensorType channel = TensorType.f32(inputs.get(1).shape().last());
            return List.of(inputs.get(1), channel, channel);
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of((forward.silu ? 26 : 16) * outputs.getFirst().elements(), inputs, outputs);
        }

        @Override
        public int overwrites() {
            return 0;
        }
    }
}
