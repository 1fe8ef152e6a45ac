package dev.rote.theory;

import java.util.function.DoubleUnaryOperator;

/// Expectations under the standard normal distribution by Gauss-Hermite quadrature: exact for polynomials of degree
/// below twice the number of nodes, and to about `exp(-2 y sqrt(nodes))` for a function with its nearest pole at
/// distance y from the real axis.
final class GaussHermite {
    /// More would overflow the polynomials at the outermost nodes.
    private static final int MOST = 300;

    private final double[] nodes;
    private final double[] weights;

    /// @throws IllegalArgumentException unless `1 <= count <= 300`
    GaussHermite(int count) {
        if (count < 1 || count > MOST) {
            throw new IllegalArgumentException("nodes: expected 1 to " + MOST + ", found " + count);
        }
        nodes = new double[count];
        weights = new double[count];
        double[] h = new double[count + 1];
        for (int i = 0; i < count; i++) {
            nodes[i] = node(i, count, h);
            polynomials(nodes[i], h);
            double sum = 0;
            for (int k = 0; k < count; k++) {
                sum += h[k] * h[k];
            }
            weights[i] = 1 / sum;
        }
    }

    /// E[f(z)], z standard normal.
    double mean(DoubleUnaryOperator f) {
        double sum = 0;
        for (int i = 0; i < nodes.length; i++) {
            sum += weights[i] * f.applyAsDouble(nodes[i]);
        }
        return sum;
    }

    /// Node i from below: bisection by the number of eigenvalues of the Jacobi matrix below x, then Newton's method.
    private static double node(int i, int count, double[] h) {
        double low = -2 * Math.sqrt(count);
        double high = -low;
        while (high - low > 1e-9) {
            double middle = 0.5 * (low + high);
            if (below(middle, count) > i) {
                high = middle;
            } else {
                low = middle;
            }
        }
        double x = 0.5 * (low + high);
        for (int step = 0; step < 3; step++) {
            polynomials(x, h);
            x -= h[count] / (Math.sqrt(count) * h[count - 1]);
        }
        return x;
    }

    /// How many nodes are below x (Sturm's sequence of the matrix with sqrt(k) beside its zero diagonal).
    private static int below(double x, int count) {
        int negative = 0;
        double pivot = 1;
        for (int k = 0; k < count; k++) {
            pivot = -x - (k == 0 ? 0 : k / pivot);
            if (pivot == 0) {
                pivot = 1e-300;
            }
            negative += pivot < 0 ? 1 : 0;
        }
        return negative;
    }

    /// Orthonormal polynomials: `sqrt(k+1) h[k+1] = x h[k] - sqrt(k) h[k-1]`.
    private static void polynomials(double x, double[] h) {
        h[0] = 1;
        for (int k = 0; k + 1 < h.length; k++) {
            h[k + 1] = (x * h[k] - (k == 0 ? 0 : Math.sqrt(k) * h[k - 1])) / Math.sqrt(k + 1);
        }
    }
}
