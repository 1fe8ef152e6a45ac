package dev.rote.metrics;

/// What is believed of a positive quantity whose logarithm is normal.
///
/// @param mean of the logarithm
/// @param deviation standard deviation of the logarithm, above 0
public record LogNormal(double mean, double deviation) {
    public LogNormal {
        if (!Double.isFinite(mean) || !(deviation > 0) || Double.isInfinite(deviation)) {
            throw new IllegalArgumentException(
                    "log-normal: expected a mean and a positive deviation, got " + mean + " and " + deviation);
        }
    }

    /// The median with the central 95 %.
    public Interval interval() {
        double margin = Interval.NORMAL_975 * deviation;
        return new Interval(Math.exp(mean), Math.exp(mean - margin), Math.exp(mean + margin));
    }

    /// The same of `factor` times the quantity.
    public LogNormal times(double factor) {
        return new LogNormal(mean + Math.log(factor), deviation);
    }

    /// What this and an independent belief of the same quantity say together: the product of their densities.
    public LogNormal and(LogNormal other) {
        double own = 1 / (deviation * deviation);
        double theirs = 1 / (other.deviation * other.deviation);
        return new LogNormal((own * mean + theirs * other.mean) / (own + theirs), 1 / Math.sqrt(own + theirs));
    }
}
