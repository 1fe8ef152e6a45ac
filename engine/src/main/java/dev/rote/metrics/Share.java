package dev.rote.metrics;

/// A share of independent trials, such as the samples that are copies, with Wilson's 95 % score interval (Wilson 1927,
/// J. American Statistical Association 22), which keeps a width where no trial, or every one, is a hit.
///
/// @param count trials, 1 or more
/// @param hits how many of them count, 0 .. count
public record Share(int count, int hits) {
    public Share {
        if (count < 1 || hits < 0 || hits > count) {
            throw new IllegalArgumentException(
                    "share: expected at least one trial and 0 to that many hits, got " + count + " and " + hits);
        }
    }

    /// The share of `scores` that lie strictly below `threshold`.
    public static Share below(double[] scores, double threshold) {
        int hits = 0;
        for (double score : scores) {
            hits += score < threshold ? 1 : 0;
        }
        return new Share(scores.length, hits);
    }

    /// hits / count.
    public double value() {
        return (double) hits / count;
    }

    /// Wilson's interval at 95 %.
    public Interval wilson() {
        double p = value();
        double z2 = Interval.NORMAL_975 * Interval.NORMAL_975 / count;
        double centre = (p + z2 / 2) / (1 + z2);
        double half = Math.sqrt(z2 * (p * (1 - p) + z2 / 4)) / (1 + z2);
        return new Interval(p, hits == 0 ? 0 : centre - half, hits == count ? 1 : centre + half);
    }

    /// This share minus another, independent one, with Newcombe's 95 % interval (Newcombe 1998, Statistics in Medicine
    /// 17, method 10).
    public Interval minus(Share other) {
        Interval own = wilson();
        Interval its = other.wilson();
        double difference = own.value() - its.value();
        double down = Math.hypot(own.value() - own.low(), its.high() - its.value());
        double up = Math.hypot(own.high() - own.value(), its.value() - its.low());
        return new Interval(difference, difference - down, difference + up);
    }
}
