package dev.rote.reference;

import dev.rote.graph.AdamUpdate;
import java.util.List;

/// Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1); decoupled weight decay (Loshchilov & Hutter 2019,
/// arXiv:1711.05101, algorithm 2).
final class AdamUpdateReference {
    private AdamUpdateReference() {}

    /// Changes parameters, m, v and the copy. Inputs parameters, gradients, m, v [P], lr, scale, step [1], copy [P].
    static List<double[]> update(AdamUpdate op, List<Tensor> inputs) {
        double[] p = inputs.get(0).data();
        double[] g = inputs.get(1).data();
        double[] m = inputs.get(2).data();
        double[] v = inputs.get(3).data();
        double lr = inputs.get(4).only();
        double scale = inputs.get(5).only();
        double k = inputs.get(6).only() + 1;
        double beta1 = op.beta1();
        double beta2 = op.beta2();
        for (int i = 0; i < p.length; i++) {
            double gradient = scale * g[i] + (op.decoupled() ? 0 : op.weightDecay() * p[i]);
            m[i] = beta1 * m[i] + (1 - beta1) * gradient;
            v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
            double mHat = m[i] / (1 - Math.pow(beta1, k));
            double vHat = v[i] / (1 - Math.pow(beta2, k));
            double decayed = op.decoupled() ? p[i] * (1 - lr * op.weightDecay()) : p[i];
            p[i] = decayed - lr * mHat / (Math.sqrt(vHat) + op.eps());
        }
        if (inputs.size() > 7) {
            System.arraycopy(p, 0, inputs.get(7).data(), 0, p.length);
        }
        return List.of();
    }
}
