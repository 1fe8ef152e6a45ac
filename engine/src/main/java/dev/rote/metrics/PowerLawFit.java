package dev.rote.metrics;

import java.util.Arrays;

/// tau = C n^a, by ordinary least squares of log tau on log n, with m points (several seeds per n are several
/// points). Intervals are those of linear regression with independent normal errors in log tau, Student t with m -
/// 2 degrees of freedom (Draper & Smith, "Applied Regression Analysis", 1998, ch. 1); without degrees of freedom
/// they have no ends.
///
/// @param exponent a
/// @param prefactor C; the exponential of the interval of the intercept. Far from n = 1 it is wide and strongly
///     correlated with a: use [#predict] for a time at given n
/// @param rSquared share of the variance of log tau that the line explains; 1 where there is no variance
/// @param residual standard deviation of log tau about the line (0 if m = 2)
/// @param points m
/// @param meanLogN mean of log n
/// @param spreadLogN sum of squared deviations of log n from its mean
/// @param level of the intervals
public record PowerLawFit(
        Interval exponent,
        Interval prefactor,
        double rSquared,
        double residual,
        int points,
        double meanLogN,
        double spreadLogN,
        double level) {

    /// @param n positive, with at least two different values
    /// @param tau positive and finite, one per n
    /// @throws IllegalArgumentException that names the point which is not
    public static PowerLawFit of(double[] n, double[] tau, double level) {
        check(n, tau, level);
        Line line = Line.through(
                Arrays.stream(n).map(Math::log).toArray(),
                Arrays.stream(tau).map(Math::log).toArray());
        int m = n.length;
        double residual = m > 2 ? Math.sqrt(line.squaredResiduals / (m - 2)) : 0;
        double slopeMargin = StudentT.margin(m - 2, level, residual / Math.sqrt(line.spreadX));
        double interceptMargin =
                StudentT.margin(m - 2, level, residual * Math.sqrt(1.0 / m + line.meanX * line.meanX / line.spreadX));
        return new PowerLawFit(
                new Interval(line.slope, line.slope - slopeMargin, line.slope + slopeMargin),
                new Interval(
                        Math.exp(line.intercept()),
                        Math.exp(line.intercept() - interceptMargin),
                        Math.exp(line.intercept() + interceptMargin)),
                line.spreadY == 0 ? 1 : 1 - line.squaredResiduals / line.spreadY,
                residual,
                m,
                line.meanX,
                line.spreadX,
                level);
    }

    /// The exponent with a percentile bootstrap interval: the runs, that is the (n, seed) points, are drawn with
    /// replacement (Efron & Tibshirani 1993, sec. 9.5, bootstrapping pairs), which needs no equal or normal errors.
    /// Draws with a single n are drawn again. With fewer than about ten points it is too narrow: prefer the t
    /// interval.
    public static Interval exponentByBootstrap(double[] n, double[] tau, Bootstrap bootstrap) {
        check(n, tau, bootstrap.level());
        double[] x = Arrays.stream(n).map(Math::log).toArray();
        double[] y = Arrays.stream(tau).map(Math::log).toArray();
        double[] drawnX = new double[x.length];
        double[] drawnY = new double[x.length];
        double[] slopes = new double[bootstrap.resamples()];
        for (int b = 0; b < slopes.length; b++) {
            SplitMix64 random = bootstrap.random(b);
            do {
                for (int i = 0; i < x.length; i++) {
                    int drawn = random.nextInt(x.length);
                    drawnX[i] = x[drawn];
                    drawnY[i] = y[drawn];
                }
            } while (!severalValues(drawnX));
            slopes[b] = Line.through(drawnX, drawnY).slope;
        }
        return bootstrap.interval(Line.through(x, y).slope, slopes);
    }

    /// The law at `n`, C n^a, with the interval of the line there (Draper & Smith 1998, ch. 1): the mean of log
    /// tau, not the time of a single run.
    public Interval line(double n) {
        return at(n, 0);
    }

    /// The time that a new run with `n` would need: C n^a with its prediction interval (Draper & Smith 1998, ch. 3),
    /// which holds the scatter of a single run as well as the error of the line.
    public Interval predict(double n) {
        return at(n, 1);
    }

    /// @param single variance of a single run about the line, in units of the residual's
    private Interval at(double n, double single) {
        if (!(n > 0) || Double.isInfinite(n)) {
            throw new IllegalArgumentException("prediction: expected a positive n, got " + n);
        }
        double distance = Math.log(n) - meanLogN;
        double log = Math.log(prefactor.value()) + exponent.value() * Math.log(n);
        double error = residual * Math.sqrt(single + 1.0 / points + distance * distance / spreadLogN);
        double margin = StudentT.margin(points - 2, level, error);
        return new Interval(Math.exp(log), Math.exp(log - margin), Math.exp(log + margin));
    }

    private static void check(double[] n, double[] tau, double level) {
        if (n.length != tau.length || !(level > 0 && level < 1)) {
            throw new IllegalArgumentException("power law: expected one tau per n and 0 < level < 1, got " + n.length
                    + " n, " + tau.length + " tau, level " + level);
        }
        for (int i = 0; i < n.length; i++) {
            if (!(n[i] > 0 && tau[i] > 0) || Double.isInfinite(n[i]) || Double.isInfinite(tau[i])) {
                throw new IllegalArgumentException("power law: expected positive finite numbers, found n = " + n[i]
                        + ", tau = " + tau[i] + " at point " + i);
            }
        }
        if (!severalValues(n)) {
            throw new IllegalArgumentException("power law: needs points at two different n or more");
        }
    }

    private static boolean severalValues(double[] values) {
        return Arrays.stream(values).anyMatch(value -> value != values[0]);
    }

    /// Least squares line y = intercept + slope x, in centred form.
    private record Line(
            double slope, double meanX, double meanY, double spreadX, double spreadY, double squaredResiduals) {
        static Line through(double[] x, double[] y) {
            double meanX = Arrays.stream(x).average().orElseThrow();
            double meanY = Arrays.stream(y).average().orElseThrow();
            double xx = 0;
            double xy = 0;
            double yy = 0;
            for (int i = 0; i < x.length; i++) {
                xx += (x[i] - meanX) * (x[i] - meanX);
                xy += (x[i] - meanX) * (y[i] - meanY);
                yy += (y[i] - meanY) * (y[i] - meanY);
            }
            double slope = xy / xx;
            double residuals = 0;
            for (int i = 0; i < x.length; i++) {
                double r = y[i] - meanY - slope * (x[i] - meanX);
                residuals += r * r;
            }
            return new Line(slope, meanX, meanY, xx, yy, residuals);
        }

        double intercept() {
            return meanY - slope * meanX;
        }
    }
}
