package dev.rote.graph;

import java.util.ArrayList;
import java.util.List;

/// Group normalisation, optionally followed by SiLU (Wu & He 2018, arXiv:1803.08494, eq. 1-7).
///
/// Over the values of each group g of C/G channels of each image n: `mean`, `rstd = 1/sqrt(variance + eps)`,
/// `z = (x - mean) rstd gamma[c] + beta[c]`, `y = silu ? z sigmoid(z) : z`. The variance is biased and two-pass.
/// Inputs x [N,...,C], gamma [C], beta [C] f32; outputs y as x, mean [N,G], rstd [N,G] f32. In the place of x there may
/// be two tensors with some of its channels each, which a [Concat] would lay side by side.
public record GroupNorm(int groups, float eps, boolean silu) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("GroupNorm", inputs, 3, 4);
        TensorType x = Concat.channels(inputs.subList(0, inputs.size() - 2));
        Check.floating("GroupNorm", "x", x);
        Check.that(x.shape().rank() >= 2, "GroupNorm", "x [N,...,C]", x);
        int channels = x.shape().last();
        Check.that(
                groups >= 1 && channels % groups == 0, "GroupNorm", "channels divisible by " + groups + " groups", x);
        TensorType gamma = inputs.get(inputs.size() - 2);
        TensorType beta = inputs.getLast();
        Check.shape("GroupNorm", "gamma", gamma, Shape.of(channels));
        Check.shape("GroupNorm", "beta", beta, Shape.of(channels));
        Check.type("GroupNorm", "gamma", gamma, DType.F32);
        Check.type("GroupNorm", "beta", beta, DType.F32);
        TensorType statistic = TensorType.f32(x.shape().dim(0), groups);
        return List.of(x, statistic, statistic);
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Check.firstOnly("GroupNorm", dOutputs);
        List<Value> inputs = new ArrayList<>();
        inputs.add(dOutputs.getFirst());
        inputs.addAll(node.inputs());
        inputs.add(node.outputs().get(1));
        inputs.add(node.outputs().get(2));
        return graph.add(new Backward(this), inputs);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of((silu ? 12 : 8) * outputs.getFirst().elements(), inputs, outputs);
    }

    /// Gradients. Inputs dy, x (one tensor or two), gamma, beta, mean, rstd; outputs dx as x, dgamma [C], dbeta [C]
    /// f32.
    public record Backward(GroupNorm forward) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 6, 7);
            List<TensorType> x = inputs.subList(1, inputs.size() - 4);
            TensorType joined = Concat.channels(x);
            Check.shape(label(), "dy", inputs.get(0), joined.shape());
            TensorType channel = TensorType.f32(joined.shape().last());
            List<TensorType> outputs = new ArrayList<>(x);
            outputs.add(channel);
            outputs.add(channel);
            return outputs;
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of((forward.silu ? 26 : 16) * inputs.getFirst().elements(), inputs, outputs);
        }

        @Override
        public int overwrites() {
            return 0;
        }
    }
}
