package dev.rote.theory;

import dev.rote.device.linalg.Eigen;
import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;

/// A model in the eigenbasis e_k of U: what [GradientFlow] needs.
///
/// @param sizes of the model
/// @param delta variance of the noise
/// @param values eigenvalues lambda_k of U; those whose vectors V does not reach may be left out
/// @param weights |V^T e_k|^2
/// @param testWeights (V^T e_k) . (V_test^T e_k)
/// @param quadratic `[K, K]`: (V^T e_k . V^T e_l) (e_k^T U_test e_l)
/// @param truth as in [Moments]
public record Modes(
        Sizes sizes,
        double delta,
        double[] values,
        double[] weights,
        double[] testWeights,
        Matrix quadratic,
        double truth) {

    /// Diagonalises U.
    public static Modes of(Moments moments, Lapack lapack) {
        Eigen eigen = lapack.eigen(moments.u().copy(), true);
        Matrix vectors = eigen.vectors().orElseThrow();
        Matrix overlaps = lapack.product(vectors, false, moments.v(), false);
        Matrix testOverlaps = lapack.product(vectors, false, moments.testV(), false);
        Matrix half = lapack.product(vectors, false, moments.testU(), false);
        Matrix test = lapack.product(half, false, vectors, true);
        return joined(
                moments.sizes(),
                moments.delta(),
                eigen.values(),
                overlaps,
                testOverlaps,
                test,
                moments.truth(),
                lapack);
    }

    /// Modes of the Gaussian equivalent, whose population matrices are known: V_test = V and
    /// `e_k^T U_test e_l = e_k^T V Sigma_t V^T e_l / Delta + (power - mu1^2) [k = l]`.
    ///
    /// @param sigma eigenvalues of the covariance, one per column of `overlaps`
    /// @param overlaps `[K, d]`: e_k^T V
    static Modes ofPopulation(
            Sizes sizes,
            Scalars scalars,
            double[] sigma,
            double[] values,
            Matrix overlaps,
            double truth,
            Lapack lapack) {
        double decay2 = scalars.decay() * scalars.decay();
        Matrix noisy = overlaps.copy();
        for (int k = 0; k < noisy.rows(); k++) {
            for (int j = 0; j < noisy.columns(); j++) {
                noisy.set(k, j, overlaps.get(k, j) * (decay2 * sigma[j] + scalars.delta()) / scalars.delta());
            }
        }
        Matrix test = lapack.product(noisy, false, overlaps, true);
        for (int k = 0; k < test.rows(); k++) {
            test.add(k, k, scalars.power() - scalars.mu1() * scalars.mu1());
        }
        return joined(sizes, scalars.delta(), values, overlaps, overlaps, test, truth, lapack);
    }

    private static Modes joined(
            Sizes sizes,
            double delta,
            double[] values,
            Matrix overlaps,
            Matrix testOverlaps,
            Matrix test,
            double truth,
            Lapack lapack) {
        Matrix quadratic = lapack.product(overlaps, false, overlaps, true);
        int count = values.length;
        double[] weights = new double[count];
        double[] testWeights = new double[count];
        for (int k = 0; k < count; k++) {
            weights[k] = quadratic.get(k, k);
            for (int j = 0; j < sizes.d(); j++) {
                testWeights[k] += overlaps.get(k, j) * testOverlaps.get(k, j);
            }
            double[] row = quadratic.row(k);
            for (int l = 0; l < count; l++) {
                row[l] *= test.get(k, l);
            }
            quadratic.setRow(k, row);
        }
        return new Modes(sizes, delta, values, weights, testWeights, quadratic, truth);
    }
}
