package dev.rote.reference;

import dev.rote.graph.Broadcast;
import java.util.List;

/// Repetition along new axes.
final class BroadcastReference {
    private BroadcastReference() {}

    /// `y[a,r,b] = x[a,b]`, where r runs over the new axes together. Inputs x; output of the operation's shape.
    static List<double[]> forward(Broadcast op, List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        int before = (int) op.shape().elements(0, op.begin());
        int repeats = (int) op.shape().elements(op.begin(), op.end());
        int after = (int) op.shape().elements(op.end(), op.shape().rank());
        double[] y = new double[before * repeats * after];
        for (int a = 0; a < before; a++) {
            for (int r = 0; r < repeats; r++) {
                for (int b = 0; b < after; b++) {
                    y[(a * repeats + r) * after + b] = x.at(a * after + b);
                }
            }
        }
        return List.of(y);
    }
}
