package dev.rote.reference;

import dev.rote.graph.Concat;
import java.util.List;

/// Tensors side by side along one axis.
final class ConcatReference {
    private ConcatReference() {}

    /// Seen along the axis, each input is [before,extent,after]. Inputs any number; output the extents' sum.
    static List<double[]> forward(Concat op, List<Tensor> inputs) {
        Tensor first = inputs.get(0);
        int before = (int) first.shape().elements(0, op.axis());
        int after = (int) first.shape().elements(op.axis() + 1, first.shape().rank());
        int total = inputs.stream().mapToInt(input -> input.dim(op.axis())).sum();
        double[] y = new double[before * total * after];
        int begin = 0;
        for (Tensor x : inputs) {
            int extent = x.dim(op.axis());
            for (int a = 0; a < before; a++) {
                for (int e = 0; e < extent; e++) {
                    for (int b = 0; b < after; b++) {
                        y[(a * total + begin + e) * after + b] = x.at((a * extent + e) * after + b);
                    }
                }
            }
            begin += extent;
        }
        return List.of(y);
    }
}
