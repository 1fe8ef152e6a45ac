package dev.rote.reference;

import dev.rote.graph.Linear;
import java.util.List;

/// `y[m,k] = bias[k] + sum_c x[m,c] w[k,c]`, where m counts the rows of the innermost dimension.
final class LinearReference {
    private LinearReference() {}

    /// Inputs x [M,C], w [K,C], optional bias [K]; output y [M,K].
    static List<double[]> forward(List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        Tensor w = inputs.get(1);
        int channels = x.last();
        int outputs = w.dim(0);
        double[] y = new double[x.rows() * outputs]; // [M,K]
        for (int m = 0; m < x.rows(); m++) {
            for (int k = 0; k < outputs; k++) {
                double sum = inputs.size() == 3 ? inputs.get(2).at(k) : 0;
                for (int c = 0; c < channels; c++) {
                    sum += x.at(m * channels + c) * w.at(k * channels + c);
                }
                y[m * outputs + k] = sum;
            }
        }
        return List.of(y);
    }

    /// `dx[m,c] = sum_k dy[m,k] w[k,c]`. Inputs dy [M,K], w [K,C]; output dx [M,C].
    static List<double[]> backwardData(List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        Tensor w = inputs.get(1);
        int channels = w.dim(1);
        int outputs = w.dim(0);
        double[] dx = new double[dy.rows() * channels]; // [M,C]
        for (int m = 0; m < dy.rows(); m++) {
            for (int k = 0; k < outputs; k++) {
                for (int c = 0; c < channels; c++) {
                    dx[m * channels + c] += dy.at(m * outputs + k) * w.at(k * channels + c);
                }
            }
        }
        return List.of(dx);
    }

    /// `dw[k,c] = sum_m dy[m,k] x[m,c]`, `dbias[k] = sum_m dy[m,k]`. Inputs x [M,C], dy [M,K]; outputs dw, dbias.
    static List<double[]> backwardWeight(Linear.BackwardWeight op, List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        Tensor dy = inputs.get(1);
        int channels = x.last();
        int outputs = dy.last();
        double[] dw = new double[outputs * channels]; // [K,C]
        double[] dbias = new double[outputs]; // [K]
        for (int m = 0; m < x.rows(); m++) {
            for (int k = 0; k < outputs; k++) {
                dbias[k] += dy.at(m * outputs + k);
                for (int c = 0; c < channels; c++) {
                    dw[k * channels + c] += dy.at(m * outputs + k) * x.at(m * channels + c);
                }
            }
        }
        return op.bias() ? List.of(dw, dbias) : List.of(dw);
    }
}
