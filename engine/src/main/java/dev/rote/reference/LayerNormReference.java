package dev.rote.reference;

import dev.rote.graph.LayerNorm;
import java.util.List;

/// Layer normalisation over the innermost dimension (Ba et al. 2016, arXiv:1607.06450, eq. 3-4): per row `mean`,
/// `rstd = 1/sqrt(mean((x-mean)^2) + eps)`, `xhat = (x-mean) rstd`, `y = xhat gamma[c] + beta[c]`.
final class LayerNormReference {
    private LayerNormReference() {}

    /// Inputs x [...,C], gamma [C], beta [C]; outputs y [...,C], mean [rows], rstd [rows].
    static List<double[]> forward(LayerNorm op, List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        double[] gamma = inputs.get(1).data();
        double[] beta = inputs.get(2).data();
        int channels = x.last();
        double[] y = new double[x.size()];
        double[] mean = new double[x.rows()];
        double[] rstd = new double[x.rows()];
        for (int row = 0; row < x.rows(); row++) {
            for (int c = 0; c < channels; c++) {
                mean[row] += x.at(row * channels + c) / channels;
            }
            double variance = 0;
            for (int c = 0; c < channels; c++) {
                double centred = x.at(row * channels + c) - mean[row];
                variance += centred * centred / channels;
            }
            rstd[row] = 1 / Math.sqrt(variance + op.eps());
            for (int c = 0; c < channels; c++) {
                int i = row * channels + c;
                y[i] = (x.at(i) - mean[row]) * rstd[row] * gamma[c] + beta[c];
            }
        }
        return List.of(y, mean, rstd);
    }

    /// With `dxhat = dy gamma`: `dx = rstd (dxhat - mean(dxhat) - xhat mean(dxhat xhat))` over the row,
    /// `dgamma = sum dy xhat`, `dbeta = sum dy` over the rows.
    /// Inputs dy, x [...,C], gamma [C], mean, rstd [rows]; outputs dx, dgamma [C], dbeta [C].
    static List<double[]> backward(List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        Tensor x = inputs.get(1);
        double[] gamma = inputs.get(2).data();
        double[] mean = inputs.get(3).data();
        double[] rstd = inputs.get(4).data();
        int channels = x.last();
        double[] dx = new double[x.size()];
        double[] dgamma = new double[channels];
        double[] dbeta = new double[channels];
        for (int row = 0; row < x.rows(); row++) {
            double dMean = 0;
            double dProduct = 0;
            for (int c = 0; c < channels; c++) {
                int i = row * channels + c;
                double xhat = (x.at(i) - mean[row]) * rstd[row];
                dgamma[c] += dy.at(i) * xhat;
                dbeta[c] += dy.at(i);
                dMean += dy.at(i) * gamma[c] / channels;
                dProduct += dy.at(i) * gamma[c] * xhat / channels;
            }
            for (int c = 0; c < channels; c++) {
                int i = row * channels + c;
                double xhat = (x.at(i) - mean[row]) * rstd[row];
                dx[i] = rstd[row] * (dy.at(i) * gamma[c] - dMean - xhat * dProduct);
            }
        }
        return List.of(dx, dgamma, dbeta);
    }
}
