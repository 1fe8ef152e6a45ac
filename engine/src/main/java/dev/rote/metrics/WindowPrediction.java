package dev.rote.metrics;

import java.util.List;

/// A time scale at a training set size that was not run, from runs at smaller ones: Bayesian linear regression
///
/// ```
/// ln tau = alpha + a ln(n + b) + e
/// ```
///
/// with a flat prior of alpha, a normal prior of the exponent a, and e normal, of the scatter between runs and the
/// error of each point (Gelman et al., "Bayesian Data Analysis", 3rd ed. 2013, sec. 14.8). The prior is what makes two
/// or three small runs enough: from sizes within a factor of 3 the exponent alone would be known to a few tenths, and
/// a factor of 20 in n would make that a factor of 2.
///
/// @param prior of the exponent
/// @param scatter standard deviation of ln tau between runs that differ by their seed and their images
/// @param intercept posterior mean of alpha
/// @param slope posterior mean of a
/// @param covariance `[3]` posterior: of alpha, of alpha and a, of a
public record WindowPrediction(Prior prior, double scatter, double intercept, double slope, double[] covariance) {
    private static final double FLAT = 1e-6; // precision of alpha's prior

    /// Of an exponent, normal.
    ///
    /// @param offset b, 0 or more: images that take as long as learning anything at all
    public record Prior(double mean, double deviation, double offset) {
        /// tau_mem: proportional to n by Bonnaire et al. 2025 (arXiv:2505.17638, sec. 2) and Favero et al. 2025
        /// (arXiv:2505.16959). In small U-Nets it grows faster, up to n^1.5, where a batch is a small part of the
        /// images or the network is small for them, and slower below some dozens of images, where b straightens the
        /// law. The three numbers describe the recorded runs of docs/early-stopping.md.
        public static final Prior MEMORIZATION = new Prior(1.25, 0.2, 16);

        public Prior {
            if (!Double.isFinite(mean) || !(deviation > 0) || Double.isInfinite(deviation)) {
                throw new IllegalArgumentException(
                        "prior: expected a mean and a positive deviation, got " + mean + " and " + deviation);
            }
            if (!(offset >= 0) || Double.isInfinite(offset)) {
                throw new IllegalArgumentException("prior: expected an offset of 0 or more, got " + offset);
            }
        }

        /// Without an offset.
        public Prior(double mean, double deviation) {
            this(mean, deviation, 0);
        }
    }

    /// A run.
    ///
    /// @param n training images
    /// @param tau when it reached the event
    /// @param error standard deviation of ln tau that the run's own samples leave
    public record Point(double n, double tau, double error) {
        public Point {
            if (!(n > 0) || !(tau > 0) || Double.isInfinite(tau) || !(error >= 0) || Double.isInfinite(error)) {
                throw new IllegalArgumentException(
                        "window: expected positive n and tau and an error, found " + n + ", " + tau + ", " + error);
            }
        }
    }

    /// @param points 1 or more
    /// @param scatter above 0
    public static WindowPrediction of(List<Point> points, Prior prior, double scatter) {
        if (points.isEmpty() || !(scatter > 0)) {
            throw new IllegalArgumentException(
                    "window: expected runs and a positive scatter, got " + points.size() + " and " + scatter);
        }
        double slopePrecision = 1 / (prior.deviation() * prior.deviation());
        double s0 = FLAT;
        double s1 = 0;
        double s2 = slopePrecision;
        double y0 = 0;
        double y1 = slopePrecision * prior.mean();
        for (Point point : points) {
            double weight = 1 / (scatter * scatter + point.error() * point.error());
            double x = Math.log(point.n() + prior.offset());
            double y = Math.log(point.tau());
            s0 += weight;
            s1 += weight * x;
            s2 += weight * x * x;
            y0 += weight * y;
            y1 += weight * x * y;
        }
        double determinant = s0 * s2 - s1 * s1;
        double[] covariance = {s2 / determinant, -s1 / determinant, s0 / determinant};
        return new WindowPrediction(
                prior,
                scatter,
                covariance[0] * y0 + covariance[1] * y1,
                covariance[1] * y0 + covariance[2] * y1,
                covariance);
    }

    /// The time of a single new run with `n` images, with its 95 % interval.
    public Interval at(double n) {
        return about(n).interval();
    }

    /// What is known of the time of a single new run with `n` images.
    public LogNormal about(double n) {
        if (!(n > 0) || Double.isInfinite(n)) {
            throw new IllegalArgumentException("window: expected a positive n, got " + n);
        }
        double x = Math.log(n + prior.offset());
        double variance = covariance[0] + 2 * x * covariance[1] + x * x * covariance[2] + scatter * scatter;
        return new LogNormal(intercept + slope * x, Math.sqrt(variance));
    }

    /// The exponent with its 95 % interval.
    public Interval exponent() {
        double margin = Interval.NORMAL_975 * Math.sqrt(covariance[2]);
        return new Interval(slope, slope - margin, slope + margin);
    }
}
