package dev.rote.graph;

import java.util.List;

/// Adds a value over all lanes of the program in a fixed order, in place, so that every lane sees the sum.
/// With one lane it does nothing. Input and result f32.
public record AllReduce() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("AllReduce", inputs, 1, 1);
        Check.that(inputs.getFirst().type() == DType.F32, "AllReduce", "f32", inputs.getFirst());
        return List.of();
    }

    @Override
    public List<Integer> mutates() {
        return List.of(0);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(0, inputs, inputs);
    }
}
