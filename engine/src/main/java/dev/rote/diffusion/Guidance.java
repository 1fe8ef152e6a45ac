package dev.rote.diffusion;

import dev.rote.graph.Graph;
import dev.rote.graph.Mix;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;

/// Classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598, eq. 6): samplers follow `(1 + w) e(x, t, c) - w e(x,
/// t)` instead of the conditional prediction `e(x, t, c)`. It is linear, so it holds for any objective. Costs a second
/// evaluation of the network.
public final class Guidance {
    private Guidance() {}

    /// @param conditional predicts for the class of each image
    /// @param unconditional predicts for no class; both write into `graph`
    /// @param weight w; 0 is the conditional network
    public static Denoiser of(Graph graph, Denoiser conditional, Denoiser unconditional, double weight) {
        if (weight == 0) {
            return conditional;
        }
        return (x, t) -> graph.apply(
                new Mix(),
                conditional.predict(x, t),
                unconditional.predict(x, t),
                number(graph, "guidance of the class", 1 + weight),
                number(graph, "guidance of no class", -weight));
    }

    private static Value number(Graph graph, String name, double value) {
        return graph.constant(name, TensorType.f32(1), new float[] {(float) value});
    }
}
