package dev.rote.theory;

import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;

/// Weighted sums over noisy points: `u = sum f^T f` and `v = sum f^T xi`.
sealed interface FeatureSums extends AutoCloseable permits FeatureSums.Cpu, DeviceSums {
    /// Adds a block of points.
    ///
    /// @param features f, `[rows, p]`
    /// @param noise xi, `[rows, d]`
    void add(double weight, Matrix features, Matrix noise);

    /// `[p, p]`, both halves; the sums end with it.
    Matrix u();

    /// `[p, d]`
    Matrix v();

    @Override
    void close();

    /// Products in f64.
    final class Cpu implements FeatureSums {
        private final Lapack lapack;
        private final Matrix u;
        private final Matrix v;

        Cpu(Sizes sizes, Lapack lapack) {
            this.lapack = lapack;
            this.u = new Matrix(sizes.p(), sizes.p());
            this.v = new Matrix(sizes.p(), sizes.d());
        }

        @Override
        public void add(double weight, Matrix features, Matrix noise) {
            lapack.addSquare(weight, features, true, 1, u);
            lapack.addProduct(weight, features, true, noise, false, 1, v);
        }

        @Override
        public Matrix u() {
            Lapack.mirror(u);
            return u;
        }

        @Override
        public Matrix v() {
            return v;
        }

        @Override
        public void close() {}
    }
}
