package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// Multi-head self-attention core with exact softmax (Vaswani et al. 2017, arXiv:1706.03762, eq. 1).
///
/// Input qkv [N,T,3,heads,D] given as [N,T,3*heads*D]: queries, keys and values of all heads side by side, as PyTorch's
/// packed projection yields them. Per head `y = softmax(q k^T / sqrt D) v`. Outputs y [N,T,heads*D] and the
/// log-sum-exp of the scaled scores [N,heads,T] f32, from which the backward pass recomputes the weights.
public record Attention(int heads) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Attention", inputs, 1, 1);
        TensorType qkv = inputs.getFirst();
        Check.rank("Attention", "qkv [N,T,3*heads*D]", qkv, 3);
        Check.floating("Attention", "qkv", qkv);
        Check.that(
                heads >= 1 && qkv.shape().last() % (3 * heads) == 0,
                "Attention",
                "channels divisible by 3 x " + heads + " heads",
                qkv);
        Shape shape = qkv.shape();
        return List.of(qkv.with(shape.with(-1, shape.last() / 3)), TensorType.f32(shape.dim(0), heads, shape.dim(1)));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Check.firstOnly("Attention", dOutputs);
        List<Value> inputs = Arrays.asList(
                dOutputs.getFirst(),
                node.input(0),
                node.outputs().get(0),
                node.outputs().get(1));
        return List.of(graph.add(new Backward(heads), inputs).getFirst());
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(2 * productFlops(outputs.getFirst().shape()), inputs, outputs);
    }

    /// One T x T x D product for every head: 2 N T^2 heads D.
    private static long productFlops(Shape y) {
        return 2 * y.elements() * y.dim(1);
    }

    /// Gradient with respect to qkv. Inputs dy [N,T,heads*D], qkv, y, logSumExp; output dqkv as qkv.
    public record Backward(int heads) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 4, 4);
            Check.shape(label(), "dy", inputs.get(0), inputs.get(2).shape());
            return List.of(inputs.get(1));
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(5 * productFlops(inputs.getFirst().shape()), inputs, outputs);
        }
    }
}
