package dev.rote.theory;

/// What the theory needs to know of the nonlinearity at diffusion time t (arXiv:2505.17638, section 3 and
/// supplement), for data of variance `variance` = Tr Sigma / d per dimension. With u, v, w standard normal and
/// independent, `Gamma^2 = exp(-2t) variance + Delta` and `h = exp(-t) sqrt(variance) u + sqrt(Delta) v`:
///
/// - `mu1 = E[z sigma(Gamma z)]`, `a = E[u sigma(h)] / (exp(-t) sqrt(variance)) = mu1 / Gamma`,
///   `b = E[v sigma(h)] = sqrt(Delta) mu1 / Gamma` (by parts);
/// - `v2 = E[sigma(h) sigma(h with w for v)] - a^2 exp(-2t) variance`: what a training point leaves in its features
///   beyond the linear part, averaged over the noise;
/// - `s2 = E[sigma(Gamma z)^2] - a^2 exp(-2t) variance - v2 - b^2`: what the noise leaves beyond the linear part.
///
/// The paper's main text prints Gamma without the square, and a and b without Gamma; both are right only at
/// Gamma = 1.
///
/// @param t diffusion time, above 0
/// @param variance of the data per dimension
/// @param delta 1 - exp(-2t), variance of the noise
/// @param gamma2 variance of a noisy coordinate
/// @param power E[sigma(Gamma z)^2]
public record Scalars(
        double t,
        double variance,
        double delta,
        double gamma2,
        double mu1,
        double a,
        double b,
        double v2,
        double s2,
        double power) {
    private static final int NODES = 256;

    /// A mean above this is none of rounding.
    private static final double ZERO = 1e-9;

    /// @throws IllegalArgumentException if t or the variance is not above 0, or the activation has a Gaussian mean
    public static Scalars of(Activation activation, double t, double variance) {
        if (!(t > 0 && variance > 0) || Double.isInfinite(t) || Double.isInfinite(variance)) {
            throw new IllegalArgumentException(
                    "scalars: expected t and variance above 0, found " + t + " and " + variance);
        }
        GaussHermite normal = new GaussHermite(NODES);
        double delta = -Math.expm1(-2 * t);
        double decay = Math.exp(-t);
        double gamma2 = decay * decay * variance + delta;
        double gamma = Math.sqrt(gamma2);
        double mean = normal.mean(z -> activation.at(gamma * z));
        if (!(Math.abs(mean) < ZERO)) {
            throw new IllegalArgumentException("activation " + activation.name()
                    + ": expected a Gaussian mean of zero, as odd functions have it, found " + mean);
        }
        double mu1 = normal.mean(z -> z * activation.at(gamma * z));
        double a = mu1 / gamma;
        double b = Math.sqrt(delta) * a;
        double power = normal.mean(z -> square(activation.at(gamma * z)));
        double signal = decay * Math.sqrt(variance);
        double noise = Math.sqrt(delta);
        double shared = normal.mean(u -> square(normal.mean(v -> activation.at(signal * u + noise * v))));
        double linear = square(a * signal);
        double v2 = shared - linear;
        return new Scalars(t, variance, delta, gamma2, mu1, a, b, v2, power - linear - v2 - b * b, power);
    }

    /// exp(-t), the factor of the data.
    public double decay() {
        return Math.exp(-t);
    }

    /// (a exp(-t))^2: weight of the data's linear part in the features.
    double linear2() {
        return square(a * decay());
    }

    private static double square(double x) {
        return x * x;
    }
}
