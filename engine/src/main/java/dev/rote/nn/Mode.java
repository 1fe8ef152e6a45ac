package dev.rote.nn;

import dev.rote.graph.Value;

/// What a network is written for.
public sealed interface Mode {
    /// Sampling and measuring: no dropout.
    record Evaluation() implements Mode {}

    /// Training: dropout is active.
    ///
    /// @param seed the run's seed
    /// @param step counter [1] i32 of the optimizer update, so that each has masks of its own
    /// @param firstImage number within the whole batch of this graph's first image, so that masks do not depend on
    ///     lanes
    /// @param labelDrop probability that an image's class label is dropped, for classifier-free guidance
    record Training(long seed, Value step, long firstImage, double labelDrop) implements Mode {}

    static Mode evaluation() {
        return new Evaluation();
    }

    /// Training that keeps every label.
    static Mode training(long seed, Value step, long firstImage) {
        return new Training(seed, step, firstImage, 0);
    }
}
