package dev.rote.device.linalg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/// Products and eigendecompositions of [Matrix] with a given number of threads. The same numbers of threads and the
/// same processor give the same bits; another number adds in another order.
///
/// The number of threads is a setting of the library for the whole process: calls of instances that differ in it must
/// not overlap.
///
/// @param threads 1 or more
public record Lapack(int threads) {
    /// @throws IllegalArgumentException if `threads` is below 1
    public Lapack {
        if (threads < 1) {
            throw new IllegalArgumentException("threads: expected at least 1, found " + threads);
        }
    }

    /// `op(a) op(b)`.
    ///
    /// @throws IllegalArgumentException if the shapes do not fit
    public Matrix product(Matrix a, boolean transposeA, Matrix b, boolean transposeB) {
        Matrix c = new Matrix(transposeA ? a.columns() : a.rows(), transposeB ? b.rows() : b.columns());
        addProduct(1, a, transposeA, b, transposeB, 0, c);
        return c;
    }

    /// `c = alpha op(a) op(b) + beta c`.
    ///
    /// @throws IllegalArgumentException if the shapes do not fit
    public void addProduct(
            double alpha, Matrix a, boolean transposeA, Matrix b, boolean transposeB, double beta, Matrix c) {
        int inner = transposeA ? a.rows() : a.columns();
        if (inner != (transposeB ? b.columns() : b.rows())
                || c.rows() != (transposeA ? a.columns() : a.rows())
                || c.columns() != (transposeB ? b.rows() : b.columns())) {
            throw new IllegalArgumentException("product: expected factors that fit, found " + a
                    + (transposeA ? " transposed" : "") + " times " + b + (transposeB ? " transposed" : "") + " into "
                    + c);
        }
        OpenBlas.setThreads(threads);
        OpenBlas.dgemm(transposeA, transposeB, inner, alpha, a, b, beta, c);
    }

    /// The symmetric `c = alpha a a^T + beta c`, or `alpha a^T a + beta c` if transposed; half the work of a product.
    /// Only the upper half of `c` is read and written: [#mirror] fills the other.
    ///
    /// @throws IllegalArgumentException if the shapes do not fit
    public void addSquare(double alpha, Matrix a, boolean transpose, double beta, Matrix c) {
        int size = transpose ? a.columns() : a.rows();
        if (c.rows() != size || c.columns() != size) {
            throw new IllegalArgumentException("square: expected a result " + size + " x " + size + ", found " + c);
        }
        OpenBlas.setThreads(threads);
        OpenBlas.dsyrk(transpose, transpose ? a.rows() : a.columns(), alpha, a, beta, c);
    }

    /// Copies the upper half of a square matrix to its lower half.
    public static void mirror(Matrix c) {
        for (int i = 0; i < c.rows(); i++) {
            for (int j = 0; j < i; j++) {
                c.set(i, j, c.get(j, i));
            }
        }
    }

    /// Eigendecomposition of a symmetric matrix by divide and conquer (LAPACK's dsyevd), in the storage of `a`, which
    /// holds the vectors afterwards or is destroyed. Needs 2 size^2 doubles more with vectors.
    ///
    /// @throws IllegalArgumentException if `a` is not square
    /// @throws ArithmeticException if it holds a value that is not finite
    public Eigen eigen(Matrix a, boolean vectors) {
        if (a.rows() != a.columns()) {
            throw new IllegalArgumentException("eigenvalues: expected a square matrix, found " + a);
        }
        OpenBlas.setThreads(threads);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate((long) a.rows() * Double.BYTES, 64);
            int info = OpenBlas.dsyevd(vectors, a, values);
            if (info != 0) {
                throw new ArithmeticException("eigenvalues of a " + a + ": LAPACK answers " + info
                        + (info < 0 ? " (a value that is not finite, or too little memory)" : " (no convergence)"));
            }
            return new Eigen(values.toArray(ValueLayout.JAVA_DOUBLE), vectors ? Optional.of(a) : Optional.empty());
        }
    }
}
