package dev.rote.reference;

import dev.rote.graph.Concat;
import dev.rote.graph.Shape;
import dev.rote.graph.Slice;
import java.util.List;

/// Tensors whose channels lie side by side, where an operation reads or writes them as one.
final class Joined {
    private Joined() {}

    /// The one tensor [...,C] that its parts make.
    static Tensor of(List<Tensor> parts) {
        Tensor first = parts.getFirst();
        int axis = first.shape().rank() - 1;
        int channels = parts.stream().mapToInt(Tensor::last).sum();
        Shape shape = first.shape().with(axis, channels);
        return new Tensor(
                shape, ConcatReference.forward(new Concat(axis), parts).getFirst());
    }

    /// The parts of a tensor [...,C]: its `first` channels, and the others if there are any.
    static List<double[]> split(Tensor whole, int first) {
        int axis = whole.shape().rank() - 1;
        if (first == whole.last()) {
            return List.of(whole.data());
        }
        Slice rest = new Slice(axis, first, whole.last() - first);
        return List.of(
                SliceReference.forward(new Slice(axis, 0, first), List.of(whole))
                        .getFirst(),
                SliceReference.forward(rest, List.of(whole)).getFirst());
    }
}
