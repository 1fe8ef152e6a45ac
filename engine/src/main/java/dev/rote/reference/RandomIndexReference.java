package dev.rote.reference;

import dev.rote.graph.RandomIndex;
import dev.rote.random.Philox;
import java.util.List;

/// Uniform integers from Philox words (Salmon et al. 2011).
final class RandomIndexReference {
    private RandomIndexReference() {}

    /// Element i is `low + floor(word (high - low + 1) / 2^32)`, word = Philox word `first + i` of (seed, step,
    /// purpose).
    /// Inputs step [1]; output [count].
    static List<double[]> forward(RandomIndex op, List<Tensor> inputs) {
        int step = (int) inputs.get(0).only();
        long values = (long) op.high() - op.low() + 1;
        double[] y = new double[op.count()];
        for (int i = 0; i < y.length; i++) {
            int word = Philox.elementWord(op.seed(), op.first() + i, step, op.purpose());
            y[i] = op.low() + (Integer.toUnsignedLong(word) * values >>> 32);
        }
        return List.of(y);
    }
}
