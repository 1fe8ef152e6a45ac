package dev.rote.reference;

import dev.rote.graph.SinusoidalEmbedding;
import java.util.List;

/// Sinusoidal embedding of times (Vaswani et al. 2017, arXiv:1706.03762, section 3.5; Ho et al. 2020,
/// arXiv:2006.11239, appendix B): with half = width/2 and `f_i = base^(-i/divisor)`, sines then cosines of `t[n] f_i`,
/// or
/// cosines first.
final class SinusoidalEmbeddingReference {
    private SinusoidalEmbeddingReference() {}

    /// Inputs t [N]; output [N,width].
    static List<double[]> forward(SinusoidalEmbedding op, List<Tensor> inputs) {
        Tensor t = inputs.get(0);
        int half = op.width() / 2;
        int sine = op.cosineFirst() ? half : 0;
        int cosine = op.cosineFirst() ? 0 : half;
        double[] y = new double[t.size() * op.width()]; // [N,width]
        for (int n = 0; n < t.size(); n++) {
            for (int i = 0; i < half; i++) {
                double angle = t.at(n) * Math.pow(op.base(), -(double) i / op.divisor());
                y[n * op.width() + sine + i] = Math.sin(angle);
                y[n * op.width() + cosine + i] = Math.cos(angle);
            }
        }
        return List.of(y);
    }
}
