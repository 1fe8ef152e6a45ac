package dev.rote.metrics;

import java.util.OptionalInt;

/// The density of two equal clouds around +mu and -mu, mu = (1, ..., 1): Gaussian ones with covariance I, or
/// multivariate t ones with `dof` degrees of freedom scaled to covariance I (`data.Mixture` draws from it).
///
/// @param dimension d
/// @param dof at least 3; empty for Gaussian clouds
public record MixtureDensity(int dimension, OptionalInt dof) {
    public MixtureDensity {
        if (dimension < 1 || dof.isPresent() && dof.getAsInt() < 3) {
            throw new IllegalArgumentException(
                    "mixture: expected d of at least 1 and dof of at least 3, found " + dimension + " and " + dof);
        }
    }

    /// ln P0(x) of one point [d].
    public double logDensity(double[] x) {
        double plus = 0;
        double minus = 0;
        for (double value : x) {
            plus += (value - 1) * (value - 1);
            minus += (value + 1) * (value + 1);
        }
        double a = logCloud(plus);
        double b = logCloud(minus);
        double most = Math.max(a, b);
        return most + Math.log((Math.exp(a - most) + Math.exp(b - most)) / 2);
    }

    /// ln of a cloud's density at a squared distance from its middle. A t cloud with scale matrix `(dof - 2)/dof I` has
    /// `Gamma((dof+d)/2) / (Gamma(dof/2) (pi (dof-2))^(d/2)) (1 + r^2/(dof-2))^(-(dof+d)/2)`.
    private double logCloud(double squared) {
        if (dof.isEmpty()) {
            return -squared / 2 - dimension / 2.0 * Math.log(2 * Math.PI);
        }
        int freedom = dof.getAsInt();
        return logGammaOfHalf(freedom + dimension)
                - logGammaOfHalf(freedom)
                - dimension / 2.0 * Math.log(Math.PI * (freedom - 2))
                - (freedom + dimension) / 2.0 * Math.log1p(squared / (freedom - 2));
    }

    /// ln Gamma(k/2), from Gamma(1/2) = sqrt(pi), Gamma(1) = 1 and Gamma(z+1) = z Gamma(z).
    static double logGammaOfHalf(int k) {
        double log = k % 2 == 0 ? 0 : Math.log(Math.PI) / 2;
        for (int i = k % 2 == 0 ? 2 : 1; i < k; i += 2) {
            log += Math.log(i / 2.0);
        }
        return log;
    }

    /// The score of the Gaussian mixture at time t of `dx = -x dt + sqrt(2) dW`: `mu e^-t tanh(x . mu e^-t) - x`
    /// (Bonnaire et al. 2025, arXiv:2505.17638, appendix B).
    ///
    /// @param x one point [d]
    /// @return [d]
    /// @throws IllegalArgumentException for t clouds, whose score at t > 0 has no closed form
    public double[] score(double[] x, double t) {
        if (dof.isPresent()) {
            throw new IllegalArgumentException("score: expected Gaussian clouds, found dof " + dof.getAsInt());
        }
        double mu = Math.exp(-t);
        double projection = 0;
        for (double value : x) {
            projection += value * mu;
        }
        double[] score = new double[x.length];
        for (int k = 0; k < x.length; k++) {
            score[k] = mu * Math.tanh(projection) - x[k];
        }
        return score;
    }
}
