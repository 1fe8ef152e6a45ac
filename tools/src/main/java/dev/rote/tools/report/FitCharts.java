package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Axis;
import dev.rote.tools.report.ChartSpec.Panel;
import dev.rote.tools.report.ChartSpec.Role;
import dev.rote.tools.report.ChartSpec.Series;
import dev.rote.tools.report.Reading.AtLeast;
import dev.rote.tools.report.Reading.BeforeFirst;
import dev.rote.tools.report.Reading.NotReached;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.Reading.Unknown;
import dev.rote.tools.report.ScalingFit.FitPoint;
import dev.rote.tools.report.ScalingFit.PowerLaw;
import java.util.ArrayList;
import java.util.List;

/// The figures of the power laws: one per variable, all clocks in it.
final class FitCharts {
    private FitCharts() {}

    static List<ChartSpec> of(List<ScalingFit> fits) {
        return fits.stream()
                .map(ScalingFit::variable)
                .distinct()
                .map(variable -> chart(
                        variable,
                        fits.stream().filter(f -> f.variable().equals(variable)).toList()))
                .toList();
    }

    private static ChartSpec chart(String variable, List<ScalingFit> fits) {
        List<Series> series = new ArrayList<>();
        for (int i = 0; i < fits.size(); i++) {
            series.addAll(series(fits.get(i), ink(i)));
        }
        String label = variable.equals("n") ? "training set size n (images)" : variable;
        boolean bounds = series.stream().anyMatch(s -> s.role() == Role.BOUNDS);
        boolean early = series.stream().anyMatch(s -> s.role() == Role.UPPER_BOUNDS);
        return new ChartSpec(
                "fit_" + Charts.fileName(variable),
                Panel.FIT,
                "against " + variable,
                "Time scales against " + variable,
                "Points: runs, with 95 % intervals. Lines: least squares in log-log, every point alike; bands: 95 %"
                        + " intervals of the lines."
                        + (bounds ? " Triangles: lower bounds (not reached by that step, or still growing)." : "")
                        + (early ? " Triangles upside down: before the first measurement (upper bounds)." : "")
                        + (bounds || early ? " Bounds take no part in the fits." : ""),
                new Axis(label, true, false, ticks(fits)),
                new Axis("time τ (optimizer updates)", true, false),
                series,
                List.of());
    }

    /// The values of the grid themselves, as long as they fit under the axis.
    private static List<Double> ticks(List<ScalingFit> fits) {
        List<Double> values = fits.stream()
                .flatMap(f -> f.points().stream())
                .map(FitPoint::x)
                .distinct()
                .sorted()
                .toList();
        return values.size() <= 10 ? values : List.of();
    }

    private static List<Series> series(ScalingFit fit, Ink ink) {
        List<Point> reached = new ArrayList<>();
        List<Point> bounds = new ArrayList<>();
        List<Point> early = new ArrayList<>();
        for (FitPoint point : fit.points()) {
            switch (point.reading()) {
                case Reached r -> reached.add(new Point(point.x(), r.value(), r.low(), r.high()));
                case NotReached r -> bounds.add(Point.of(point.x(), r.lastStep()));
                case AtLeast r -> bounds.add(Point.of(point.x(), r.value()));
                case BeforeFirst r -> early.add(Point.of(point.x(), r.firstStep()));
                case Unknown unknown -> {}
            }
        }
        List<Series> series = new ArrayList<>();
        String label = fit.law().map(law -> lawLabel(fit, law)).orElse(fit.label());
        fit.law().ifPresent(law -> series.add(new Series(label, -1, ink, Role.FIT, line(law, fit))));
        if (!reached.isEmpty()) {
            series.add(new Series(label, -1, ink, Role.POINTS, reached));
        }
        if (!bounds.isEmpty()) {
            series.add(new Series(fit.label() + ", lower bound", -1, ink, Role.BOUNDS, bounds));
        }
        if (!early.isEmpty()) {
            series.add(new Series(fit.label() + ", before first", -1, ink, Role.UPPER_BOUNDS, early));
        }
        return series;
    }

    private static String lawLabel(ScalingFit fit, PowerLaw law) {
        return fit.label() + " ∝ " + fit.variable() + "^" + Digits.twoDecimals(law.slope());
    }

    /// As it was given; otherwise 15 % beyond the outermost points on both sides.
    private static List<Point> line(PowerLaw law, ScalingFit fit) {
        if (!law.line().isEmpty()) {
            return law.line();
        }
        double from = fit.points().stream().mapToDouble(FitPoint::x).min().orElse(1) / 1.15;
        double to = fit.points().stream().mapToDouble(FitPoint::x).max().orElse(1) * 1.15;
        return List.of(Point.of(from, law.at(from)), Point.of(to, law.at(to)));
    }

    private static Ink ink(int index) {
        Ink.Symbol[] symbols = {Ink.Symbol.CIRCLE, Ink.Symbol.SQUARE, Ink.Symbol.DIAMOND};
        return new Ink(
                Palette.category(index, false),
                Palette.category(index, true),
                Ink.Dash.SOLID,
                symbols[index % symbols.length]);
    }
}
