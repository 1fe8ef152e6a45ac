package dev.rote.metrics;

/// An estimate with its interval, usually 95 %. Infinite ends are allowed (nothing is known on that side), NaN is not.
/// The value of a percentile bootstrap interval may lie outside of it.
public record Interval(double value, double low, double high) {
    /// The 97.5 % quantile of the standard normal: half of a 95 % interval, in standard deviations.
    static final double NORMAL_975 = 1.959963984540054;

    public Interval {
        if (Double.isNaN(value) || !(low <= high)) {
            throw new IllegalArgumentException(
                    "interval: expected low <= high and a value, got " + value + " [" + low + ", " + high + "]");
        }
    }

    /// Whether `low <= x <= high`.
    public boolean contains(double x) {
        return low <= x && x <= high;
    }
}
