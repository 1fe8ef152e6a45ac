package dev.rote.tools.study;

import dev.rote.config.RunConfig;
import dev.rote.metrics.GenerationPlateau;
import dev.rote.metrics.TimeScales;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Curve;
import dev.rote.tools.report.Point;
import dev.rote.tools.report.Quantity;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.RunCurves;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// One run as the analysis over several axes sees it.
///
/// @param run its curves and times
/// @param config what it was
/// @param parameters of its network, NaN when unknown
record Member(RunCurves run, RunConfig config, double parameters) {
    double n() {
        return config.data().n();
    }

    double width() {
        return config.model().width();
    }

    /// The same seed and the same block of images.
    boolean isTwinOf(Member other) {
        return config.seed() == other.config.seed()
                && config.data().index() == other.config.data().index();
    }

    /// f_mem over training; empty when nothing was measured.
    Optional<List<Point>> fractions(double k) {
        return run.curve(new Quantity.MemorizedFraction(k)).map(Curve::points).filter(points -> !points.isEmpty());
    }

    /// f_mem divided by its last value; empty when that is zero.
    Optional<List<Point>> normalized(double k) {
        return fractions(k).filter(points -> points.getLast().y() > 0).map(points -> points.stream()
                .map(p -> Point.of(p.x(), p.y() / points.getLast().y()))
                .toList());
    }

    Optional<List<Point>> frechet() {
        return run.curves().stream()
                .filter(curve -> curve.quantity() instanceof Quantity.Frechet)
                .map(Curve::points)
                .filter(points -> !points.isEmpty())
                .findFirst();
    }

    /// Divergence from the data's own density, of mixtures.
    Optional<List<Point>> kl() {
        return run.curve(Quantity.Metric.KL).map(Curve::points).filter(points -> !points.isEmpty());
    }

    /// What a clock of the run says; the two that no run carries by itself are read here.
    Optional<Reading> time(Clock clock, Clock.TauMem memorization) {
        return switch (clock) {
            case Clock.Plateau plateau -> run.time(plateau).or(() -> plateau(memorization));
            case Clock.NormalizedRise rise -> normalized(rise.k()).map(points -> crossing(points, rise.level()));
            case Clock.TauGen gen -> run.time(gen);
            case Clock.TauMem mem -> run.time(mem);
            case Clock.FirstCopy copy -> run.time(copy);
            case Clock.LossSplit split -> run.time(split);
            case Clock.TauKl fall -> run.time(fall);
            case Clock.KlRise rise -> run.time(rise);
        };
    }

    private static Reading crossing(List<Point> points, double level) {
        return TimeScales.crossing(curve(points), level)
                .map(at -> at.censored()
                        ? new Reading.BeforeFirst(at.step())
                        : (Reading) new Reading.Reached(at.step(), Double.NaN, Double.NaN))
                .orElseGet(() -> new Reading.NotReached(points.getLast().x()));
    }

    /// tau_gen as the arrival on the plateau of the Fréchet distance before tau_mem.
    private Optional<Reading> plateau(Clock.TauMem memorization) {
        OptionalDouble end =
                switch (run.time(memorization).orElse(new Reading.Unknown(""))) {
                    case Reading.Reached at -> OptionalDouble.of(at.value());
                    case Reading.BeforeFirst at -> OptionalDouble.of(at.firstStep());
                    case Reading.AtLeast at -> OptionalDouble.empty();
                    case Reading.NotReached at -> OptionalDouble.empty();
                    case Reading.Unknown at -> OptionalDouble.empty();
                };
        return frechet()
                .filter(points -> points.stream().allMatch(p -> p.y() > 0))
                .flatMap(points -> GenerationPlateau.of(curve(points), end, GenerationPlateau.FACTOR))
                .map(Member::reading);
    }

    private static Reading reading(GenerationPlateau found) {
        if (found.falling()) {
            return new Reading.AtLeast(found.step(), "still falling");
        }
        return found.censored()
                ? new Reading.BeforeFirst(found.step())
                : new Reading.Reached(found.step(), Double.NaN, Double.NaN);
    }

    static dev.rote.metrics.Curve curve(List<Point> points) {
        return dev.rote.metrics.Curve.of(
                points.stream().mapToDouble(Point::x).toArray(),
                points.stream().mapToDouble(Point::y).toArray());
    }
}
