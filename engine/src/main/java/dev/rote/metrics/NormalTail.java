package dev.rote.metrics;

/// The upper tail of the standard normal distribution.
final class NormalTail {
    private static final double ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

    /// From here on the continued fraction has converged to the last bits after [#TERMS] terms.
    private static final double FAR = 3;

    private static final int TERMS = 40;

    private NormalTail() {}

    /// phi(z) / (1 - Phi(z)), which tends to z for large z: from the continued fraction of Mills' ratio where z is
    /// large, otherwise from the power series of Phi (Abramowitz & Stegun 26.2.14 and 26.2.11).
    static double hazard(double z) {
        if (z > FAR) {
            double fraction = z;
            for (int k = TERMS; k >= 1; k--) {
                fraction = z + k / fraction;
            }
            return fraction;
        }
        double density = Math.exp(-0.5 * z * z) / ROOT_TWO_PI;
        return z < -9 ? density : density / (0.5 - density * series(z));
    }

    /// ln(1 - Phi(z)).
    static double log(double z) {
        return z < -9 ? 0 : -0.5 * z * z - Math.log(ROOT_TWO_PI * hazard(z)); // 1 - Phi = phi / hazard
    }

    /// 1 - Phi(z).
    static double probability(double z) {
        return Math.exp(log(z));
    }

    /// z + z^3/3 + z^5/(3 5) + ...
    private static double series(double z) {
        double term = z;
        double sum = z;
        for (int k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
            term *= z * z / k;
            sum += term;
        }
        return sum;
    }
}
