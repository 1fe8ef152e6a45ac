package dev.rote.graph;

import java.util.List;

/// Standard normal numbers, a function of (seed, purpose, step, element) and nothing else; element i of the output is
/// element `first + i` of the draw. Input step [1] i32; output f32 of the given shape, with the same bits on every
/// device.
public record RandomNormal(Shape shape, long seed, int purpose, long first) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("RandomNormal", inputs, 1, 1);
        Check.scalar("RandomNormal", "step", inputs.getFirst(), DType.I32);
        return List.of(new TensorType(shape, DType.F32));
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(40 * shape.elements(), inputs, outputs);
    }
}
