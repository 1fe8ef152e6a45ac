package dev.rote.metrics;

/// Cosine similarity `a.b / (|a| |b|)` of pairs of images. Two models that were trained on disjoint halves of a data
/// set and draw from the same noise make nearly the same images while they generalise, and different ones once they
/// memorize (Kadkhodaie et al. 2024, arXiv:2310.02557, figure 2). Beside it belongs the similarity of each sample to
/// its nearest training image.
///
/// Whether a mean is subtracted first changes the value much: say which.
public final class CosineSimilarity {
    private CosineSimilarity() {}

    /// Similarity of row i of `a` and row i of `b`; 0 where one of them is 0.
    ///
    /// @throws IllegalArgumentException if the shapes differ
    public static double[] ofPairs(Rows a, Rows b) {
        if (a.count() != b.count() || a.dimension() != b.dimension()) {
            throw new IllegalArgumentException("cosine similarity: expected pairs, got [" + a.count() + ", "
                    + a.dimension() + "] and [" + b.count() + ", " + b.dimension() + "]");
        }
        double[] similarities = new double[a.count()];
        for (int i = 0; i < similarities.length; i++) {
            similarities[i] = between(a, i, b, i);
        }
        return similarities;
    }

    /// Similarity of each sample to its nearest training image.
    ///
    /// @param found the samples' nearest training images
    public static double[] toNearest(Rows samples, Rows training, Neighbours found) {
        double[] similarities = new double[samples.count()];
        for (int i = 0; i < similarities.length; i++) {
            similarities[i] = between(samples, i, training, found.index(i, 0));
        }
        return similarities;
    }

    private static double between(Rows a, int i, Rows b, int j) {
        int d = a.dimension();
        float[] x = new float[d];
        float[] y = new float[d];
        a.copy(i, 0, d, x, 0);
        b.copy(j, 0, d, y, 0);
        double dot = 0;
        double squaresX = 0;
        double squaresY = 0;
        for (int k = 0; k < d; k++) {
            dot += (double) x[k] * y[k];
            squaresX += (double) x[k] * x[k];
            squaresY += (double) y[k] * y[k];
        }
        double norms = Math.sqrt(squaresX) * Math.sqrt(squaresY);
        return norms == 0 ? 0 : Math.clamp(dot / norms, -1.0, 1.0);
    }
}
