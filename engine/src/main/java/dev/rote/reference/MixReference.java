package dev.rote.reference;

import java.util.List;

/// Linear combination with coefficients per image (Ho et al. 2020, arXiv:2006.11239, eq. 4 is one).
final class MixReference {
    private MixReference() {}

    /// `y[n,i] = a[n] x[n,i] + b[n] z[n,i]`. Inputs x, z [N,...], a, b [N] or [1].
    static List<double[]> forward(List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        Tensor z = inputs.get(1);
        Tensor a = inputs.get(2);
        Tensor b = inputs.get(3);
        int perImage = x.size() / x.dim(0);
        double[] y = new double[x.size()];
        for (int i = 0; i < y.length; i++) {
            int n = i / perImage;
            y[i] = a.at(a.size() == 1 ? 0 : n) * x.at(i) + b.at(b.size() == 1 ? 0 : n) * z.at(i);
        }
        return List.of(y);
    }
}
