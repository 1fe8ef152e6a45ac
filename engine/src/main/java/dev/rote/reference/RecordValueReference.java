package dev.rote.reference;

import java.util.List;

/// A ring of recorded values.
final class RecordValueReference {
    private RecordValueReference() {}

    /// `ring[step mod capacity] = value`. Changes the ring. Inputs value [1], step [1], ring [capacity].
    static List<double[]> update(List<Tensor> inputs) {
        double[] ring = inputs.get(2).data();
        long step = (long) inputs.get(1).only();
        ring[(int) (step % ring.length)] = inputs.get(0).only();
        return List.of();
    }
}
