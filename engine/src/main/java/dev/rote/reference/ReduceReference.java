package dev.rote.reference;

import dev.rote.graph.Reduce;
import java.util.List;

/// Sum or mean over neighbouring axes.
final class ReduceReference {
    private ReduceReference() {}

    /// `y[a,b] = sum_r x[a,r,b]`, divided by the number of r for the mean. Inputs x.
    static List<double[]> forward(Reduce op, List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        int before = (int) x.shape().elements(0, op.begin());
        int reduced = (int) x.shape().elements(op.begin(), op.end());
        int after = (int) x.shape().elements(op.end(), x.shape().rank());
        double[] y = new double[before * after];
        for (int a = 0; a < before; a++) {
            for (int b = 0; b < after; b++) {
                double sum = 0;
                for (int r = 0; r < reduced; r++) {
                    sum += x.at((a * reduced + r) * after + b);
                }
                y[a * after + b] = op.kind() == Reduce.Kind.MEAN ? sum / reduced : sum;
            }
        }
        return List.of(y);
    }
}
