package dev.rote.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// tau = C x1^a1 x2^a2 ..., such as C n^a W^b, with times of which only a bound may be known: a run that ended before
/// the event, or that showed it at its first measurement. Leaving such runs out would bias the exponents, because
/// it is the slow runs that end too early.
///
/// log tau = log C + sum of aj log xj + sigma e with e standard normal, by maximum likelihood (the Tobit model, Tobin
/// 1958, Econometrica 26, 24). Without bounds these are ordinary least squares and the intervals those of linear
/// regression; with bounds their variance is the inverse of the second derivative of the likelihood, scaled by
/// m / (m - p) with m the known times and p the parameters, and Student's t has m - p degrees of freedom. With m = p
/// there is no interval.
///
/// @param exponents one per variable
/// @param prefactor C; far from x = 1 it is wide and correlated with the exponents
/// @param residual sigma, the scatter of log tau about the law
/// @param known how many times were known
/// @param bounded how many were bounds
public record CensoredPowerLaw(List<Interval> exponents, Interval prefactor, double residual, int known, int bounded) {
    /// What is known of one time.
    ///
    /// @param x the variables, each positive
    /// @param low tau is at least this; 0 for an upper bound only
    /// @param high tau is at most this; infinite for a lower bound only. Equal to `low` when tau is known
    public record Time(double[] x, double low, double high) {
        public Time {
            boolean bounds = low >= 0 && high >= low && high > 0 && !(low == 0 && Double.isInfinite(high));
            if (!bounds || Double.isInfinite(low) || (low > 0 && high > low && !Double.isInfinite(high))) {
                throw new IllegalArgumentException(
                        "time: expected a positive one, a lower or an upper bound, got " + low + " to " + high);
            }
            for (double value : x) {
                if (!(value > 0) || Double.isInfinite(value)) {
                    throw new IllegalArgumentException("time: expected positive finite variables, got " + value);
                }
            }
        }

        /// A time that is known.
        public static Time known(double tau, double... x) {
            return new Time(x, tau, tau);
        }

        /// A time that is `tau` or later.
        public static Time atLeast(double tau, double... x) {
            return new Time(x, tau, Double.POSITIVE_INFINITY);
        }

        /// A time that is `tau` or earlier.
        public static Time atMost(double tau, double... x) {
            return new Time(x, 0, tau);
        }

        boolean isKnown() {
            return low == high;
        }
    }

    public CensoredPowerLaw {
        exponents = List.copyOf(exponents);
    }

    /// @param times with the same number of variables each
    /// @return empty when the known times do not decide the exponents: fewer than parameters, or a variable without two
    ///     values of its own
    public static Optional<CensoredPowerLaw> of(List<Time> times) {
        return CensoredRegression.of(times).map(CensoredRegression::law);
    }

    /// The exponents with percentile intervals over runs: runs are drawn again with replacement (bootstrap over pairs,
    /// Efron & Tibshirani 1993, sec. 9.5), bounds among them. Draws that do not decide the exponents are drawn again.
    /// Too narrow for fewer than about ten runs.
    ///
    /// @return empty as [#of] is
    public static Optional<List<Interval>> exponentsByBootstrap(List<Time> times, Bootstrap bootstrap) {
        Optional<CensoredRegression> measured = CensoredRegression.of(times);
        if (measured.isEmpty()) {
            return Optional.empty();
        }
        int variables = times.getFirst().x().length;
        double[][] drawn = new double[variables][bootstrap.resamples()];
        for (int b = 0; b < bootstrap.resamples(); b++) {
            SplitMix64 random = bootstrap.random(b);
            Optional<CensoredRegression> solution;
            do {
                List<Time> sample = new ArrayList<>();
                for (int i = 0; i < times.size(); i++) {
                    sample.add(times.get(random.nextInt(times.size())));
                }
                solution = CensoredRegression.of(sample, measured);
            } while (solution.isEmpty());
            for (int j = 0; j < variables; j++) {
                drawn[j][b] = solution.get().coefficients()[j + 1];
            }
        }
        List<Interval> intervals = new ArrayList<>();
        for (int j = 0; j < variables; j++) {
            intervals.add(bootstrap.interval(measured.get().coefficients()[j + 1], drawn[j]));
        }
        return Optional.of(intervals);
    }

    /// The law at `x`.
    public double at(double... x) {
        double log = Math.log(prefactor.value());
        for (int j = 0; j < x.length; j++) {
            log += exponents.get(j).value() * Math.log(x[j]);
        }
        return Math.exp(log);
    }
}
