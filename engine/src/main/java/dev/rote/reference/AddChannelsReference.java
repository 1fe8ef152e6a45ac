package dev.rote.reference;

import java.util.List;

/// A vector of each image added to all its pixels.
final class AddChannelsReference {
    private AddChannelsReference() {}

    /// `y[n,p,c] = x[n,p,c] + v[n,c]`. Inputs x [N,...,C], v [N,C].
    static List<double[]> forward(List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        Tensor v = inputs.get(1);
        int pixels = x.pixels();
        int channels = x.last();
        double[] y = new double[x.size()]; // [N,pixels,C]
        for (int n = 0; n < x.dim(0); n++) {
            for (int p = 0; p < pixels; p++) {
                for (int c = 0; c < channels; c++) {
                    int i = (n * pixels + p) * channels + c;
                    y[i] = x.at(i) + v.at(n * channels + c);
                }
            }
        }
        return List.of(y);
    }
}
