package dev.rote.graph;

import java.util.List;

/// Euclidean norm of a flat buffer. Input [P] f32; output [1] f32. Summed in double in a fixed order.
/// A collective: all lanes get the norm of the whole buffer.
public record GlobalNorm() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("GlobalNorm", inputs, 1, 1);
        Check.that(inputs.getFirst().type() == DType.F32, "GlobalNorm", "f32", inputs.getFirst());
        return List.of(TensorType.f32(1));
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(2 * inputs.getFirst().elements(), inputs, outputs);
    }
}
