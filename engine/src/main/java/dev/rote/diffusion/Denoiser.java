package dev.rote.diffusion;

import dev.rote.graph.Value;

/// Writes a network into the graph at hand.
@FunctionalInterface
public interface Denoiser {
    /// @param x noisy images [N,H,W,C] f32
    /// @param t time indices [N] i32
    /// @return prediction [N,H,W,K] f32 with K of at least C; channels from C on are not used
    Value predict(Value x, Value t);
}
