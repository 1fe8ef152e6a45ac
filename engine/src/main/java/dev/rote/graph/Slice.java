package dev.rote.graph;

import java.util.List;

/// `size` consecutive entries of one axis from `begin` on.
public record Slice(int axis, int begin, int size) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Slice", inputs, 1, 1);
        TensorType x = inputs.getFirst();
        Check.that(axis >= 0 && axis < x.shape().rank(), "Slice", "an axis of " + x, axis);
        Check.that(
                begin >= 0 && size >= 1 && begin + size <= x.shape().dim(axis),
                "Slice",
                "a part of axis " + axis + " of " + x,
                begin + " to " + (begin + size));
        return List.of(x.with(x.shape().with(axis, size)));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        int extent = node.input(0).shape().dim(axis);
        return List.of(graph.apply(new Backward(axis, begin, extent), dOutputs.getFirst()));
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(0, outputs, outputs);
    }

    /// The slice laid back into zeros of the given extent. Input dy; output dx.
    public record Backward(int axis, int begin, int extent) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 1, 1);
            TensorType dy = inputs.getFirst();
            Check.that(axis < dy.shape().rank(), label(), "a dy with axis " + axis, dy);
            Check.that(begin + dy.shape().dim(axis) <= extent, label(), "a part of " + extent + " from " + begin, dy);
            return List.of(dy.with(dy.shape().with(axis, extent)));
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(0, inputs, outputs);
        }
    }
}
