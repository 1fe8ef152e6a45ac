package dev.rote.metrics;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/// Clocks of the divergence from a known density ([KullbackLeibler]), which falls from many nats to a floor near 0 and
/// rises again as the network memorizes (Bonnaire et al. 2025, arXiv:2505.17638, Fig. 9).
///
/// A network that has learned little predicts no score of what it draws, and the estimate is then off by many nats to
/// either side. A divergence is never below 0, so all clocks ask how far from 0 the estimate is: its magnitude. Far
/// from the floor it also rests on a few samples and scatters more than its own interval, so one measurement proves
/// nothing: what is read is the running median of three magnitudes, the ends as they are. Intervals come from drawing
/// every measurement again from the normal distribution with its own 95 % interval, as those of
/// [TimeScales#generationInterval] do.
public final class DivergenceTimes {
    /// The distance from 0 at which fall and rise are read, and how close to a plateau is on it, in nats.
    public static final double LEVEL = 1;

    private DivergenceTimes() {}

    /// The running median of three magnitudes: what the clocks are read off.
    public static Curve smooth(Curve divergence) {
        return Curve.of(divergence.steps(), smooth(divergence.values()));
    }

    private static double[] smooth(double[] values) {
        return GenerationPlateau.runningMedian(magnitudes(values));
    }

    private static double[] magnitudes(double[] values) {
        return Arrays.stream(values).map(Math::abs).toArray();
    }

    /// Where the divergence is first within `level` of 0, interpolated linearly in nats and log step, looking only at
    /// steps up to `memorizationStep` (all steps if it is empty): what falls later does so while samples are copies. An
    /// infinite high end of the interval means "perhaps not before that", a low end of 0 "perhaps before the first
    /// measurement".
    ///
    /// @param divergence with 95 % intervals, or exact
    /// @return empty if nothing was measured up to `memorizationStep`
    public static Optional<CrossingInterval> fall(
            Curve divergence, OptionalDouble memorizationStep, double level, Bootstrap bootstrap) {
        double[] steps = divergence.steps();
        double end = memorizationStep.orElse(Double.POSITIVE_INFINITY);
        int count = (int) Arrays.stream(steps).filter(step -> step <= end).count();
        if (count == 0) {
            return Optional.empty();
        }
        double[] considered = Arrays.copyOf(steps, count);
        Optional<Crossing> measured = fall(considered, divergence.values(), level);
        return Optional.of(interval(
                divergence, measured, values -> TimeScales.position(fall(considered, values, level)), bootstrap));
    }

    /// Where the divergence leaves `level` for the last time, interpolated alike. A draw that is never within the level
    /// counts as 0 in the interval.
    ///
    /// @param divergence with 95 % intervals, or exact
    /// @return empty if it never is within `level`; without a crossing if it still is at the last measurement
    public static Optional<CrossingInterval> rise(Curve divergence, double level, Bootstrap bootstrap) {
        double[] steps = divergence.steps();
        return rise(steps, divergence.values(), level)
                .map(measured -> interval(
                        divergence,
                        measured,
                        values -> rise(steps, values, level)
                                .map(TimeScales::position)
                                .orElse(0.0),
                        bootstrap));
    }

    /// [GenerationPlateau#ofDivergence] of the magnitudes.
    public static Optional<GenerationPlateau> plateau(Curve divergence, OptionalDouble memorizationStep, double nats) {
        return plateau(divergence.steps(), divergence.values(), memorizationStep, nats);
    }

    private static Optional<GenerationPlateau> plateau(
            double[] steps, double[] values, OptionalDouble memorizationStep, double nats) {
        return GenerationPlateau.ofDivergence(Curve.of(steps, magnitudes(values)), memorizationStep, nats);
    }

    /// The interval of [#plateau]; a draw that still falls counts as +infinity, one that starts on its plateau as 0.
    ///
    /// @return empty as the plateau is
    public static Optional<Interval> plateauInterval(
            Curve divergence, OptionalDouble memorizationStep, double nats, Bootstrap bootstrap) {
        return plateau(divergence, memorizationStep, nats)
                .map(found -> bootstrap.interval(found.step(), redrawn(divergence, bootstrap, values -> {
                    GenerationPlateau drawn = plateau(divergence.steps(), values, memorizationStep, nats)
                            .orElseThrow();
                    return drawn.falling() ? Double.POSITIVE_INFINITY : drawn.censored() ? 0 : drawn.step();
                })));
    }

    /// @param steps those that count, of `values` the first ones
    private static Optional<Crossing> fall(double[] steps, double[] values, double level) {
        double[] turned = smooth(values);
        Arrays.setAll(turned, i -> -turned[i]);
        return TimeScales.crossing(steps, turned, -level);
    }

    private static Optional<Optional<Crossing>> rise(double[] steps, double[] values, double level) {
        double[] smooth = smooth(values);
        int last = smooth.length - 1;
        while (last >= 0 && !(smooth[last] < level)) {
            last--;
        }
        return last < 0
                ? Optional.empty()
                : Optional.of(TimeScales.crossing(
                        Arrays.copyOfRange(steps, last, steps.length),
                        Arrays.copyOfRange(smooth, last, smooth.length),
                        level));
    }

    private static CrossingInterval interval(
            Curve divergence, Optional<Crossing> measured, ToDoubleFunction<double[]> clock, Bootstrap bootstrap) {
        double[] drawn = redrawn(divergence, bootstrap, clock);
        int never = (int) Arrays.stream(drawn).filter(Double::isInfinite).count();
        int early = (int) Arrays.stream(drawn).filter(step -> step == 0).count();
        double value = measured.map(Crossing::step).orElse(Double.POSITIVE_INFINITY);
        return new CrossingInterval(measured, bootstrap.interval(value, drawn), never, early);
    }

    private static double[] redrawn(Curve curve, Bootstrap bootstrap, ToDoubleFunction<double[]> clock) {
        double[] times = new double[bootstrap.resamples()];
        Arrays.setAll(times, b -> clock.applyAsDouble(TimeScales.redrawn(curve, bootstrap.random(b))));
        return times;
    }
}
