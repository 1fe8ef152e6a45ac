package dev.rote.graph;

import java.util.List;

/// Repeats a tensor along new axes `begin` (included) to `end` (excluded) of the output shape; the opposite of
/// [Reduce].
///
/// The input has the remaining axes of `shape`, or [1] when none remain. Any type.
public record Broadcast(Shape shape, int begin, int end) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Broadcast", inputs, 1, 1);
        TensorType x = inputs.getFirst();
        boolean fits = begin >= 0 && begin < end && end <= shape.rank();
        Check.that(fits, "Broadcast", "a range of axes of " + shape, begin + " to " + end);
        long expected = shape.elements() / shape.elements(begin, end);
        Check.that(x.elements() == expected, "Broadcast", expected + " elements", x);
        return List.of(x.with(shape));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value sum = graph.apply(new Reduce(Reduce.Kind.SUM, begin, end), dOutputs.getFirst());
        return List.of(graph.reshape(sum, node.input(0).shape()));
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(0, inputs, outputs);
    }
}
