package dev.rote.reference;

import dev.rote.graph.Embedding;
import java.util.List;

/// Rows of a table.
final class EmbeddingReference {
    private EmbeddingReference() {}

    /// `y[n,:] = table[index[n],:]`. Inputs table [V,C], index [N]; output [N,C].
    ///
    /// @throws IllegalArgumentException if an index is outside [0,V)
    static List<double[]> forward(List<Tensor> inputs) {
        Tensor table = inputs.get(0);
        Tensor index = inputs.get(1);
        int channels = table.last();
        double[] y = new double[index.size() * channels]; // [N,C]
        for (int n = 0; n < index.size(); n++) {
            int row = index(index.at(n), table.dim(0), "Embedding: index " + n);
            for (int c = 0; c < channels; c++) {
                y[n * channels + c] = table.at(row * channels + c);
            }
        }
        return List.of(y);
    }

    /// `dtable[v,:] = sum over n with index[n] = v of dy[n,:]`. Inputs dy [N,C], index [N]; output [V,C].
    static List<double[]> backward(Embedding.Backward op, List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        Tensor index = inputs.get(1);
        int channels = dy.last();
        double[] dtable = new double[op.rows() * channels]; // [V,C]
        for (int n = 0; n < index.size(); n++) {
            int row = index(index.at(n), op.rows(), "Embedding: index " + n);
            for (int c = 0; c < channels; c++) {
                dtable[row * channels + c] += dy.at(n * channels + c);
            }
        }
        return List.of(dtable);
    }

    static int index(double number, int count, String what) {
        if (!(number >= 0 && number < count)) {
            throw new IllegalArgumentException(what + ": expected 0 to " + (count - 1) + ", found " + number);
        }
        return (int) number;
    }
}
