package dev.rote.metrics;

import java.util.Arrays;
import java.util.List;

/// When does the memorized fraction pass a level, as told by few samples at each of many steps?
///
/// Near its onset the fraction f follows a logistic curve of the logarithm of the step,
///
/// ```
/// logit f(s) = logit p + c ln(s / tau)
/// ```
///
/// with tau the step at which it passes p. The numbers of copies are binomial; ln tau has a flat prior from
/// [#BEFORE] before the first step to [#AFTER] after the last, and c a lognormal one about the slopes of small U-Nets.
/// The posterior is summed on a grid. Samples of all steps count together, so that few at each of them suffice.
///
/// Deterministic: a function of the counts.
public final class MemorizationOnset {
    /// The prior of tau begins at the first step divided by this.
    public static final double BEFORE = 4;

    /// And ends at the last step times this.
    public static final double AFTER = 8;

    private static final double USUAL_SLOPE = 3.5;
    private static final double SLOPE_SPREAD = 0.4; // standard deviation of ln c
    private static final int SLOPES = 17; // to two standard deviations on either side
    private static final double GRID = 0.01; // in ln tau

    private final double level;
    private final double first; // ln tau of the first grid point
    private final double[] weights; // of ln tau, with sum 1

    /// Copies among samples.
    ///
    /// @param step updates done, above 0
    /// @param copies 0 or more
    /// @param samples 1 or more
    public record Count(double step, int copies, int samples) {
        public Count {
            if (!(step > 0) || copies < 0 || samples < Math.max(copies, 1)) {
                throw new IllegalArgumentException("onset: expected a positive step and copies among samples, found "
                        + copies + " among " + samples + " at step " + step);
            }
        }
    }

    private MemorizationOnset(double level, double first, double[] weights) {
        this.level = level;
        this.first = first;
        this.weights = weights;
    }

    /// @param counts at growing steps, 1 or more
    /// @param level fraction p, between 0 and 1
    public static MemorizationOnset of(List<Count> counts, double level) {
        if (counts.isEmpty() || !(level > 0 && level < 1)) {
            throw new IllegalArgumentException(
                    "onset: expected counts and a level between 0 and 1, got " + counts.size() + " and " + level);
        }
        double begin = Math.log(counts.getFirst().step() / BEFORE);
        double end = Math.log(counts.getLast().step() * AFTER);
        int points = (int) Math.ceil((end - begin) / GRID) + 1;
        double[][] logs = new double[SLOPES][points];
        double largest = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < SLOPES; j++) {
            double deviations = 4.0 * j / (SLOPES - 1) - 2;
            double slope = USUAL_SLOPE * Math.exp(SLOPE_SPREAD * deviations);
            for (int i = 0; i < points; i++) {
                double log = -0.5 * deviations * deviations + likelihood(counts, level, slope, begin + i * GRID);
                logs[j][i] = log;
                largest = Math.max(largest, log);
            }
        }
        double[] weights = new double[points];
        for (double[] line : logs) {
            for (int i = 0; i < points; i++) {
                weights[i] += Math.exp(line[i] - largest);
            }
        }
        double sum = Arrays.stream(weights).sum();
        for (int i = 0; i < points; i++) {
            weights[i] /= sum;
        }
        return new MemorizationOnset(level, begin, weights);
    }

    private static double likelihood(List<Count> counts, double level, double slope, double logTau) {
        double log = 0;
        double odds = Math.log(level / (1 - level));
        for (Count count : counts) {
            double logit = odds + slope * (Math.log(count.step()) - logTau);
            // ln f = -ln(1 + e^-x), ln(1 - f) = -ln(1 + e^x)
            log -= count.copies() * softplus(-logit) + (count.samples() - count.copies()) * softplus(logit);
        }
        return log;
    }

    private static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    /// Probability that the fraction passed the level before this step.
    public double passed(double step) {
        double at = (Math.log(step) - first) / GRID;
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            // Each grid point stands for the cell around it.
            sum += weights[i] * Math.clamp(at - i + 0.5, 0, 1);
        }
        return sum;
    }

    /// The step before which the fraction passed the level with this probability.
    ///
    /// @param probability above 0, below 1
    public double quantile(double probability) {
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            if (sum + weights[i] >= probability) {
                double within = (probability - sum) / weights[i] - 0.5;
                return Math.exp(first + (i + within) * GRID);
            }
            sum += weights[i];
        }
        return Math.exp(first + (weights.length - 0.5) * GRID);
    }

    /// Median of tau and its 90 % interval.
    public Interval interval() {
        return new Interval(quantile(0.5), quantile(0.05), quantile(0.95));
    }

    /// The fraction whose passing is meant.
    public double level() {
        return level;
    }
}
