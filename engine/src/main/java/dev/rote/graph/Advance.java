package dev.rote.graph;

import java.util.List;

/// Adds one to a counter [1] i32, in place. A collective: it happens once per run, whatever the number of lanes.
public record Advance() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Advance", inputs, 1, 1);
        Check.scalar("Advance", "counter", inputs.getFirst(), DType.I32);
        return List.of();
    }

    @Override
    public List<Integer> mutates() {
        return List.of(0);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.ZERO;
    }
}
