package dev.rote.graph;

import java.util.List;

/// Learning rate as a function of the step: linear warm-up over `warmup` steps (step s of the warm-up has
/// peak (s+1)/warmup), then constant, or half a cosine from `peak` to `last` that ends at `total` steps
/// (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5). Input step [1] i32; output [1] f32.
public record LearningRate(float peak, float last, int warmup, int total, boolean cosine) implements Op {
    public LearningRate {
        Check.that(warmup >= 0, "LearningRate", "a warm-up of at least 0 steps", warmup);
        Check.that(!cosine || total > warmup, "LearningRate", "more steps than the warm-up's " + warmup, total);
    }

    /// The learning rate of the update numbered `step`, counted from 0.
    public float at(long step) {
        if (step < warmup) {
            return (float) ((double) peak * (step + 1) / warmup);
        }
        if (!cosine) {
            return peak;
        }
        double progress = Math.min(1.0, (double) (step - warmup) / (total - warmup));
        return (float) (last + 0.5 * ((double) peak - last) * (1 + StrictMath.cos(Math.PI * progress)));
    }

    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("LearningRate", inputs, 1, 1);
        Check.scalar("LearningRate", "step", inputs.getFirst(), DType.I32);
        return List.of(TensorType.f32(1));
    }
}
