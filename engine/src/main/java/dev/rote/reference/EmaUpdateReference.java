package dev.rote.reference;

import dev.rote.graph.EmaUpdate;
import java.util.List;

/// Exponential moving average of the parameters.
final class EmaUpdateReference {
    private EmaUpdateReference() {}

    /// `e = e + (1 - decay) (p - e)`; at step 0, `e = p`. Changes e. Inputs e [P], p [P], step [1].
    static List<double[]> update(EmaUpdate op, List<Tensor> inputs) {
        double[] e = inputs.get(0).data();
        double[] p = inputs.get(1).data();
        boolean starts = inputs.get(2).only() == 0;
        for (int i = 0; i < e.length; i++) {
            e[i] = starts ? p[i] : e[i] + (1 - (double) op.decay()) * (p[i] - e[i]);
        }
        return List.of();
    }
}
