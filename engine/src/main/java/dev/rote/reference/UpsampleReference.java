package dev.rote.reference;

import java.util.List;

/// Nearest-neighbour enlargement by 2.
final class UpsampleReference {
    private UpsampleReference() {}

    /// `y[n,p,q,c] = x[n,p/2,q/2,c]`. Inputs x [N,H,W,C]; output [N,2H,2W,C].
    static List<double[]> forward(List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        double[] y = new double[4 * x.size()];
        for (int i = 0; i < y.length; i++) {
            y[i] = x.at(source(x.dim(1), x.dim(2), x.last(), i));
        }
        return List.of(y);
    }

    /// `dx[n,h,w,c] = sum over the four p, q with p/2 = h, q/2 = w of dy[n,p,q,c]`. Inputs dy [N,2H,2W,C].
    static List<double[]> backward(List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        double[] dx = new double[dy.size() / 4];
        for (int i = 0; i < dy.size(); i++) {
            dx[source(dy.dim(1) / 2, dy.dim(2) / 2, dy.last(), i)] += dy.at(i);
        }
        return List.of(dx);
    }

    /// Position in [N,height,width,C] from which position i of [N,2 height,2 width,C] comes.
    private static int source(int height, int width, int channels, int i) {
        int c = i % channels;
        int q = i / channels % (2 * width);
        int p = i / channels / (2 * width) % (2 * height);
        int n = i / channels / (2 * width) / (2 * height);
        return ((n * height + p / 2) * width + q / 2) * channels + c;
    }
}
