package dev.rote.theory;

import dev.rote.device.linalg.Matrix;

/// What the losses of the model are made of: U = E[f f^T] and V = E[f xi^T] over training points and noise, and the
/// same over the population (arXiv:2505.17638, section 3). With B = A / sqrt(p):
/// `L = 1 + Delta/d Tr(B^T B U) + 2 sqrt(Delta)/d Tr(B V)`.
///
/// @param sizes of the model
/// @param delta variance of the noise
/// @param u `[p, p]`, training points
/// @param v `[p, d]`, training points
/// @param testU `[p, p]`, population
/// @param testV `[p, d]`, population
/// @param truth Tr Sigma_t^-1 / d, so that E_score = (L_test - 1) / Delta + truth; NaN unless the data are Gaussian
public record Moments(Sizes sizes, double delta, Matrix u, Matrix v, Matrix testU, Matrix testV, double truth) {
    public Moments {
        int p = sizes.p();
        int d = sizes.d();
        for (Matrix square : new Matrix[] {u, testU}) {
            if (square.rows() != p || square.columns() != p) {
                throw new IllegalArgumentException("moments: expected U of " + p + " x " + p + ", found " + square);
            }
        }
        for (Matrix side : new Matrix[] {v, testV}) {
            if (side.rows() != p || side.columns() != d) {
                throw new IllegalArgumentException("moments: expected V of " + p + " x " + d + ", found " + side);
            }
        }
    }
}
