package dev.rote.metrics;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;

/// Where the Fréchet distance reaches its plateau: tau_gen as Bonnaire et al., arXiv:2505.17638, read it off a figure,
/// as a rule. Beside [TimeScales#generation], which asks for 10 % of the smallest distance and so follows single low
/// points of a noisy curve.
///
/// The plateau is the median of the distances in the last quarter, in log tau, of the measurements before tau_mem, and
/// of four at least. tau_gen is where the running median of three distances first falls to `factor` times the plateau,
/// interpolated linearly in log distance over log tau. A divergence in nats is a logarithm already and its estimates
/// may lie below 0: there nats are added instead ([#ofDivergence]).
///
/// @param step the time; the first measurement when `censored`
/// @param level the plateau
/// @param minimumStep measured step of the smallest distance before tau_mem
/// @param minimum the smallest distance before tau_mem
/// @param censored the first measurement is on the plateau already: it was reached before
/// @param falling distances fall by more than [#SETTLED] within the plateau, half against half, a divergence by more
///     than half of the nats: it has not been reached before tau_mem, and the time is a lower bound
public record GenerationPlateau(
        double step, double level, double minimumStep, double minimum, boolean censored, boolean falling) {
    /// How far above the plateau still counts as on it.
    public static final double FACTOR = 1.5;

    /// How much distances may fall within a plateau.
    public static final double SETTLED = 1.25;

    /// Fewest measurements that make a plateau.
    private static final int FEWEST_LATE = 4;

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
        return of(frechet, memorizationStep, new Times(factor));
    }

    /// The same of a divergence: within `nats` of its plateau, interpolated linearly in nats over log tau.
    ///
    /// @param divergence in nats, of any sign
    /// @param memorizationStep tau_mem; empty when it is after the last measurement
    /// @param nats above 0
    /// @return empty with fewer than five measurements before tau_mem
    public static Optional<GenerationPlateau> ofDivergence(
            Curve divergence, OptionalDouble memorizationStep, double nats) {
        if (!(nats > 0)) {
            throw new IllegalArgumentException("plateau: expected nats above 0, got " + nats);
        }
        return of(divergence, memorizationStep, new Plus(nats));
    }

    private static Optional<GenerationPlateau> of(Curve frechet, OptionalDouble memorizationStep, Closeness near) {
        double end = memorizationStep.orElse(Double.POSITIVE_INFINITY);
        int count =
                (int) Arrays.stream(frechet.steps()).filter(step -> step <= end).count();
        if (count < FEWEST) {
            return Optional.empty();
        }
        double[] steps = Arrays.copyOf(frechet.steps(), count);
        double[] values = Arrays.copyOf(frechet.values(), count);
        double[] smooth = runningMedian(values);
        double from = Math.max(steps[0], 1);
        double late = from * Math.pow(steps[count - 1] / from, 0.75);
        int firstLate = count - FEWEST_LATE;
        while (firstLate > 0 && steps[firstLate - 1] >= late) {
            firstLate--;
        }
        int half = (firstLate + count) / 2;
        double level = median(Arrays.copyOfRange(values, firstLate, count));
        boolean falling = near.falls(
                median(Arrays.copyOfRange(values, firstLate, half)), median(Arrays.copyOfRange(values, half, count)));
        int first = 0;
        double arrived = near.to(level);
        while (first < count && smooth[first] > arrived) {
            first++;
        }
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = values[i] < values[best] ? i : best;
        }
        double step = first == 0 || first == count
                ? steps[Math.min(first, count - 1)]
                : interpolate(steps, smooth, first, near, arrived);
        return Optional.of(new GenerationPlateau(step, level, steps[best], values[best], first == 0, falling));
    }

    /// What counts as close to a plateau.
    private sealed interface Closeness {
        /// The value at which a curve has arrived.
        double to(double plateau);

        /// Whether a plateau with these halves is none yet.
        boolean falls(double early, double late);

        /// Which share of the way from `before` down to `after` lies before `level`.
        double part(double before, double after, double level);
    }

    private record Times(double factor) implements Closeness {
        @Override
        public double to(double plateau) {
            return factor * plateau;
        }

        @Override
        public boolean falls(double early, double late) {
            return early > SETTLED * late;
        }

        @Override
        public double part(double before, double after, double level) {
            return Math.log(before / level) / Math.log(before / after);
        }
    }

    private record Plus(double nats) implements Closeness {
        @Override
        public double to(double plateau) {
            return plateau + nats;
        }

        @Override
        public boolean falls(double early, double late) {
            return early > late + nats / 2;
        }

        @Override
        public double part(double before, double after, double level) {
            return (before - level) / (before - after);
        }
    }

    private static double interpolate(double[] steps, double[] values, int i, Closeness near, double level) {
        double part = near.part(values[i - 1], values[i], level);
        double from = Math.max(steps[i - 1], 1);
        return from * Math.pow(steps[i] / from, part);
    }

    /// Of three neighbours; the ends stay as they are.
    static double[] runningMedian(double[] values) {
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
