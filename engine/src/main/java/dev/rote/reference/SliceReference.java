package dev.rote.reference;

import dev.rote.graph.Slice;
import java.util.List;

/// Consecutive entries of one axis. Seen along the axis, a tensor is [before,extent,after].
final class SliceReference {
    private SliceReference() {}

    /// `y[a,e,b] = x[a, begin + e, b]` for e < size. Inputs x.
    static List<double[]> forward(Slice op, List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        int extent = x.dim(op.axis());
        int before = (int) x.shape().elements(0, op.axis());
        int after = (int) x.shape().elements(op.axis() + 1, x.shape().rank());
        double[] y = new double[before * op.size() * after];
        for (int a = 0; a < before; a++) {
            for (int e = 0; e < op.size(); e++) {
                for (int b = 0; b < after; b++) {
                    y[(a * op.size() + e) * after + b] = x.at((a * extent + op.begin() + e) * after + b);
                }
            }
        }
        return List.of(y);
    }

    /// `dx[a, begin + e, b] = dy[a,e,b]`, zero elsewhere. Inputs dy.
    static List<double[]> backward(Slice.Backward op, List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        int size = dy.dim(op.axis());
        int before = (int) dy.shape().elements(0, op.axis());
        int after = (int) dy.shape().elements(op.axis() + 1, dy.shape().rank());
        double[] dx = new double[before * op.extent() * after];
        for (int a = 0; a < before; a++) {
            for (int e = 0; e < size; e++) {
                for (int b = 0; b < after; b++) {
                    dx[(a * op.extent() + op.begin() + e) * after + b] = dy.at((a * size + e) * after + b);
                }
            }
        }
        return List.of(dx);
    }
}
