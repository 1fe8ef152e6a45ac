package dev.rote.metrics;

import java.util.Arrays;
import java.util.Comparator;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/// Eigenvalues, and on request eigenvectors, of a symmetric matrix, largest eigenvalue first (EJML's implicit QR).
///
/// @param values `[size]`, descending
/// @param vectors `[size, size]`, row i belongs to `values[i]`; empty if only values were asked for
record SymmetricEigen(double[] values, double[] vectors) {
    /// @param a `[size, size]`, symmetric, finite; not changed
    static SymmetricEigen of(double[] a, int size, boolean withVectors) {
        EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(size, withVectors, true);
        if (!eigen.decompose(new DMatrixRMaj(size, size, true, a.clone()))) {
            throw new AssertionError("eigendecomposition of a symmetric matrix of size " + size + " did not converge");
        }
        Integer[] order = new Integer[size];
        Arrays.setAll(order, i -> i);
        Arrays.sort(
                order,
                Comparator.comparingDouble((Integer i) -> eigen.getEigenvalue(i).getReal())
                        .reversed());
        double[] values = new double[size];
        double[] vectors = new double[withVectors ? size * size : 0];
        for (int i = 0; i < size; i++) {
            values[i] = eigen.getEigenvalue(order[i]).getReal();
            if (withVectors) {
                System.arraycopy(eigen.getEigenVector(order[i]).getData(), 0, vectors, i * size, size);
            }
        }
        return new SymmetricEigen(values, vectors);
    }
}
