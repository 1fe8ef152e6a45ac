package dev.rote.reference;

import dev.rote.graph.Fill;
import java.util.Arrays;
import java.util.List;

/// A tensor of one number.
final class FillReference {
    private FillReference() {}

    /// No input.
    static List<double[]> forward(Fill op) {
        double[] y = new double[(int) op.type().elements()];
        Arrays.fill(y, op.number());
        return List.of(y);
    }
}
