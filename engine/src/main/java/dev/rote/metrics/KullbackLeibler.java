package dev.rote.metrics;

/// KL(P_model | P0) of samples whose entropy was followed along their way (Bonnaire et al. 2025, arXiv:2505.17638,
/// appendix B): with cross entropy `-ln P0` by Monte Carlo and the entropy `(d/2) ln(2 pi e) - mean production`,
///
/// `KL = mean(production_i - ln P0(x_i)) - (d/2) ln(2 pi e)`.
///
/// Samples are independent, so the mean has Student's interval. Of two sources of error it knows nothing: the steps of
/// the sampler, and a network whose prediction is not the score of what it draws. Estimates below zero happen.
public final class KullbackLeibler {
    private KullbackLeibler() {}

    /// @param logDensities ln P0 of each sample
    /// @param productions entropy production of each sample, as of `diffusion.EntropyProduction`
    /// @param dimension d
    public static Interval of(double[] logDensities, float[] productions, int dimension, double level) {
        if (logDensities.length != productions.length) {
            throw new IllegalArgumentException("samples: expected one entropy production for each of "
                    + logDensities.length + ", found " + productions.length);
        }
        double normal = dimension / 2.0 * Math.log(2 * Math.PI * Math.E);
        double[] each = new double[logDensities.length];
        for (int i = 0; i < each.length; i++) {
            each[i] = productions[i] - logDensities[i] - normal;
        }
        return StudentT.mean(each, level);
    }
}
