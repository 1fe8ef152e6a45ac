package dev.rote.tools.window;

import dev.rote.metrics.Curve;
import dev.rote.metrics.GapCurve;
import dev.rote.metrics.GenerationForecast;
import dev.rote.metrics.GenerationForecast.Known;
import dev.rote.metrics.GenerationTime;
import dev.rote.metrics.Interval;
import dev.rote.metrics.TimeScales;
import dev.rote.tools.study.RunRecord;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// What a small run says about the window.
///
/// @param n its training images
/// @param steps updates that it took
/// @param tauMem with its 90 % interval; empty if it was not reached
/// @param tauGen or a bound of it; empty if nobody knows
/// @param gap of its losses; without looks where there are no held-out images
record SmallRun(int n, int steps, Optional<Interval> tauMem, Optional<GenerationForecast.Point> tauGen, GapCurve gap) {
    private static final double NORMAL_95 = 1.6448536269514722; // of a 90 % interval

    /// From its records.
    static SmallRun of(int n, RunRecord record) {
        Optional<Interval> tauMem = Optional.empty();
        if (record.stop().map(RunRecord.Stop::early).orElse(false)
                && !record.checks().isEmpty()) {
            tauMem = record.checks()
                    .getLast()
                    .tauMem()
                    .map(found -> new Interval(found.value(), found.low(), found.high()));
        }
        return of(n, record.step(), tauMem, record.measurements(), gap(record.checks()));
    }

    /// The gap of the losses at a run's checks.
    static GapCurve gap(List<RunRecord.Check> checks) {
        return GapCurve.of(checks.stream()
                .filter(check -> check.gap().isPresent() && check.gap().getAsDouble() < 1)
                .map(check -> look(check.step(), check.gap().getAsDouble()))
                .toList());
    }

    /// @param gap (test loss - train loss) / test loss
    static GapCurve.Look look(int step, double gap) {
        return new GapCurve.Look(step, -Math.log1p(-gap));
    }

    /// Standard deviation of ln tau_mem that the run's own samples leave; of a run that reached it.
    double error() {
        Interval tau = tauMem.orElseThrow();
        return Math.log(tau.high() / tau.low()) / (2 * NORMAL_95);
    }

    /// @param tauMem where it was reached
    static SmallRun of(int n, int steps, Optional<Interval> tauMem, List<RunRecord.Measured> measured, GapCurve gap) {
        List<RunRecord.Measured> with = measured.stream()
                .filter(at -> at.frechet().isPresent() && at.step() > 0 && at.step() <= steps)
                .toList();
        return new SmallRun(n, steps, tauMem, tauGen(n, with, tauMem.map(Interval::value)), gap);
    }

    private static Optional<GenerationForecast.Point> tauGen(
            int n, List<RunRecord.Measured> measured, Optional<Double> tauMem) {
        if (measured.isEmpty()) {
            return Optional.empty();
        }
        Curve frechet = Curve.of(
                measured.stream().mapToDouble(RunRecord.Measured::step).toArray(),
                measured.stream().mapToDouble(at -> at.frechet().get().value()).toArray());
        OptionalDouble end = tauMem.map(OptionalDouble::of).orElse(OptionalDouble.empty());
        return TimeScales.generation(frechet, end, TimeScales.GENERATION_FACTOR)
                .flatMap(found -> known(found, frechet.steps()[0])
                        .map(known -> new GenerationForecast.Point(n, found.step(), known)));
    }

    /// Empty where tau_gen may be earlier as well as later.
    private static Optional<Known> known(GenerationTime found, double firstStep) {
        boolean first = found.step() == firstStep;
        if (first && found.minimumIsLast()) {
            return Optional.empty();
        }
        return Optional.of(first ? Known.AT_MOST : found.minimumIsLast() ? Known.AT_LEAST : Known.EXACT);
    }
}
