package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// Adds a vector of each image to all its pixels: `y[n,...,c] = x[n,...,c] + v[n,c]`. Inputs x [N,...,C], v [N,C] of
/// one type.
public record AddChannels() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("AddChannels", inputs, 2, 2);
        TensorType x = inputs.get(0);
        Check.that(x.shape().rank() >= 2, "AddChannels", "x [N,...,C]", x);
        Check.shape(
                "AddChannels",
                "v",
                inputs.get(1),
                Shape.of(x.shape().dim(0), x.shape().last()));
        Check.that(inputs.get(1).type() == x.type(), "AddChannels", "v of type " + x.type(), inputs.get(1));
        return List.of(x);
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value dy = dOutputs.getFirst();
        int rank = dy.shape().rank();
        Value dv = null;
        if (wanted[1]) {
            Value sum = rank == 2 ? dy : graph.apply(new Reduce(Reduce.Kind.SUM, 1, rank - 1), dy);
            dv = graph.reshape(sum, node.input(1).shape());
        }
        return Arrays.asList(dy, dv);
    }

    @Override
    public int overwrites() {
        return 0;
    }
}
