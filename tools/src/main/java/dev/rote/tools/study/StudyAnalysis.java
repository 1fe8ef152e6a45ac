package dev.rote.tools.study;

import dev.rote.metrics.PowerLawFit;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.ScalingFit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Power laws of the clocks over the runs of a study.
final class StudyAnalysis {
    private StudyAnalysis() {}

    /// One fit per clock (thresholds at the headline k, loss splits, tau_gen) and per setting of the other varied keys
    /// but the seed. Keys that advance with the fitted one are no setting of their own.
    static List<ScalingFit> fits(StudyFile study, List<RunCurves> runs) {
        String key = study.analysis().fit();
        List<Clock> clocks = new ArrayList<>();
        for (double threshold : study.analysis().thresholds()) {
            clocks.add(new Clock.TauMem(threshold, study.analysis().k()));
        }
        runs.stream()
                .flatMap(run -> run.times().stream())
                .map(time -> time.clock())
                .filter(clock -> clock instanceof Clock.LossSplit || clock instanceof Clock.TauGen)
                .distinct()
                .forEach(clocks::add);
        Map<String, List<RunCurves>> settings = new LinkedHashMap<>();
        for (RunCurves run : runs) {
            Map<String, String> rest = new LinkedHashMap<>(run.keys());
            rest.keySet().removeAll(study.grid().together(key));
            rest.remove("seed");
            StringBuilder where = new StringBuilder();
            rest.forEach((name, value) -> where.append(where.isEmpty() ? "" : ", ")
                    .append(name)
                    .append(" = ")
                    .append(value));
            settings.computeIfAbsent(where.toString(), text -> new ArrayList<>())
                    .add(run);
        }
        List<ScalingFit> fits = new ArrayList<>();
        for (Clock clock : clocks) {
            settings.forEach((where, members) -> fit(clock, key, where, members).ifPresent(fits::add));
        }
        return fits;
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
        return Optional.of(new ScalingFit(clock, key.equals("data.n") ? "n" : key, where, points, law(reached)));
    }

    private static Optional<ScalingFit.PowerLaw> law(List<double[]> reached) {
        if (reached.stream().mapToDouble(point -> point[0]).distinct().count() < 2) {
            return Optional.empty();
        }
        PowerLawFit fit = PowerLawFit.of(
                reached.stream().mapToDouble(point -> point[0]).toArray(),
                reached.stream().mapToDouble(point -> point[1]).toArray(),
                0.95);
        return Optional.of(new ScalingFit.PowerLaw(
                fit.prefactor().value(),
                fit.exponent().value(),
                finite(fit.exponent().low()),
                finite(fit.exponent().high()),
                fit.rSquared()));
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
