package dev.rote.reference;

import java.util.List;

/// Euclidean norm.
final class GlobalNormReference {
    private GlobalNormReference() {}

    /// `sqrt(sum x^2)`. Inputs x; output [1].
    static List<double[]> forward(List<Tensor> inputs) {
        double sum = 0;
        for (double x : inputs.get(0).data()) {
            sum += x * x;
        }
        return List.of(new double[] {Math.sqrt(sum)});
    }
}
