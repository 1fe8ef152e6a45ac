package dev.rote.graph;

import java.util.List;

/// Uniform integers in [low, high], a function of (seed, purpose, step, element); element i of the output is element
/// `first + i` of the draw. Input step [1] i32; output [count] i32, the same bits on every device.
public record RandomIndex(int count, int low, int high, long seed, int purpose, long first) implements Op {
    public RandomIndex {
        Check.that(low <= high, "RandomIndex", "low <= high", low + " > " + high);
    }

    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("RandomIndex", inputs, 1, 1);
        Check.scalar("RandomIndex", "step", inputs.getFirst(), DType.I32);
        return List.of(TensorType.i32(count));
    }
}
