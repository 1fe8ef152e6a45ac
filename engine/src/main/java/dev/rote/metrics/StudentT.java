package dev.rote.metrics;

/// Student's t distribution with a whole number of degrees of freedom, and intervals for the mean of a few values, such
/// as one per seed.
public final class StudentT {
    private StudentT() {}

    /// Mean of `values` with its t interval `mean +- t s / sqrt(n)` (Student 1908). One value gives an interval without
    /// ends: nothing is known about the spread.
    public static Interval mean(double[] values, double level) {
        int n = values.length;
        if (n < 1 || !(level > 0 && level < 1)) {
            throw new IllegalArgumentException(
                    "t interval: expected at least one value and 0 < level < 1, got " + n + " and " + level);
        }
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        double mean = sum / n;
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        double margin = margin(n - 1, level, Math.sqrt(squares / Math.max(n - 1, 1) / n));
        return new Interval(mean, mean - margin, mean + margin);
    }

    /// Geometric mean of positive values with its t interval: that of the logarithms. Right for times that scatter by
    /// factors.
    public static Interval geometricMean(double[] values, double level) {
        double[] logs = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            if (!(values[i] > 0) || Double.isInfinite(values[i])) {
                throw new IllegalArgumentException(
                        "geometric mean: expected positive finite values, found " + values[i] + " at " + i);
            }
            logs[i] = Math.log(values[i]);
        }
        Interval log = mean(logs, level);
        return new Interval(Math.exp(log.value()), Math.exp(log.low()), Math.exp(log.high()));
    }

    /// Half width of a two-sided interval: t times the standard error; infinite without degrees of freedom.
    static double margin(int degreesOfFreedom, double level, double standardError) {
        return degreesOfFreedom < 1
                ? Double.POSITIVE_INFINITY
                : quantile((1 + level) / 2, degreesOfFreedom) * standardError;
    }

    /// The p-quantile, 0 < p < 1, by bisection to the last bits.
    public static double quantile(double p, int degreesOfFreedom) {
        if (!(p > 0 && p < 1) || degreesOfFreedom < 1) {
            throw new IllegalArgumentException(
                    "t quantile: expected 0 < p < 1 and 1 or more degrees, got " + p + " and " + degreesOfFreedom);
        }
        if (p < 0.5) {
            return -quantile(1 - p, degreesOfFreedom);
        }
        double low = 0;
        double high = 1;
        while (cumulative(high, degreesOfFreedom) < p && high < 1e300) {
            high *= 2;
        }
        for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
            double middle = 0.5 * (low + high);
            if (cumulative(middle, degreesOfFreedom) < p) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return 0.5 * (low + high);
    }

    /// P(T <= t) for t >= 0: Abramowitz & Stegun 26.7.3 (odd) and 26.7.4 (even), finite sums in theta =
    /// atan(t/sqrt(nu)).
    static double cumulative(double t, int nu) {
        double theta = Math.atan(t / Math.sqrt(nu));
        double cos = Math.cos(theta);
        double sin = Math.sin(theta);
        boolean odd = nu % 2 == 1;
        double term = odd ? cos : 1;
        double sum = nu == 1 ? 0 : term;
        for (int j = odd ? 3 : 2; j <= nu - 2; j += 2) {
            term *= cos * cos * (j - 1) / j;
            sum += term;
        }
        double inside = odd ? 2 / Math.PI * (theta + sin * sum) : sin * sum;
        return 0.5 * (1 + inside);
    }
}
