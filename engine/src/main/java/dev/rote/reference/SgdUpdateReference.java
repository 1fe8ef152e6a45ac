package dev.rote.reference;

import dev.rote.graph.SgdUpdate;
import java.util.List;

/// Gradient descent with momentum (Sutskever et al. 2013, ICML, eq. 1-2, in PyTorch's convention).
final class SgdUpdateReference {
    private SgdUpdateReference() {}

    /// Changes parameters, momentum and the copy.
    /// Inputs parameters, gradients, momentum [P], lr, scale, step [1], copy [P].
    static List<double[]> update(SgdUpdate op, List<Tensor> inputs) {
        double[] p = inputs.get(0).data();
        double[] g = inputs.get(1).data();
        double[] v = inputs.get(2).data();
        double lr = inputs.get(3).only();
        double scale = inputs.get(4).only();
        boolean starts = inputs.get(5).only() == 0;
        for (int i = 0; i < p.length; i++) {
            double gradient = scale * g[i] + op.weightDecay() * p[i];
            v[i] = starts ? gradient : op.momentum() * v[i] + gradient;
            p[i] -= lr * v[i];
        }
        if (inputs.size() > 6) {
            System.arraycopy(p, 0, inputs.get(6).data(), 0, p.length);
        }
        return List.of();
    }
}
