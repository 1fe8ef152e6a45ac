package dev.rote.reference;

import java.util.Arrays;
import java.util.List;

/// `y = exp(x - max) / sum exp(x - max)` over each row of the innermost dimension.
final class SoftmaxReference {
    private SoftmaxReference() {}

    /// Inputs x [...,C].
    static List<double[]> forward(List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        int channels = x.last();
        double[] y = new double[x.size()];
        for (int row = 0; row < x.rows(); row++) {
            double[] values = Arrays.copyOfRange(x.data(), row * channels, (row + 1) * channels);
            double logSum = AttentionReference.logSumExp(values);
            for (int c = 0; c < channels; c++) {
                y[row * channels + c] = Math.exp(values[c] - logSum);
            }
        }
        return List.of(y);
    }

    /// `dx = y (dy - sum_c dy y)`. Inputs dy, y [...,C].
    static List<double[]> backward(List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        Tensor y = inputs.get(1);
        int channels = y.last();
        double[] dx = new double[y.size()];
        for (int row = 0; row < y.rows(); row++) {
            double sum = 0;
            for (int c = 0; c < channels; c++) {
                sum += dy.at(row * channels + c) * y.at(row * channels + c);
            }
            for (int c = 0; c < channels; c++) {
                int i = row * channels + c;
                dx[i] = y.at(i) * (dy.at(i) - sum);
            }
        }
        return List.of(dx);
    }
}
