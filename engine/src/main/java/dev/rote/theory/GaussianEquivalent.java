package dev.rote.theory;

import dev.rote.device.linalg.Eigen;
import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;
import dev.rote.theory.Normals.Stream;
import java.util.Arrays;

/// A draw of the Gaussian equivalent of the model (arXiv:2505.17638, section 3 and supplement):
/// `U = G G^T / n + b^2 W W^T / d + s^2 I` with `G = e^-t a W X'/sqrt(d) + v Omega`, `V = b W / sqrt(d)`, and for
/// the population `U = (mu1/Gamma)^2 W Sigma_t W^T / d + (power - mu1^2) I` with the same V.
///
/// U - s^2 I = M M^T with `M = [G / sqrt(n), b W / sqrt(d)]`, `[p, n + d]`: where p is larger, the p - n - d
/// eigenvalues s^2 belong to directions that V does not reach, and everything follows from M^T M.
public final class GaussianEquivalent {
    private final Sizes sizes;
    private final Scalars scalars;
    private final Spectrum covariance;
    private final double[] sigma;
    private final Matrix factor;
    private final Lapack lapack;

    private GaussianEquivalent(
            Sizes sizes, Scalars scalars, Spectrum covariance, double[] sigma, Matrix factor, Lapack lapack) {
        this.sizes = sizes;
        this.scalars = scalars;
        this.covariance = covariance;
        this.sigma = sigma;
        this.factor = factor;
        this.lapack = lapack;
    }

    /// Draws W, the training points and Omega.
    ///
    /// @param covariance of the data
    public static GaussianEquivalent draw(Sizes sizes, Scalars scalars, Spectrum covariance, long seed, Lapack lapack) {
        int d = sizes.d();
        int n = sizes.n();
        int p = sizes.p();
        Matrix w = Normals.matrix(0, p, d, seed, Stream.FEATURES);
        Matrix x = new Population.Elliptical(covariance, d, 0).draw(0, n, seed, false);
        Matrix g = Normals.matrix(0, p, n, seed, Stream.OMEGA);
        lapack.addProduct(scalars.decay() * scalars.a() / Math.sqrt(d), w, false, x, true, Math.sqrt(scalars.v2()), g);
        Matrix factor = new Matrix(p, n + d);
        double[] row = new double[n + d];
        for (int i = 0; i < p; i++) {
            double[] left = g.row(i);
            double[] right = w.row(i);
            for (int j = 0; j < n; j++) {
                row[j] = left[j] / Math.sqrt(n);
            }
            for (int j = 0; j < d; j++) {
                row[n + j] = scalars.b() * right[j] / Math.sqrt(d);
            }
            factor.setRow(i, row);
        }
        return new GaussianEquivalent(sizes, scalars, covariance, covariance.eigenvalues(d), factor, lapack);
    }

    public Sizes sizes() {
        return sizes;
    }

    /// All p eigenvalues of U, ascending.
    public double[] eigenvalues() {
        double[] values = new double[sizes.p()];
        Arrays.fill(values, scalars.s2());
        double[] found = lapack.eigen(square(isTall()), false).values();
        int first = sizes.p() - found.length;
        for (int i = 0; i < found.length; i++) {
            values[first + i] += Math.max(found[i], 0);
        }
        return values;
    }

    /// The modes that take part in training: n + d of them, or p if that is less.
    public Modes modes() {
        boolean tall = isTall();
        Eigen eigen = lapack.eigen(square(tall), true);
        Matrix vectors = eigen.vectors().orElseThrow();
        int d = sizes.d();
        int n = sizes.n();
        int count = vectors.rows();
        double[] values = new double[count];
        Matrix overlaps = tall ? new Matrix(count, d) : lapack.product(vectors, false, population(), false);
        for (int k = 0; k < count; k++) {
            double square = Math.max(eigen.values()[k], 0);
            values[k] = scalars.s2() + square;
            for (int j = 0; j < d && tall; j++) {
                // e_k = M q_k / sigma_k, and V is the last d columns of M.
                overlaps.set(k, j, Math.sqrt(square) * vectors.get(k, n + j));
            }
        }
        return Modes.ofPopulation(sizes, scalars, sigma, values, overlaps, truth(), lapack);
    }

    /// U and V in full, `[p, p]` and `[p, d]`.
    public Moments moments() {
        Matrix u = square(false);
        Matrix v = population();
        Matrix testU = new Matrix(sizes.p(), sizes.p());
        Matrix noisy = v.copy();
        double decay2 = scalars.decay() * scalars.decay();
        for (int i = 0; i < sizes.p(); i++) {
            u.add(i, i, scalars.s2());
            for (int j = 0; j < sizes.d(); j++) {
                noisy.set(i, j, v.get(i, j) * (decay2 * sigma[j] + scalars.delta()) / scalars.delta());
            }
        }
        lapack.addProduct(1, noisy, false, v, true, 0, testU);
        for (int i = 0; i < sizes.p(); i++) {
            testU.add(i, i, scalars.power() - scalars.mu1() * scalars.mu1());
        }
        return new Moments(sizes, scalars.delta(), u, v, testU, v, truth());
    }

    private double truth() {
        return covariance.inverseNoisy(scalars);
    }

    private boolean isTall() {
        return sizes.n() + sizes.d() < sizes.p();
    }

    /// M^T M or M M^T.
    private Matrix square(boolean transposed) {
        int size = transposed ? factor.columns() : factor.rows();
        Matrix square = new Matrix(size, size);
        lapack.addSquare(1, factor, transposed, 0, square);
        Lapack.mirror(square);
        return square;
    }

    /// V, the last d columns of M.
    private Matrix population() {
        Matrix v = new Matrix(sizes.p(), sizes.d());
        for (int i = 0; i < sizes.p(); i++) {
            v.setRow(i, Arrays.copyOfRange(factor.row(i), sizes.n(), sizes.n() + sizes.d()));
        }
        return v;
    }
}
