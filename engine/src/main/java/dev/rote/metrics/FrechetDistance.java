package dev.rote.metrics;

import java.util.Arrays;

/// The squared Fréchet (Wasserstein-2) distance between the Gaussians with the same means and covariances:
///
/// `d^2 = |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1^(1/2) S2 S1^(1/2))^(1/2))`
///
/// Dowson & Landau 1982 (J. Multivariate Analysis 12, eq. 4); Heusel et al. 2017, arXiv:1706.08500, eq. 6. Called FID
/// when, and only when, the features are Inception's pool features; like there, the squared distance is reported.
///
/// The estimate is biased upwards by an amount that falls with the number of samples (Chong & Forsyth 2020,
/// arXiv:1911.07023): compare only values with equal counts, and state them.
public final class FrechetDistance {
    private FrechetDistance() {}

    /// d^2 between two sets of features.
    ///
    /// Numerics: with S1 = Q diag(l) Q^T, eigenvalues below dimension * 2^-52 of the largest are rounding noise of a
    /// singular covariance (fewer samples than dimensions) and are dropped; what remains of S1^(1/2) S2 S1^(1/2) is
    /// formed
    /// in the basis of S1's range, where it has at most count - 1 rows. Its eigenvalues are clamped at 0 before the
    /// root.
    /// No multiple of the identity is added. The error is about 1e-8 of the largest eigenvalue per dropped or tiny one.
    ///
    /// Cost: two symmetric eigendecompositions; measured 2.4 ms for 64 dimensions, 46 s for 2048 (one core).
    ///
    /// @throws IllegalArgumentException if the dimensions differ or a value is not finite
    public static double between(FrechetStatistics a, FrechetStatistics b) {
        if (a.dimension() != b.dimension()) {
            throw new IllegalArgumentException(
                    "Fréchet distance: dimensions differ, " + a.dimension() + " and " + b.dimension());
        }
        requireFinite(a);
        requireFinite(b);
        int d = a.dimension();
        double means = 0;
        for (int j = 0; j < d; j++) {
            double difference = a.mean()[j] - b.mean()[j];
            means += difference * difference;
        }
        double traces = Matrices.trace(a.covariance(), d) + Matrices.trace(b.covariance(), d);
        return Math.max(0, means + (traces - 2 * traceOfRoot(a.covariance(), b.covariance(), d)));
    }

    /// tr((S1^(1/2) S2 S1^(1/2))^(1/2)).
    private static double traceOfRoot(double[] s1, double[] s2, int d) {
        SymmetricEigen eigen = SymmetricEigen.of(s1, d, true);
        int rank = 0;
        while (rank < d && eigen.values()[rank] > d * 0x1p-52 * eigen.values()[0]) {
            rank++;
        }
        if (rank == 0) {
            return 0;
        }
        double[] root = Arrays.copyOf(eigen.vectors(), rank * d); // diag(l)^(1/2) Q^T  [rank, d]
        for (int i = 0; i < rank; i++) {
            double scale = Math.sqrt(eigen.values()[i]);
            for (int j = 0; j < d; j++) {
                root[i * d + j] *= scale;
            }
        }
        double[] half = product(root, s2, rank, d, d);
        double[] inner = product(half, Matrices.transposed(root, rank, d), rank, d, rank);
        Matrices.symmetrize(inner, rank);
        double sum = 0;
        for (double value : SymmetricEigen.of(inner, rank, false).values()) {
            sum += Math.sqrt(Math.max(0, value));
        }
        return sum;
    }

    private static double[] product(double[] a, double[] b, int rows, int inner, int columns) {
        double[] c = new double[rows * columns];
        Matrices.addProduct(a, b, 0, rows, inner, columns, c);
        return c;
    }

    private static void requireFinite(FrechetStatistics s) {
        boolean finite = Arrays.stream(s.mean()).allMatch(Double::isFinite)
                && Arrays.stream(s.covariance()).allMatch(Double::isFinite);
        if (!finite) {
            throw new IllegalArgumentException("Fréchet distance: mean or covariance is not finite");
        }
    }
}
