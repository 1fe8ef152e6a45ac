package dev.rote.graph;

import java.util.List;

/// Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1) or, with `decoupled`, AdamW (Loshchilov & Hutter 2019,
/// arXiv:1711.05101), over flat buffers, in place, with k = step + 1:
///
/// `g' = scale g (+ weightDecay p unless decoupled)`, `m = beta1 m + (1-beta1) g'`, `v = beta2 v + (1-beta2) g'^2`,
/// `p = p (1 - lr weightDecay if decoupled) - lr / (1-beta1^k) * m / (sqrt(v / (1-beta2^k)) + eps)`.
///
/// Inputs parameters [P], gradients [P], m [P], v [P], lr [1], scale [1] (all f32), step [1] i32, and optionally the
/// bf16
/// copy of the parameters [P]. Changes parameters, m, v and the copy. A collective.
public record AdamUpdate(float beta1, float beta2, float eps, float weightDecay, boolean decoupled) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("AdamUpdate", inputs, 7, 8);
        FlatBuffers.check("AdamUpdate", inputs, 4);
        return List.of();
    }

    @Override
    public List<Integer> mutates() {
        return List.of(0, 2, 3, 7);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return FlatBuffers.cost(14, inputs, List.of(0, 2, 3, 7));
    }
}
