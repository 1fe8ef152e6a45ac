package dev.rote.theory;

import java.util.Arrays;

/// Eigenvalues of the data's covariance with their shares: the measure rho_Sigma.
///
/// @param name for people
/// @param values 0 or more, ascending, not all zero
/// @param weights shares, of sum 1
public record Spectrum(String name, double[] values, double[] weights) {
    /// @throws IllegalArgumentException if a value is negative, all are zero, or weights are not shares
    public Spectrum {
        if (values.length == 0 || weights.length != values.length) {
            throw new IllegalArgumentException("spectrum: expected a weight for each of " + values.length
                    + " values, at least one, found " + weights.length);
        }
        for (int i = 0; i < values.length; i++) {
            if (!(values[i] >= 0 && weights[i] > 0) || Double.isInfinite(values[i])) {
                throw new IllegalArgumentException("spectrum: expected values of at least 0 and weights above 0, found "
                        + values[i] + " with " + weights[i] + " at " + i);
            }
            if (i > 0 && values[i] < values[i - 1]) {
                throw new IllegalArgumentException(
                        "spectrum: expected ascending values, found " + values[i] + " after " + values[i - 1]);
            }
        }
        double sum = Arrays.stream(weights).sum();
        if (Math.abs(sum - 1) > 1e-9) {
            throw new IllegalArgumentException("spectrum: expected weights of sum 1, found " + sum);
        }
        if (values[values.length - 1] == 0) {
            throw new IllegalArgumentException("spectrum: expected a value above 0, found zeros only");
        }
    }

    /// Sigma = variance I.
    public static Spectrum identity(double variance) {
        return new Spectrum("Σ = " + number(variance) + " I", new double[] {variance}, new double[] {1});
    }

    /// A share of the eigenvalues is `low`, the rest `high` (the paper's Figure 14: 0.5 and 1.5, half each).
    public static Spectrum twoDelta(double low, double high, double share) {
        return new Spectrum(
                "Σ of " + number(low) + " and " + number(high), new double[] {low, high}, new double[] {share, 1 - share
                });
    }

    /// Eigenvalue k = 1, ..., `size` proportional to k^-exponent, with mean `variance`.
    public static Spectrum powerLaw(double exponent, int size, double variance) {
        if (size < 1 || !(exponent >= 0)) {
            throw new IllegalArgumentException(
                    "power law: expected a size of at least 1 and an exponent of at least 0, found " + size + " and "
                            + exponent);
        }
        double[] values = new double[size];
        for (int k = 1; k <= size; k++) {
            values[size - k] = Math.pow(k, -exponent);
        }
        return empirical("Σ ~ k^−" + number(exponent), scaled(values, variance));
    }

    /// Equal shares of given eigenvalues, in any order.
    public static Spectrum empirical(String name, double[] eigenvalues) {
        double[] values = eigenvalues.clone();
        Arrays.sort(values);
        double[] weights = new double[values.length];
        Arrays.fill(weights, 1.0 / values.length);
        return new Spectrum(name, values, weights);
    }

    /// Tr Sigma / d.
    public double mean() {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += weights[i] * values[i];
        }
        return sum;
    }

    /// Tr Sigma_t^-1 / d with Sigma_t = exp(-2t) Sigma + Delta I: what the true score of Gaussian data costs.
    double inverseNoisy(Scalars scalars) {
        double decay2 = scalars.decay() * scalars.decay();
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += weights[i] / (decay2 * values[i] + scalars.delta());
        }
        return sum;
    }

    /// The `d` eigenvalues of a covariance of this spectrum: its quantiles at (i + 1/2) / d.
    public double[] eigenvalues(int d) {
        double[] drawn = new double[d];
        int at = 0;
        double below = 0;
        for (int i = 0; i < d; i++) {
            while (at < values.length - 1 && below + weights[at] < (i + 0.5) / d) {
                below += weights[at++];
            }
            drawn[i] = values[at];
        }
        return drawn;
    }

    private static double[] scaled(double[] values, double mean) {
        double factor = mean * values.length / Arrays.stream(values).sum();
        return Arrays.stream(values).map(v -> factor * v).toArray();
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}
