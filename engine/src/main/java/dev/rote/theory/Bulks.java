package dev.rote.theory;

/// The spectrum of U for large psi_p and psi_n (arXiv:2505.17638, Theorem 3.2): a point mass at s_t^2 that no loss
/// sees, bulk 1, which carries the training points and decides tau_mem, and bulk 2 of order psi_p, the population's,
/// which decides tau_gen.
///
/// At finite psi, exactly d eigenvalues (weight 1/psi_p) lie just above s_t^2, below bulk 1, and bulk 1 holds n - d
/// eigenvalues: the least eigenvalue of a simulation is not `low`.
///
/// @param low lower edge of bulk 1: s_t^2 + v_t^2 (1 - sqrt(psi_p / psi_n))^2
/// @param high its upper edge
/// @param inert weight of the point mass: 1 - (1 + psi_n) / psi_p, at least 0
/// @param memorizing weight of bulk 1
/// @param generalizing weight of bulk 2: 1 / psi_p
/// @param memorizationTime tau_mem = psi_p / (Delta_t low)
/// @param generationTime tau_gen = 1 / Delta_t
public record Bulks(
        double low,
        double high,
        double inert,
        double memorizing,
        double generalizing,
        double memorizationTime,
        double generationTime) {
    public static Bulks of(Scalars scalars, double psiP, double psiN) {
        requirePositive(psiP, psiN);
        double root = Math.sqrt(psiP / psiN);
        double low = scalars.s2() + scalars.v2() * (1 - root) * (1 - root);
        double high = scalars.s2() + scalars.v2() * (1 + root) * (1 + root);
        double inert = Math.max(0, 1 - (1 + psiN) / psiP);
        double memorizing = psiP > psiN ? Math.min(psiN / psiP, 1 - 1 / psiP) : 1 - 1 / psiP;
        return new Bulks(low, high, inert, memorizing, 1 / psiP, psiP / (scalars.delta() * low), 1 / scalars.delta());
    }

    static void requirePositive(double psiP, double psiN) {
        if (!(psiP > 0 && psiN > 0) || Double.isInfinite(psiP) || Double.isInfinite(psiN)) {
            throw new IllegalArgumentException("psi: expected psi_p and psi_n above 0, found " + psiP + " and " + psiN);
        }
    }
}
