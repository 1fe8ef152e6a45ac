package dev.rote.metrics;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;

/// Where the Fréchet distance reaches its plateau: tau_gen as Bonnaire et al., arXiv:2505.17638, read it off a figure,
// as
/// a rule. Beside [TimeScales#generation], which asks for 10 % of the smallest distance and so follows single low
// points
/// of a noisy curve.
///
/// The plateau is the median of the distances in the last half, in log tau, of the measurements before tau_mem. tau_gen
/// is where the running median of three distances first falls to `factor` times the plateau, interpolated linearly
/// in log distance over log tau.
///
/// @param step the time; the first measurement when `censored`
/// @param level the plateau
/// @param minimumStep measured step of the smallest distance before tau_mem
/// @param minimum the smallest distance before tau_mem
/// @param censored the first measurement is on the plateau already: it was reached before
/// @param falling the distance fell by more than `factor` within the plateau itself, by its running median: it may fall
// on, and
///     the time is a lower bound
public record GenerationPlateau(
        double step, double level, double minimumStep, double minimum, boolean censored, boolean falling) {
    /// How far above the plateau still counts as on it.
    public static final double FACTOR = 1.5;

    /// Fewer measurements have no plateau.
    private static final int FEWEST = 5;

    /// @param frechet distances, above 0
    /// @param memorizationStep tau_mem; empty when it is after the last measurement
    /// @param factor above 1
    /// @return empty with fewer than five measurements before tau_mem
    public static Optional<GenerationPlateau> of(Curve frechet, OptionalDouble memorizationStep, double factor) {
        if (!(factor > 1)) {
            throw new IllegalArgumentException("plateau: expected a factor above 1, got " + factor);
        }
        double end = memorizationStep.orElse(Double.POSITIVE_INFINITY);
        int count =
                (int) Arrays.stream(frechet.steps()).filter(step -> step <= end).count();
        if (count < FEWEST) {
            return Optional.empty();
        }
        double[] steps = Arrays.copyOf(frechet.steps(), count);
        double[] values = Arrays.copyOf(frechet.values(), count);
        double[] smooth = runningMedian(values);
        double middle = Math.sqrt(Math.max(steps[0], 1) * steps[count - 1]);
        double[] late = new double[count];
        int lates = 0;
        int firstLate = count;
        for (int i = 0; i < count; i++) {
            if (steps[i] >= middle) {
                firstLate = Math.min(firstLate, i);
                late[lates++] = values[i];
            }
        }
        double level = median(Arrays.copyOf(late, lates));
        int first = 0;
        while (first < count && smooth[first] > factor * level) {
            first++;
        }
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = values[i] < values[best] ? i : best;
        }
        boolean falling = smooth[firstLate] > factor * smooth[count - 1];
        double step = first == 0 || first == count
                ? steps[Math.min(first, count - 1)]
                : interpolate(steps, smooth, first, factor * level);
        return Optional.of(new GenerationPlateau(step, level, steps[best], values[best], first == 0, falling));
    }

    private static double interpolate(double[] steps, double[] values, int i, double level) {
        double part = Math.log(values[i - 1] / level) / Math.log(values[i - 1] / values[i]);
        double from = Math.max(steps[i - 1], 1);
        return from * Math.pow(steps[i] / from, part);
    }

    /// Of three neighbours; the ends stay as they are.
    private static double[] runningMedian(double[] values) {
        double[] smooth = values.clone();
        for (int i = 1; i < values.length - 1; i++) {
            smooth[i] = median(new double[] {values[i - 1], values[i], values[i + 1]});
        }
        return smooth;
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return Bootstrap.quantile(values, 0.5);
    }
}
