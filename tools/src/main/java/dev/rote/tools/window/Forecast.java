package dev.rote.tools.window;

import dev.rote.metrics.GapCurve;
import dev.rote.metrics.GapForecast;
import dev.rote.metrics.GenerationForecast;
import dev.rote.metrics.Interval;
import dev.rote.metrics.LogNormal;
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
/// @param tauGen and whether there is a window; empty if no small run knows tau_gen or a bound of it, or if none copied
/// @param updates that the small runs took
/// @param runs small runs behind it
/// @param beginning of the run itself, where it has begun
record Forecast(
        int n,
        Optional<Interval> tauMem,
        Optional<Interval> exponent,
        Optional<GenerationForecast> tauGen,
        long updates,
        List<SmallRun> runs,
        Optional<Beginning> beginning) {
    /// What the run itself says so far.
    ///
    /// @param step its last check
    /// @param tauMem by the gap of its losses alone, with a 95 % interval; empty until the gap is large enough
    record Beginning(int step, Optional<Interval> tauMem) {}

    /// Standard deviation of ln tau_mem between runs of other seeds and images.
    static final double MEMORIZATION_SCATTER = 0.15;

    /// From small runs alone.
    static Forecast of(int n, List<SmallRun> runs) {
        return of(n, runs, Optional.empty());
    }

    /// @param own gap of the run itself, where it has begun
    static Forecast of(int n, List<SmallRun> runs, Optional<GapCurve> own) {
        List<GapForecast.Small> gaps = new ArrayList<>();
        for (SmallRun run : runs) {
            run.tauMem()
                    .ifPresent(tau -> gaps.add(new GapForecast.Small(run.n(), tau.value(), run.error(), run.gap())));
        }
        List<GenerationForecast.Point> good = generation(runs);
        Optional<WindowPrediction> memorization = memorization(runs);
        Optional<LogNormal> law = memorization.map(fit -> fit.about(n));
        Optional<LogNormal> gap = own.flatMap(curve -> GapForecast.of(gaps, curve, n));
        Optional<LogNormal> tauMem = law.map(tau -> gap.map(tau::and).orElse(tau));
        return new Forecast(
                n,
                tauMem.map(LogNormal::interval),
                memorization.map(WindowPrediction::exponent),
                good.isEmpty() ? Optional.empty() : tauMem.map(tau -> GenerationForecast.of(good, n, tau)),
                runs.stream().mapToLong(SmallRun::steps).sum(),
                List.copyOf(runs),
                own.map(curve -> new Beginning((int) curve.end(), gap.map(LogNormal::interval))));
    }

    /// The law of tau_mem; empty if no small run reached it.
    static Optional<WindowPrediction> memorization(List<SmallRun> runs) {
        List<Point> memorized = new ArrayList<>();
        for (SmallRun run : runs) {
            run.tauMem().ifPresent(tau -> memorized.add(new Point(run.n(), tau.value(), run.error())));
        }
        return memorized.isEmpty()
                ? Optional.empty()
                : Optional.of(WindowPrediction.of(memorized, Prior.MEMORIZATION, MEMORIZATION_SCATTER));
    }

    /// What the small runs know of their tau_gen.
    static List<GenerationForecast.Point> generation(List<SmallRun> runs) {
        return runs.stream().flatMap(run -> run.tauGen().stream()).toList();
    }

    /// How many of the small runs know a bound of their tau_gen and no more.
    long bounds() {
        return generation(runs).stream()
                .filter(tau -> tau.known() != GenerationForecast.Known.EXACT)
                .count();
    }

    /// Share of the updates up to 2 tau_mem(n) that the small runs took.
    Optional<Double> cost() {
        return tauMem.map(tau -> updates / (2 * tau.value()));
    }
}
