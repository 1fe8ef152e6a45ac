package dev.rote.device.cpu;

import dev.rote.graph.Dropout;
import dev.rote.random.Bernoulli;
import dev.rote.random.Philox;

/// The factors of a [Dropout]: 0 or 1/(1 - rate), from (seed, purpose, step, element).
final class DropoutMask {
    private final Dropout op;
    private final long stepAt;
    private final int threshold;
    private final float kept;
    private int step;

    DropoutMask(Dropout op, long stepAt) {
        this.op = op;
        this.stepAt = stepAt;
        this.threshold = Bernoulli.threshold(op.rate());
        this.kept = 1 / (1 - op.rate());
    }

    /// Reads the step.
    void begin() {
        step = Memory.getInt(stepAt);
    }

    /// Factors of image n of this lane.
    void fill(int n, int perImage, float[] factors) {
        long begin = (op.firstImage() + n) * perImage;
        for (int i = 0; i < perImage; i++) {
            int word = Philox.elementWord(op.seed(), begin + i, step, op.purpose());
            factors[i] = Bernoulli.keep(word, threshold) ? kept : 0;
        }
    }
}
