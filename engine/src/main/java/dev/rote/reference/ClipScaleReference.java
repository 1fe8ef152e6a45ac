package dev.rote.reference;

import dev.rote.graph.ClipScale;
import java.util.List;

/// Factor of clipping by global norm (Pascanu et al. 2013, arXiv:1211.5063, algorithm 1; 1e-6 as in PyTorch).
final class ClipScaleReference {
    private ClipScaleReference() {}

    /// `min(1, limit / (norm + 1e-6))`, NaN if the norm is not finite. Inputs norm [1]; output [1].
    static List<double[]> forward(ClipScale op, List<Tensor> inputs) {
        double norm = inputs.get(0).only();
        double factor = Double.isFinite(norm) ? Math.min(1, op.limit() / (norm + 1e-6)) : Double.NaN;
        return List.of(new double[] {factor});
    }
}
