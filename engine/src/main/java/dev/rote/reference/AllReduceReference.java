package dev.rote.reference;

import java.util.List;

/// The sum over all lanes. The reference has one lane, so it is the value itself.
final class AllReduceReference {
    private AllReduceReference() {}

    /// Changes nothing.
    static List<double[]> update() {
        return List.of();
    }
}
