package dev.rote.metrics;

/// Mean and covariance of a set of feature vectors: all that [FrechetDistance] needs of it. Compute those of the
/// reference images once.
///
/// @param count number of vectors, 2 or more
/// @param mean `[dimension]`
/// @param covariance `[dimension, dimension]`, unbiased (divided by count - 1)
public record FrechetStatistics(int count, double[] mean, double[] covariance) {
    public FrechetStatistics {
        if (count < 2 || mean.length < 1 || covariance.length != (long) mean.length * mean.length) {
            throw new IllegalArgumentException(
                    "Fréchet statistics: expected count >= 2 and a square covariance, got count " + count + ", mean ["
                            + mean.length + "], " + covariance.length + " covariances");
        }
    }

    /// Statistics of `features [count, dimension]`, in two passes (mean, then deviations).
    ///
    /// @throws IllegalArgumentException if there are fewer than 2 rows, or a value is not finite
    /// @throws InterruptedException if the calling thread is interrupted
    public static FrechetStatistics of(Rows features, int threads) throws InterruptedException {
        int n = features.count();
        int d = features.dimension();
        if (n < 2) {
            throw new IllegalArgumentException("Fréchet statistics: expected at least 2 rows, got " + n);
        }
        features.requireFinite("features");
        double[] rows = new double[Math.multiplyExact(n, d)];
        double[] mean = new double[d];
        float[] line = new float[d];
        for (int i = 0; i < n; i++) {
            features.copy(i, 0, d, line, 0);
            for (int j = 0; j < d; j++) {
                rows[i * d + j] = line[j];
                mean[j] += line[j];
            }
        }
        for (int j = 0; j < d; j++) {
            mean[j] /= n;
        }
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < d; j++) {
                rows[i * d + j] -= mean[j];
            }
        }
        double[] covariance = Matrices.product(Matrices.transposed(rows, n, d), rows, d, n, d, threads);
        for (int j = 0; j < covariance.length; j++) {
            covariance[j] /= n - 1;
        }
        Matrices.symmetrize(covariance, d);
        return new FrechetStatistics(n, mean, covariance);
    }

    /// Length of the feature vectors.
    public int dimension() {
        return mean.length;
    }
}
