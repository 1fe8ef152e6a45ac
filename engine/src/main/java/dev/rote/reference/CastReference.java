package dev.rote.reference;

import java.util.List;

/// Conversion to a floating type. The reference holds every type as double, so nothing is rounded.
final class CastReference {
    private CastReference() {}

    /// `y = x`. Inputs x.
    static List<double[]> forward(List<Tensor> inputs) {
        return List.of(inputs.get(0).data().clone());
    }
}
