package dev.rote.tools.window;

import dev.rote.metrics.Interval;
import dev.rote.metrics.WindowPrediction;
import dev.rote.metrics.WindowPrediction.Point;
import dev.rote.metrics.WindowPrediction.Prior;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The window of a run that was not made, from small ones.
///
/// @param n its training images
/// @param tauMem with a 95 % interval; empty if no small run reached it
/// @param exponent of tau_mem
/// @param tauGen with a 95 % interval; empty if no small run knows it
/// @param tauGenIsLeast some small runs give only a lower bound, so it may be later
/// @param updates that the small runs took
/// @param runs small runs behind it
record Forecast(
        int n,
        Optional<Interval> tauMem,
        Optional<Interval> exponent,
        Optional<Interval> tauGen,
        boolean tauGenIsLeast,
        long updates,
        List<SmallRun> runs) {
    /// Standard deviation of ln tau_mem between runs of other seeds and images.
    static final double MEMORIZATION_SCATTER = 0.15;

    /// The same of tau_gen, which is read off a flat and noisy curve.
    static final double GENERATION_SCATTER = 0.4;

    private static final double NORMAL_95 = 1.6448536269514722; // of a 90 % interval

    static Forecast of(int n, List<SmallRun> runs) {
        List<Point> memorized = new ArrayList<>();
        List<Point> good = new ArrayList<>();
        boolean least = false;
        for (SmallRun run : runs) {
            run.tauMem()
                    .ifPresent(tau -> memorized.add(
                            new Point(run.n(), tau.value(), Math.log(tau.high() / tau.low()) / (2 * NORMAL_95))));
            run.tauGen().ifPresent(tau -> good.add(new Point(run.n(), tau, 0)));
            least |= run.tauGenIsLeast();
        }
        Optional<WindowPrediction> memorization = memorized.isEmpty()
                ? Optional.empty()
                : Optional.of(WindowPrediction.of(memorized, Prior.MEMORIZATION, MEMORIZATION_SCATTER));
        Optional<WindowPrediction> generation = good.isEmpty()
                ? Optional.empty()
                : Optional.of(WindowPrediction.of(good, Prior.GENERATION, GENERATION_SCATTER));
        return new Forecast(
                n,
                memorization.map(fit -> fit.at(n)),
                memorization.map(WindowPrediction::exponent),
                generation.map(fit -> fit.at(n)),
                least,
                runs.stream().mapToLong(SmallRun::steps).sum(),
                List.copyOf(runs));
    }

    /// Share of the updates up to 2 tau_mem(n) that the small runs took.
    Optional<Double> cost() {
        return tauMem.map(tau -> updates / (2 * tau.value()));
    }
}
