package dev.rote.graph;

import java.util.List;

/// `y = min(max(x, low), high)` of each finite element. What is not finite stays what it is, so that nobody takes a
/// model that diverged for one that draws white pictures. No gradient: samplers clamp, losses do not.
public record Clamp(float low, float high) implements Op {
    public Clamp {
        Check.that(low < high, "Clamp", "low < high", low + ", " + high);
    }

    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Clamp", inputs, 1, 1);
        Check.floating("Clamp", "x", inputs.getFirst());
        return inputs;
    }

    @Override
    public int overwrites() {
        return 0;
    }
}
