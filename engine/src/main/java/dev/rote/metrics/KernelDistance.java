package dev.rote.metrics;

/// The squared maximum mean discrepancy between features x of samples and y of real images under the cubic polynomial
/// kernel `k(a, b) = (a.b / d + 1)^3`, by the unbiased estimator over blocks of b of either:
///
/// `mean over i != j of k(x_i, x_j) + mean over i != j of k(y_i, y_j) - 2 mean over i, j of k(x_i, y_j)`
///
/// Bińkowski et al. 2018, arXiv:1801.01401, section 4; Gretton et al. 2012, eq. 3. Called KID when, and only when, the
/// features are Inception's pool features. Unbiased at every count, so it may be negative.
///
/// Common programs average over blocks drawn anew each time, which overlap. Here they are disjoint, in an order that
/// the seed decides: then they are independent, and Student's interval of their mean is one.
public final class KernelDistance {
    private static final int LARGEST = 1000;
    private static final int BLOCKS = 10;

    private KernelDistance() {}

    /// Mean over the blocks with its 95 % interval. Blocks hold 1000 of each kind, or a tenth of the smaller set if
    /// that is less.
    ///
    /// @param real `[m, d]`, 20 or more
    /// @param samples `[n, d]`, 20 or more
    /// @throws IllegalArgumentException if there are fewer, the dimensions differ or a value is not finite
    public static Interval of(Rows real, Rows samples, long seed, int threads) throws InterruptedException {
        int smaller = Math.min(real.count(), samples.count());
        if (smaller < 2 * BLOCKS || real.dimension() != samples.dimension()) {
            throw new IllegalArgumentException("kernel distance: expected at least " + 2 * BLOCKS
                    + " real images and samples of one dimension, got "
                    + real.count() + " of " + real.dimension() + " and " + samples.count() + " of "
                    + samples.dimension());
        }
        real.requireFinite("features of real images");
        samples.requireFinite("features of samples");
        int size = Math.min(LARGEST, smaller / BLOCKS);
        int[] ofReal = Subset.permutation(real.count(), seed);
        int[] ofSamples = Subset.permutation(samples.count(), seed + 1);
        double[] blocks = new double[smaller / size];
        for (int b = 0; b < blocks.length; b++) {
            blocks[b] = squared(
                    Subset.rows(samples, ofSamples, b * size, size),
                    Subset.rows(real, ofReal, b * size, size),
                    threads);
        }
        return StudentT.mean(blocks, 0.95);
    }

    /// The estimator over all pairs of two sets of equal count, 2 or more.
    static double squared(Rows samples, Rows real, int threads) throws InterruptedException {
        int n = samples.count();
        double[] x = values(samples);
        double[] y = values(real);
        double within = kernelSum(x, x, n, true, threads) + kernelSum(y, y, n, true, threads);
        return within / ((double) n * (n - 1)) - 2 * kernelSum(x, y, n, false, threads) / ((double) n * n);
    }

    /// Sum of the kernel over all pairs, in rows' order.
    private static double kernelSum(double[] x, double[] y, int n, boolean same, int threads)
            throws InterruptedException {
        int d = x.length / n;
        double[] products = Matrices.product(x, Matrices.transposed(y, n, d), n, d, n, threads);
        double sum = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double base = products[i * n + j] / d + 1;
                sum += same && i == j ? 0 : base * base * base;
            }
        }
        return sum;
    }

    private static double[] values(Rows rows) {
        double[] values = new double[rows.count() * rows.dimension()];
        for (int i = 0; i < values.length; i++) {
            values[i] = rows.at(i / rows.dimension(), i % rows.dimension());
        }
        return values;
    }
}
