package dev.rote.graph;

import java.util.List;

/// Factor of gradient clipping by global norm: `min(1, limit / (norm + 1e-6))` (Pascanu et al. 2013,
/// arXiv:1211.5063; the constant is PyTorch's). Input norm [1] f32; output [1] f32. A norm that is not finite gives
/// NaN.
public record ClipScale(float limit) implements Op {
    public ClipScale {
        Check.that(limit > 0, "ClipScale", "a limit above 0", limit);
    }

    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("ClipScale", inputs, 1, 1);
        Check.scalar("ClipScale", "norm", inputs.getFirst(), DType.F32);
        return List.of(TensorType.f32(1));
    }
}
