package dev.rote.graph;

import java.util.ArrayList;
import java.util.List;

/// Lays tensors side by side along one axis; all other extents and the type agree.
public record Concat(int axis) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.that(!inputs.isEmpty(), "Concat", "at least one input", "none");
        TensorType first = inputs.getFirst();
        Check.that(axis >= 0 && axis < first.shape().rank(), "Concat", "an axis of " + first, axis);
        int extent = 0;
        for (TensorType input : inputs) {
            Check.rank("Concat", "every input", input, first.shape().rank());
            Shape expected = first.shape().with(axis, input.shape().dim(axis));
            Check.shape("Concat", "every input but for axis " + axis, input, expected);
            Check.that(input.type() == first.type(), "Concat", "every input of type " + first.type(), input);
            extent += input.shape().dim(axis);
        }
        return List.of(first.with(first.shape().with(axis, extent)));
    }

    /// Type of tensors joined along their last axis.
    static TensorType channels(List<TensorType> parts) {
        int axis = Math.max(0, parts.getFirst().shape().rank() - 1);
        return parts.size() == 1
                ? parts.getFirst()
                : new Concat(axis).infer(parts).getFirst();
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        List<Value> gradients = new ArrayList<>();
        int begin = 0;
        for (int index = 0; index < wanted.length; index++) {
            int extent = node.input(index).shape().dim(axis);
            gradients.add(wanted[index] ? graph.apply(new Slice(axis, begin, extent), dOutputs.getFirst()) : null);
            begin += extent;
        }
        return gradients;
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(0, inputs, outputs);
    }
}
