package dev.rote.tools.study;

import dev.rote.metrics.Bootstrap;
import dev.rote.metrics.CollapseScore;
import dev.rote.metrics.Interval;
import dev.rote.metrics.PowerLawFit;
import dev.rote.metrics.TimeScales;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Collapse;
import dev.rote.tools.report.Curve;
import dev.rote.tools.report.Findings;
import dev.rote.tools.report.Headline;
import dev.rote.tools.report.OverSeeds;
import dev.rote.tools.report.Point;
import dev.rote.tools.report.Quantity;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.ScalingFit;
import dev.rote.tools.report.TimeScale;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/// What several runs of a study say together: power laws of the clocks, medians over seeds, scores of collapses.
final class StudyAnalysis {
    /// Below this, redrawn runs give hardly more than a few different lines.
    private static final int FEWEST_RUNS_TO_REDRAW = 5;

    /// Enough for the band to look curved.
    private static final int LINE_POINTS = 41;

    private StudyAnalysis() {}

    static Headline headline(StudyFile study) {
        return new Headline(study.analysis().thresholds(), study.analysis().k());
    }

    /// Everything that needs several runs.
    ///
    /// @param parameters of the network, by run name; runs of which it is not known are missing
    static Findings findings(StudyFile study, List<RunCurves> runs, Map<String, Long> parameters) {
        return new Findings(
                headline(study),
                overSeeds(runs),
                fits(study, runs),
                collapses(study, runs),
                LandscapeAnalysis.of(study, runs, parameters));
    }

    /// Medians over the runs that differ in [Settings#REPLICATES] only, where there are two or more.
    static List<OverSeeds> overSeeds(List<RunCurves> runs) {
        Map<Map<String, String>, List<RunCurves>> groups = new LinkedHashMap<>();
        for (RunCurves run : runs) {
            Map<String, String> rest = new LinkedHashMap<>(run.keys());
            if (rest.keySet().removeAll(Settings.REPLICATES)) {
                groups.computeIfAbsent(rest, key -> new ArrayList<>()).add(run);
            }
        }
        List<OverSeeds> found = new ArrayList<>();
        groups.forEach((keys, members) -> {
            List<OverSeeds.Time> times = members.stream()
                    .flatMap(run -> run.times().stream())
                    .map(TimeScale::clock)
                    .distinct()
                    .map(clock -> overSeeds(clock, members))
                    .flatMap(Optional::stream)
                    .toList();
            if (!times.isEmpty()) {
                found.add(new OverSeeds(keys, members.getFirst().n(), members.size(), times));
            }
        });
        return found;
    }

    private static Optional<OverSeeds.Time> overSeeds(Clock clock, List<RunCurves> runs) {
        List<Reading> readings = runs.stream()
                .map(run -> run.time(clock))
                .flatMap(Optional::stream)
                .filter(reading -> !(reading instanceof Reading.Unknown))
                .toList();
        if (readings.size() < 2) {
            return Optional.empty();
        }
        double[] steps = readings.stream().mapToDouble(StudyAnalysis::step).toArray();
        Interval median = TimeScales.overSeeds(steps, Bootstrap.standard(0));
        return Optional.of(new OverSeeds.Time(
                clock,
                (int) readings.stream()
                        .filter(Reading.Reached.class::isInstance)
                        .count(),
                median.value(),
                median.low(),
                median.high(),
                readings.stream().anyMatch(Reading.AtLeast.class::isInstance)));
    }

    /// 0 is before the first measurement, infinity after the last.
    private static double step(Reading reading) {
        return switch (reading) {
            case Reading.Reached at -> at.value();
            case Reading.AtLeast at -> at.value();
            case Reading.BeforeFirst at -> 0;
            case Reading.NotReached at -> Double.POSITIVE_INFINITY;
            case Reading.Unknown at -> Double.NaN;
        };
    }

    /// Scores of f_mem against tau / n, and against W tau / n where the width varies, for every ratio.
    static List<Collapse> collapses(StudyFile study, List<RunCurves> runs) {
        double[] levels = study.analysis().thresholds().stream()
                .mapToDouble(Double::doubleValue)
                .toArray();
        List<Double> ratios = runs.stream()
                .flatMap(run -> run.curves().stream())
                .map(Curve::quantity)
                .filter(Quantity.MemorizedFraction.class::isInstance)
                .map(quantity -> ((Quantity.MemorizedFraction) quantity).k())
                .distinct()
                .toList();
        boolean widths = runs.stream()
                        .map(StudyAnalysis::width)
                        .flatMap(Optional::stream)
                        .distinct()
                        .count()
                > 1;
        List<Collapse> found = new ArrayList<>();
        for (double k : ratios) {
            collapse(runs, k, levels, "n", run -> (double) run.n()).ifPresent(found::add);
            if (widths) {
                collapse(runs, k, levels, "n/W", run -> run.n() / width(run).orElse(Double.NaN))
                        .ifPresent(found::add);
            }
        }
        return found;
    }

    private static Optional<Double> width(RunCurves run) {
        return number(run.keys().get("model.width"));
    }

    private static Optional<Collapse> collapse(
            List<RunCurves> runs, double k, double[] levels, String variable, ToDoubleFunction<RunCurves> scale) {
        List<dev.rote.metrics.Curve> curves = new ArrayList<>();
        List<Double> scales = new ArrayList<>();
        for (RunCurves run : runs) {
            double x = scale.applyAsDouble(run);
            Optional<Curve> curve = run.curve(new Quantity.MemorizedFraction(k));
            if (x > 0 && curve.isPresent() && !curve.get().points().isEmpty()) {
                List<Point> points = curve.get().points();
                curves.add(dev.rote.metrics.Curve.of(
                        points.stream().mapToDouble(Point::x).toArray(),
                        points.stream().mapToDouble(Point::y).toArray()));
                scales.add(x);
            }
        }
        double[] all = scales.stream().mapToDouble(Double::doubleValue).toArray();
        return CollapseScore.of(curves, all, levels)
                .map(score -> new Collapse(
                        k,
                        variable,
                        factor(score.raw()),
                        factor(score.collapsed()),
                        score.bestExponent(),
                        factor(score.bestScore()),
                        score.crossings()));
    }

    /// The root of a variance in log tau, as a factor between times.
    private static double factor(double score) {
        return Math.exp(Math.sqrt(score));
    }

    /// One fit per clock (thresholds at the headline k, loss splits, tau_gen, those of `kl`) and per setting
    /// ([Settings]).
    static List<ScalingFit> fits(StudyFile study, List<RunCurves> runs) {
        String key = study.analysis().fit();
        List<Clock> clocks = new ArrayList<>();
        for (double threshold : headline(study).thresholds()) {
            clocks.add(new Clock.TauMem(threshold, study.analysis().k()));
        }
        runs.stream()
                .flatMap(run -> run.times().stream())
                .map(time -> time.clock())
                .filter(StudyAnalysis::fitted)
                .distinct()
                .forEach(clocks::add);
        Map<String, List<RunCurves>> settings = Settings.of(study, Set.of(key), runs);
        List<ScalingFit> fits = new ArrayList<>();
        for (Clock clock : clocks) {
            settings.forEach((where, members) -> fit(clock, key, where, members).ifPresent(fits::add));
        }
        return fits;
    }

    private static boolean fitted(Clock clock) {
        return switch (clock) {
            case Clock.TauGen gen -> true;
            case Clock.LossSplit split -> true;
            case Clock.TauKl fall -> true;
            case Clock.KlRise rise -> true;
            case Clock.Plateau plateau -> true;
            case Clock.TauMem mem -> false; // those of the headline's ratio are there
            case Clock.FirstCopy copy -> false;
            case Clock.NormalizedRise rise -> false;
        };
    }

    private static Optional<ScalingFit> fit(Clock clock, String key, String where, List<RunCurves> runs) {
        List<ScalingFit.FitPoint> points = new ArrayList<>();
        List<double[]> reached = new ArrayList<>();
        for (RunCurves run : runs) {
            Optional<Double> x = number(run.keys().get(key));
            Optional<Reading> reading = run.time(clock);
            if (x.isEmpty() || reading.isEmpty()) {
                continue;
            }
            points.add(new ScalingFit.FitPoint(x.get(), run.name(), reading.get()));
            if (reading.get() instanceof Reading.Reached at) {
                reached.add(new double[] {x.get(), at.value()});
            }
        }
        if (points.stream().map(ScalingFit.FitPoint::x).distinct().count() < 2) {
            return Optional.empty();
        }
        return Optional.of(
                new ScalingFit(clock, key.equals("data.n") ? "n" : key, where, points, law(reached, points)));
    }

    private static Optional<ScalingFit.PowerLaw> law(List<double[]> reached, List<ScalingFit.FitPoint> all) {
        if (reached.stream().mapToDouble(point -> point[0]).distinct().count() < 2) {
            return Optional.empty();
        }
        double[] x = reached.stream().mapToDouble(point -> point[0]).toArray();
        double[] tau = reached.stream().mapToDouble(point -> point[1]).toArray();
        PowerLawFit fit = PowerLawFit.of(x, tau, 0.95);
        boolean enough = x.length >= FEWEST_RUNS_TO_REDRAW;
        Interval drawn = enough
                ? PowerLawFit.exponentByBootstrap(x, tau, Bootstrap.standard(0))
                : new Interval(0, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
        return Optional.of(new ScalingFit.PowerLaw(
                fit.prefactor().value(),
                fit.exponent().value(),
                finite(fit.exponent().low()),
                finite(fit.exponent().high()),
                fit.rSquared(),
                finite(drawn.low()),
                finite(drawn.high()),
                line(fit, all)));
    }

    /// The line and its interval, 15 % beyond the outermost points on both sides.
    private static List<Point> line(PowerLawFit fit, List<ScalingFit.FitPoint> points) {
        double from = points.stream().mapToDouble(ScalingFit.FitPoint::x).min().orElseThrow() / 1.15;
        double to = points.stream().mapToDouble(ScalingFit.FitPoint::x).max().orElseThrow() * 1.15;
        List<Point> line = new ArrayList<>();
        for (int i = 0; i < LINE_POINTS; i++) {
            double x = from * Math.pow(to / from, i / (LINE_POINTS - 1.0));
            Interval at = fit.line(x);
            line.add(new Point(x, at.value(), finite(at.low()), finite(at.high())));
        }
        return line;
    }

    private static double finite(double value) {
        return Double.isFinite(value) ? value : Double.NaN;
    }

    private static Optional<Double> number(String text) {
        if (text == null) {
            return Optional.empty();
        }
        try {
            double value = Double.parseDouble(text);
            return value > 0 ? Optional.of(value) : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}
