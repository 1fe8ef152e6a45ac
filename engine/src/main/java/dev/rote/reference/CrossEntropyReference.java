package dev.rote.reference;

import dev.rote.graph.CrossEntropy;
import java.util.Arrays;
import java.util.List;

/// `loss = weight sum_m (logsumexp(logits[m]) - logits[m,label[m]])`, in nats.
final class CrossEntropyReference {
    private CrossEntropyReference() {}

    /// Inputs logits [M,V], label [M]; output [1].
    ///
    /// @throws IllegalArgumentException if a label is outside [0,V)
    static List<double[]> forward(CrossEntropy op, List<Tensor> inputs) {
        Tensor logits = inputs.get(0);
        double sum = 0;
        for (int m = 0; m < logits.dim(0); m++) {
            double[] row = row(logits, m);
            sum += AttentionReference.logSumExp(row) - row[label(inputs.get(1), m, row.length)];
        }
        return List.of(new double[] {op.weight() * sum});
    }

    /// `dlogits = weight (softmax(logits) - onehot(label)) dloss`. Inputs logits [M,V], label [M], dloss [1].
    static List<double[]> backward(CrossEntropy.Backward op, List<Tensor> inputs) {
        Tensor logits = inputs.get(0);
        double dloss = inputs.get(2).only();
        double[] dlogits = new double[logits.size()]; // [M,V]
        for (int m = 0; m < logits.dim(0); m++) {
            double[] row = row(logits, m);
            double logSum = AttentionReference.logSumExp(row);
            int label = label(inputs.get(1), m, row.length);
            for (int v = 0; v < row.length; v++) {
                double target = v == label ? 1 : 0;
                dlogits[m * row.length + v] = op.weight() * (Math.exp(row[v] - logSum) - target) * dloss;
            }
        }
        return List.of(dlogits);
    }

    private static double[] row(Tensor logits, int m) {
        return Arrays.copyOfRange(logits.data(), m * logits.last(), (m + 1) * logits.last());
    }

    private static int label(Tensor labels, int m, int classes) {
        return EmbeddingReference.index(labels.at(m), classes, "CrossEntropy: label " + m);
    }
}
