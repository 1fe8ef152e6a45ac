package dev.rote.graph;

import java.util.List;

/// Sets elements to zero with probability `rate` and multiplies the others by 1/(1 - rate); with `channelwise` a whole
/// channel of an image at a time (Tompson et al. 2015, "spatial" dropout; PyTorch's Dropout2d).
///
/// Inputs x [N,...,C], step [1] i32. The mask is a function of (seed, purpose, step, element), so that the gradient is
/// the same operation on dy and nothing is saved. Element number: `(firstImage + n) * perImage + i`, where i counts the
/// elements (or channels) of one image. Kept if the Philox word is at least `round(rate 2^32)`.
public record Dropout(float rate, boolean channelwise, long seed, int purpose, long firstImage) implements Op {
    public Dropout {
        Check.that(rate >= 0 && rate < 1, "Dropout", "a rate in [0,1)", rate);
    }

    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Dropout", inputs, 2, 2);
        Check.floating("Dropout", "x", inputs.get(0));
        Check.scalar("Dropout", "step", inputs.get(1), DType.I32);
        return List.of(inputs.getFirst());
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        return java.util.Arrays.asList(graph.apply(this, dOutputs.getFirst(), node.input(1)), null);
    }

    @Override
    public int overwrites() {
        return 0;
    }
}
