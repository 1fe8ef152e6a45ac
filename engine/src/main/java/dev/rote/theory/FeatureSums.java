package dev.rote.theory;

import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;

/// Weighted sums over noisy points: `u = sum f^T f`, `[p, p]`, and `v = sum f^T xi`, `[p, d]`.
abstract sealed class FeatureSums implements AutoCloseable permits FeatureSums.Cpu, DeviceSums {
    /// The half on and above the diagonal counts.
    final Matrix u;

    final Matrix v;

    FeatureSums(Sizes sizes) {
        this.u = new Matrix(sizes.p(), sizes.p());
        this.v = new Matrix(sizes.p(), sizes.d());
    }

    /// Adds a block of points.
    ///
    /// @param features f, `[rows, p]`
    /// @param noise xi, `[rows, d]`
    abstract void add(double weight, Matrix features, Matrix noise);

    /// `[p, p]`, both halves; the sums end with it. Eigenvalues want a symmetric matrix, and a device's products
    /// `f_i f_j` and `f_j f_i` need not have the same bits: one half is copied to the other.
    final Matrix u() {
        Lapack.mirror(u);
        return u;
    }

    /// `[p, d]`
    final Matrix v() {
        return v;
    }

    @Override
    public abstract void close();

    /// Products in f64.
    static final class Cpu extends FeatureSums {
        private final Lapack lapack;

        Cpu(Sizes sizes, Lapack lapack) {
            super(sizes);
            this.lapack = lapack;
        }

        @Override
        void add(double weight, Matrix features, Matrix noise) {
            lapack.addSquare(weight, features, true, 1, u);
            lapack.addProduct(weight, features, true, noise, false, 1, v);
        }

        @Override
        public void close() {}
    }
}
