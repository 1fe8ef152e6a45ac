package dev.rote.reference;

import java.util.List;

/// Channels of each image scaled and shifted (Nichol & Dhariwal 2021, arXiv:2102.09672, section 4):
/// `y[n,p,c] = x[n,p,c] (1 + scale[n,c]) + shift[n,c]`.
final class ModulateReference {
    private ModulateReference() {}

    /// Inputs x [N,...,C], scale [N,C], shift [N,C].
    static List<double[]> forward(List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        double[] y = new double[x.size()];
        for (int i = 0; i < y.length; i++) {
            int nc = imageAndChannel(x, i);
            y[i] = x.at(i) * (1 + inputs.get(1).at(nc)) + inputs.get(2).at(nc);
        }
        return List.of(y);
    }

    /// `dx = dy (1 + scale)`, `dscale[n,c] = sum_p dy x`, `dshift[n,c] = sum_p dy`. Inputs dy, x [N,...,C], scale
    /// [N,C].
    static List<double[]> backward(List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        Tensor x = inputs.get(1);
        Tensor scale = inputs.get(2);
        double[] dx = new double[x.size()];
        double[] dscale = new double[scale.size()]; // [N,C]
        double[] dshift = new double[scale.size()]; // [N,C]
        for (int i = 0; i < dx.length; i++) {
            int nc = imageAndChannel(x, i);
            dx[i] = dy.at(i) * (1 + scale.at(nc));
            dscale[nc] += dy.at(i) * x.at(i);
            dshift[nc] += dy.at(i);
        }
        return List.of(dx, dscale, dshift);
    }

    /// Position in [N,C] that belongs to position i of x [N,...,C].
    private static int imageAndChannel(Tensor x, int i) {
        int n = i / (x.pixels() * x.last());
        return n * x.last() + i % x.last();
    }
}
