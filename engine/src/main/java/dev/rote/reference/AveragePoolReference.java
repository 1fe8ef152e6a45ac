package dev.rote.reference;

import dev.rote.graph.AveragePool;
import java.util.List;

/// Mean of non-overlapping square blocks.
final class AveragePoolReference {
    private AveragePoolReference() {}

    /// `y[n,p,q,c] = mean over r, s < size of x[n, p size + r, q size + s, c]`. Inputs x [N,H,W,C].
    static List<double[]> forward(AveragePool op, List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        int height = x.dim(1);
        int width = x.dim(2);
        int channels = x.last();
        int size = op.size();
        double[] y = new double[x.size() / (size * size)]; // [N,H/size,W/size,C]
        for (int n = 0; n < x.dim(0); n++) {
            for (int h = 0; h < height; h++) {
                for (int w = 0; w < width; w++) {
                    for (int c = 0; c < channels; c++) {
                        int out = ((n * (height / size) + h / size) * (width / size) + w / size) * channels + c;
                        y[out] += x.at(((n * height + h) * width + w) * channels + c) / (size * size);
                    }
                }
            }
        }
        return List.of(y);
    }

    /// `dx[n,h,w,c] = dy[n,h/size,w/size,c] / size^2`. Inputs dy [N,P,Q,C]; output [N,P size,Q size,C].
    static List<double[]> backward(AveragePool.Backward op, List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        int size = op.size();
        int height = dy.dim(1) * size;
        int width = dy.dim(2) * size;
        int channels = dy.last();
        double[] dx = new double[dy.size() * size * size]; // [N,H,W,C]
        for (int n = 0; n < dy.dim(0); n++) {
            for (int h = 0; h < height; h++) {
                for (int w = 0; w < width; w++) {
                    for (int c = 0; c < channels; c++) {
                        int from = ((n * dy.dim(1) + h / size) * dy.dim(2) + w / size) * channels + c;
                        dx[((n * height + h) * width + w) * channels + c] = dy.at(from) / (size * size);
                    }
                }
            }
        }
        return List.of(dx);
    }
}
