package dev.rote.reference;

import dev.rote.graph.LearningRate;
import java.util.List;

/// Linear warm-up, then constant or half a cosine (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5).
final class LearningRateReference {
    private LearningRateReference() {}

    /// Inputs step [1]; output [1].
    static List<double[]> forward(LearningRate op, List<Tensor> inputs) {
        double step = inputs.get(0).only();
        return List.of(new double[] {at(op, step)});
    }

    private static double at(LearningRate op, double step) {
        double peak = op.peak();
        double last = op.last();
        if (step < op.warmup()) {
            return peak * (step + 1) / op.warmup();
        }
        if (!op.cosine()) {
            return peak;
        }
        double progress = Math.min(1, (step - op.warmup()) / (op.total() - op.warmup()));
        return last + (peak - last) * (1 + Math.cos(Math.PI * progress)) / 2;
    }
}
