package dev.rote.graph;

import java.util.List;

/// Sum or mean over the axes `begin` (included) to `end` (excluded), which disappear; a full reduction has shape [1].
///
/// Accumulated in f32 or wider in a fixed order; output in the input's type.
public record Reduce(Kind kind, int begin, int end) implements Op {
    /// What becomes of the reduced elements.
    public enum Kind {
        SUM,
        MEAN
    }

    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Reduce", inputs, 1, 1);
        TensorType x = inputs.getFirst();
        Check.floating("Reduce", "x", x);
        boolean fits = begin >= 0 && begin < end && end <= x.shape().rank();
        Check.that(fits, "Reduce", "a range of axes of " + x, begin + " to " + end);
        int[] dims = x.shape().toArray();
        int[] left = new int[Math.max(1, dims.length - (end - begin))];
        left[0] = 1;
        for (int axis = 0, out = 0; axis < dims.length; axis++) {
            if (axis < begin || axis >= end) {
                left[out++] = dims[axis];
            }
        }
        return List.of(x.with(Shape.of(left)));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Shape shape = node.input(0).shape();
        Value dx = graph.apply(new Broadcast(shape, begin, end), dOutputs.getFirst());
        if (kind == Kind.MEAN) {
            dx = graph.apply(new Scale(1.0f / shape.elements(begin, end), 0), dx);
        }
        return List.of(dx);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(inputs.getFirst().elements(), inputs, outputs);
    }
}
