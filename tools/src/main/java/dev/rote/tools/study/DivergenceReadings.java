package dev.rote.tools.study;

import dev.rote.metrics.Bootstrap;
import dev.rote.metrics.CrossingInterval;
import dev.rote.metrics.Curve;
import dev.rote.metrics.DivergenceTimes;
import dev.rote.metrics.GenerationPlateau;
import dev.rote.metrics.Interval;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.TimeScale;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// The clocks of `kl` in one run: within one nat of 0, on its plateau, away from 0 again.
///
/// @param kl over training
/// @param end tau_mem; empty when it is after the last measurement
record DivergenceReadings(Curve kl, OptionalDouble end, Bootstrap bootstrap) {
    List<TimeScale> all() {
        List<TimeScale> times = new ArrayList<>();
        double level = DivergenceTimes.LEVEL;
        DivergenceTimes.fall(kl, end, level, bootstrap)
                .ifPresent(found -> times.add(new TimeScale(new Clock.TauKl(level), reading(found, notFallen()))));
        DivergenceTimes.plateau(kl, end, level)
                .ifPresent(found -> times.add(new TimeScale(new Clock.Plateau(), plateau(found, level))));
        Reading rise = DivergenceTimes.rise(kl, level, bootstrap)
                .map(found -> reading(found, new Reading.NotReached(last())))
                .orElseGet(() -> new Reading.Unknown("never near 0"));
        times.add(new TimeScale(new Clock.KlRise(level), rise));
        return times;
    }

    /// Copies end the wait: what tau_mem cuts off is a bound there, not at the end of the run.
    private Reading notFallen() {
        double until = Arrays.stream(kl.steps())
                .filter(step -> step <= end.orElse(Double.POSITIVE_INFINITY))
                .max()
                .orElseThrow();
        return until < last() ? new Reading.AtLeast(until, "copies come first") : new Reading.NotReached(until);
    }

    private double last() {
        return kl.steps()[kl.length() - 1];
    }

    private Reading plateau(GenerationPlateau found, double nats) {
        if (found.falling()) {
            return new Reading.AtLeast(found.step(), "still falling");
        }
        if (found.censored()) {
            return new Reading.BeforeFirst(found.step());
        }
        return reached(
                found.step(),
                DivergenceTimes.plateauInterval(kl, end, nats, bootstrap).orElseThrow());
    }

    private Reading reading(CrossingInterval found, Reading none) {
        Optional<Reading> known = found.crossing()
                .map(at -> at.censored() ? new Reading.BeforeFirst(at.step()) : reached(at.step(), found.interval()));
        return known.orElse(none);
    }

    /// Without an interval where the measurements have none.
    private Reading reached(double step, Interval interval) {
        boolean exact = Arrays.equals(kl.lows(), kl.highs());
        return new Reading.Reached(step, exact ? Double.NaN : interval.low(), exact ? Double.NaN : interval.high());
    }
}
