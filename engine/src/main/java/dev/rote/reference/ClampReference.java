package dev.rote.reference;

import dev.rote.graph.Clamp;
import java.util.List;

/// Finite numbers brought into a range.
final class ClampReference {
    private ClampReference() {}

    /// `y = min(max(x, low), high)` where x is finite, x elsewhere. Inputs x.
    static List<double[]> forward(Clamp op, List<Tensor> inputs) {
        double[] x = inputs.get(0).data();
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = Double.isFinite(x[i]) ? Math.min(Math.max(x[i], op.low()), op.high()) : x[i];
        }
        return List.of(y);
    }
}
