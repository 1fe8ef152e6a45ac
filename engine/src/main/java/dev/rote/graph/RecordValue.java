package dev.rote.graph;

import java.util.List;

/// Writes a value into a ring: `ring[step mod capacity] = value`. Inputs value [1] f32, step [1] i32, ring [capacity]
/// f32
/// (changed in place). A collective: the ring is written once per run.
public record RecordValue() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs(label(), inputs, 3, 3);
        Check.scalar(label(), "value", inputs.get(0), DType.F32);
        Check.scalar(label(), "step", inputs.get(1), DType.I32);
        Check.rank(label(), "ring", inputs.get(2), 1);
        Check.type(label(), "ring", inputs.get(2), DType.F32);
        return List.of();
    }

    @Override
    public List<Integer> mutates() {
        return List.of(2);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.ZERO;
    }
}
