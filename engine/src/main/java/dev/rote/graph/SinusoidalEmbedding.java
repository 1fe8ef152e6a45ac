package dev.rote.graph;

import java.util.List;

/// Sinusoidal embedding of diffusion times (Vaswani et al. 2017, section 3.5; Ho et al. 2020, arXiv:2006.11239,
/// appendix B).
///
/// With `half = width/2` and `f_i = base^(-i/divisor)`: `y[n,i] = sin(t[n] f_i)`, `y[n,half+i] = cos(t[n] f_i)`, the
/// halves
/// exchanged if `cosineFirst`. `divisor` is half - 1 in DDPM (and study 1) and half in iDDPM. Input t [N] f32;
/// output [N,width] f32. No gradient with respect to t.
public record SinusoidalEmbedding(int width, double base, int divisor, boolean cosineFirst) implements Op {
    public SinusoidalEmbedding {
        Check.that(width >= 2 && width % 2 == 0, "SinusoidalEmbedding", "an even width", width);
        Check.that(divisor >= 1, "SinusoidalEmbedding", "a divisor of at least 1", divisor);
    }

    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs(label(), inputs, 1, 1);
        TensorType t = inputs.getFirst();
        Check.that(t.shape().rank() == 1 && t.type() == DType.F32, label(), "t [N] f32", t);
        return List.of(TensorType.f32(t.shape().dim(0), width));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        return java.util.Collections.singletonList(null);
    }
}
