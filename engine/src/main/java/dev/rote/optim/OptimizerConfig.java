package dev.rote.optim;

import dev.rote.graph.LearningRate;

/// Everything about an update except the buffers.
///
/// @param rate learning rate as a function of the step
/// @param weightDecay decoupled in AdamW, added to the gradient otherwise; 0 for none
/// @param clip largest global norm of the gradient; 0 for no clipping
/// @param ema decay of the averaged parameters; 0 for no average
public record OptimizerConfig(Rule rule, LearningRate rate, float weightDecay, float clip, float ema) {
    /// How gradients become an update.
    public sealed interface Rule {
        /// [dev.rote.graph.SgdUpdate]; study 1: momentum 0.95.
        record Sgd(float momentum) implements Rule {}

        /// [dev.rote.graph.AdamUpdate]; `decoupled` makes it AdamW.
        record Adam(float beta1, float beta2, float eps, boolean decoupled) implements Rule {}
    }

    /// @throws IllegalArgumentException if a number is out of range
    public OptimizerConfig {
        if (!(weightDecay >= 0 && clip >= 0 && ema >= 0 && ema < 1)) {
            throw new IllegalArgumentException(
                    "optimizer: expected weight decay and clip of at least 0 and ema in [0,1), found " + weightDecay
                            + ", " + clip + ", " + ema);
        }
    }

    /// SGD at a constant rate, without decay, clipping or average.
    public static OptimizerConfig sgd(float rate, float momentum) {
        return new OptimizerConfig(new Rule.Sgd(momentum), constant(rate), 0, 0, 0);
    }

    /// Adam with the usual betas (0.9, 0.999) and eps 1e-8 at a constant rate.
    public static OptimizerConfig adam(float rate) {
        return new OptimizerConfig(new Rule.Adam(0.9f, 0.999f, 1e-8f, false), constant(rate), 0, 0, 0);
    }

    private static LearningRate constant(float rate) {
        return new LearningRate(rate, rate, 0, 0, false);
    }
}
