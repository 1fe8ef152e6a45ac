package dev.rote.graph;

import java.util.List;

/// Stochastic gradient descent with momentum over flat buffers, in place (PyTorch's convention, Sutskever et al. 2013):
/// `g' = scale g + weightDecay p`, `v = momentum v + g'` (v = g' at step 0), `p = p - lr v`.
///
/// Inputs parameters [P], gradients [P], momentum [P], lr [1], scale [1] (all f32), step [1] i32, and optionally the
/// bf16
/// copy of the parameters [P]. Changes parameters, momentum and the copy. A collective.
public record SgdUpdate(float momentum, float weightDecay) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("SgdUpdate", inputs, 6, 7);
        FlatBuffers.check("SgdUpdate", inputs, 3);
        return List.of();
    }

    @Override
    public List<Integer> mutates() {
        return List.of(0, 2, 6);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return FlatBuffers.cost(6, inputs, List.of(0, 2, 6));
    }
}
