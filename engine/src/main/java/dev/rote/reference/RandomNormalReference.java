package dev.rote.reference;

import dev.rote.graph.RandomNormal;
import dev.rote.random.Draw;
import dev.rote.random.Philox;
import java.util.List;

/// Standard normals by Box and Muller (1958) from Philox words (Salmon et al. 2011): the product's own numbers, whose
/// bits [Draw] defines.
final class RandomNormalReference {
    private RandomNormalReference() {}

    /// Element i is normal number `first + i` of (seed, step, purpose): cosine or sine of the pair of words it lies in.
    /// Inputs step [1]; output of the operation's shape.
    static List<double[]> forward(RandomNormal op, List<Tensor> inputs) {
        int step = (int) inputs.get(0).only();
        double[] y = new double[(int) op.shape().elements()];
        for (int i = 0; i < y.length; i++) {
            long element = op.first() + i;
            long even = element & ~1L;
            int radius = Philox.elementWord(op.seed(), even, step, op.purpose());
            int angle = Philox.elementWord(op.seed(), even + 1, step, op.purpose());
            y[i] = element == even ? Draw.normalCos(radius, angle) : Draw.normalSin(radius, angle);
        }
        return List.of(y);
    }
}
