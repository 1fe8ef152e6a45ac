package dev.rote.metrics;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;

/// The maximum of the likelihood of `y = X beta + sigma e`, e normal, where of some y only a bound is known, by
/// Newton's method in beta / sigma and 1 / sigma: in these the logarithm is concave (Olsen, "Note on the Uniqueness
/// of the Maximum Likelihood Estimator for the Tobit Model", Econometrica 46, 1978).
///
/// @param coefficients beta `[p]`
/// @param sigma of all m, not of m - p
record TobitMaximum(double[] coefficients, double sigma) {
    private static final int MOST_ROUNDS = 200;
    private static final double SMALL = 1e-9;
    private static final double SHORTEST = 1e-9; // step, as a share of Newton's

    /// What is known of a y.
    enum Side {
        KNOWN,
        AT_LEAST,
        AT_MOST
    }

    /// Climbs until neither beta nor sigma moves by more than 1e-9. Where the known y lie on a plane, sigma falls
    /// towards 0, and the climb ends below 1e-9.
    ///
    /// @param design `[m, p]`
    /// @param sides of each y, at least one known
    /// @param from where to begin, with a sigma above 0
    static TobitMaximum of(double[][] design, double[] y, Side[] sides, TobitMaximum from) {
        int p = from.coefficients.length;
        double[] at = new double[p + 1]; // beta / sigma, 1 / sigma
        for (int j = 0; j < p; j++) {
            at[j] = from.coefficients[j] / from.sigma;
        }
        at[p] = 1 / from.sigma;
        TobitMaximum best = from;
        double value = likelihood(design, y, sides, at);
        for (int round = 0; round < MOST_ROUNDS && best.sigma > SMALL; round++) {
            double[] step = step(design, y, sides, at);
            double share = 1;
            double[] next = moved(at, step, share);
            double reached = likelihood(design, y, sides, next);
            while (!(reached >= value) && share > SHORTEST) {
                share /= 2;
                next = moved(at, step, share);
                reached = likelihood(design, y, sides, next);
            }
            if (!(reached >= value)) {
                break; // as good as it gets in these digits
            }
            TobitMaximum found = scaled(next);
            boolean arrived = found.distance(best) < SMALL;
            at = next;
            value = reached;
            best = found;
            if (arrived) {
                break;
            }
        }
        return best;
    }

    private static TobitMaximum scaled(double[] at) {
        int p = at.length - 1;
        double[] coefficients = new double[p];
        for (int j = 0; j < p; j++) {
            coefficients[j] = at[j] / at[p];
        }
        return new TobitMaximum(coefficients, 1 / at[p]);
    }

    private double distance(TobitMaximum other) {
        double most = Math.abs(sigma - other.sigma);
        for (int j = 0; j < coefficients.length; j++) {
            most = Math.max(most, Math.abs(coefficients[j] - other.coefficients[j]));
        }
        return most;
    }

    private static double[] moved(double[] at, double[] step, double share) {
        double[] next = new double[at.length];
        for (int j = 0; j < at.length; j++) {
            next[j] = at[j] + share * step[j];
        }
        return next;
    }

    /// (y - x beta) / sigma.
    private static double residual(double[] x, double y, double[] at) {
        int p = x.length;
        double sum = at[p] * y;
        for (int j = 0; j < p; j++) {
            sum -= x[j] * at[j];
        }
        return sum;
    }

    /// Logarithm, up to a constant; NaN or less outside of sigma > 0.
    private static double likelihood(double[][] design, double[] y, Side[] sides, double[] at) {
        double logTheta = Math.log(at[at.length - 1]); // NaN below 0, which no comparison accepts
        double sum = 0;
        for (int i = 0; i < y.length; i++) {
            double z = residual(design[i], y[i], at);
            sum += switch (sides[i]) {
                case KNOWN -> logTheta - 0.5 * z * z;
                case AT_LEAST -> NormalTail.log(z);
                case AT_MOST -> NormalTail.log(-z);
            };
        }
        return sum;
    }

    /// Newton's: the negative Hessian's inverse times the gradient.
    private static double[] step(double[][] design, double[] y, Side[] sides, double[] at) {
        int p = at.length - 1;
        var gradient = new DMatrixRMaj(p + 1, 1);
        var curvature = new DMatrixRMaj(p + 1, p + 1);
        double[] direction = new double[p + 1]; // of z
        for (int i = 0; i < y.length; i++) {
            for (int j = 0; j < p; j++) {
                direction[j] = -design[i][j];
            }
            direction[p] = y[i];
            double z = residual(design[i], y[i], at);
            double slope; // of the logarithm over z
            double bend; // minus its second derivative
            switch (sides[i]) {
                case KNOWN -> {
                    slope = -z;
                    bend = 1;
                    gradient.add(p, 0, 1 / at[p]);
                    curvature.add(p, p, 1 / (at[p] * at[p]));
                }
                case AT_LEAST -> {
                    double hazard = NormalTail.hazard(z);
                    slope = -hazard;
                    bend = hazard * (hazard - z);
                }
                default -> {
                    double hazard = NormalTail.hazard(-z);
                    slope = hazard;
                    bend = hazard * (hazard + z);
                }
            }
            for (int j = 0; j <= p; j++) {
                gradient.add(j, 0, slope * direction[j]);
                for (int l = 0; l <= p; l++) {
                    curvature.add(j, l, bend * direction[j] * direction[l]);
                }
            }
        }
        var step = new DMatrixRMaj(p + 1, 1);
        boolean solved = CommonOps_DDRM.solve(curvature, gradient, step);
        return solved ? step.getData() : new double[p + 1];
    }
}
