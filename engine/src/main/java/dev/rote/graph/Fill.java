package dev.rote.graph;

import java.util.List;

/// A tensor of one number. No input; f32 or i32.
public record Fill(TensorType type, float number) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Fill", inputs, 0, 0);
        return List.of(type);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(0, inputs, outputs);
    }
}
