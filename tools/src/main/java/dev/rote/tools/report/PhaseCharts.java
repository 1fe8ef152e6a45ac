package dev.rote.tools.report;

import dev.rote.metrics.PhaseBoundary;
import dev.rote.tools.report.ChartSpec.Axis;
import dev.rote.tools.report.ChartSpec.Panel;
import dev.rote.tools.report.ChartSpec.Role;
import dev.rote.tools.report.ChartSpec.Series;
import dev.rote.tools.report.PhaseDiagram.Edge;
import dev.rote.tools.report.PhaseDiagram.Line;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/// The (n, p) phase diagrams: lines n(p) at several moments, with a marker at every measured point.
final class PhaseCharts {
    private static final Ink COPIES = new Ink(0x3c4250, 0xc9ced6, Ink.Dash.SOLID, Ink.Symbol.SQUARE);
    private static final Ink CLEAN = new Ink(0xb9bec7, 0x59606b, Ink.Dash.SOLID, Ink.Symbol.SQUARE);

    private PhaseCharts() {}

    static List<ChartSpec> of(List<PhaseDiagram> phases) {
        List<ChartSpec> charts = new ArrayList<>();
        for (PhaseDiagram phase : phases) {
            String suffix = phases.size() == 1 ? "" : "_" + Charts.fileName(phase.where());
            charts.add(chart(phase, phase.lines(), phase.threshold(), "phase" + suffix));
            charts.add(chart(phase, phase.strict(), 0, "phase_strict" + suffix));
        }
        return charts;
    }

    private static ChartSpec chart(PhaseDiagram phase, List<Line> lines, double threshold, String id) {
        boolean counted = phase.hasParameters();
        List<Series> series = new ArrayList<>();
        cells(phase, true, counted).ifPresent(series::add);
        cells(phase, false, counted).ifPresent(series::add);
        for (int i = 0; i < lines.size(); i++) {
            series.addAll(line(lines.get(i), ink(i, lines.size()), counted, limits(phase)));
        }
        String rule = threshold == 0 ? "first copy" : "f_mem = " + Digits.percent(threshold);
        return new ChartSpec(
                id,
                Panel.PHASE,
                rule + (phase.where().isEmpty() ? "" : ", " + phase.where()),
                "Where runs copy: boundary at " + rule + (phase.where().isEmpty() ? "" : ", " + phase.where()),
                note(phase, threshold) + large(lines.getLast()),
                new Axis(counted ? "parameters p" : "width W", true, false),
                new Axis("training set size n (images)", true, false),
                series,
                List.of());
    }

    /// A sentence where the line of large times is no more than a bound.
    private static String large(Line last) {
        List<PhaseBoundary.Side> sides = last.edges().stream()
                .map(edge -> edge.boundary().side())
                .filter(side -> side != PhaseBoundary.Side.UNKNOWN)
                .toList();
        boolean bound = !sides.isEmpty() && sides.stream().allMatch(side -> side == PhaseBoundary.Side.ABOVE);
        return bound
                ? " “" + last.label() + "” is a bound only: every measured n copies by then, so the n from which on a"
                        + " network never copies is larger; runs of one length for every n, cut at analysis.large_time,"
                        + " and larger n would show it."
                : "";
    }

    private static String note(PhaseDiagram phase, double threshold) {
        boolean fitted = phase.moments().stream().allMatch(moment -> moment.runs() == 0);
        String times = phase.moments().stream()
                .map(m -> "W = " + Digits.compact(m.width()) + ": " + Digits.steps(m.tau())
                        + (m.runs() == 0 && !fitted ? " (from C/W)" : ""))
                .collect(Collectors.joining(", "));
        String text = "Below a line runs copy by that moment (f_mem above "
                + (threshold == 0 ? "zero" : Digits.percent(threshold)) + ", k = " + Digits.ratio(phase.k())
                + "), above it they do not. f_mem is interpolated in log τ, the line in log n. τ_gen is the"
                + " arrival on the plateau of the Fréchet distance, "
                + (fitted
                        ? "fitted over the widths as C / W, with C the geometric mean of W τ_gen over all runs: "
                        : "the geometric mean over the runs of a width: ")
                + times
                + ". Bands: 95 % intervals, runs and samples drawn again, cut at the measured n. Squares: what was measured, dark where the last"
                + " measurement has copies. Triangles: the line lies above (or, upside down, below) every measured n.";
        return phase.hasParameters() ? text : text + " The number of parameters is not recorded for every width.";
    }

    private static Optional<Series> cells(PhaseDiagram phase, boolean copies, boolean counted) {
        List<Point> points = phase.cells().stream()
                .filter(cell -> cell.copies() == copies)
                .map(cell -> Point.of(counted ? cell.parameters() : cell.width(), cell.n()))
                .toList();
        return points.isEmpty()
                ? Optional.empty()
                : Optional.of(new Series(
                        copies ? "measured, copies at the end" : "measured, none at the end",
                        -1,
                        copies ? COPIES : CLEAN,
                        Role.POINTS,
                        points));
    }

    private static List<Series> line(Line line, Ink ink, boolean counted, double[] limits) {
        ToDoubleFunction<Edge> x = edge -> counted ? edge.parameters() : edge.width();
        List<Point> within = new ArrayList<>();
        List<Point> above = new ArrayList<>();
        List<Point> below = new ArrayList<>();
        for (Edge edge : line.edges()) {
            PhaseBoundary found = edge.boundary();
            double at = x.applyAsDouble(edge);
            switch (found.side()) {
                case WITHIN ->
                    within.add(new Point(
                            at,
                            found.n(),
                            Math.max(found.interval().low(), limits[0]),
                            Math.min(found.interval().high(), limits[1])));
                case ABOVE -> above.add(Point.of(at, found.n()));
                case BELOW -> below.add(Point.of(at, found.n()));
                case UNKNOWN -> {}
            }
        }
        List<Series> series = new ArrayList<>();
        if (!within.isEmpty()) {
            series.add(new Series(line.label(), -1, ink, Role.CURVE, within));
        }
        if (!above.isEmpty()) {
            series.add(new Series(line.label() + ", above every n", -1, ink, Role.BOUNDS, above));
        }
        if (!below.isEmpty()) {
            series.add(new Series(line.label() + ", below every n", -1, ink, Role.UPPER_BOUNDS, below));
        }
        return series;
    }

    /// The measured sizes: where an interval that is open beyond them is cut.
    private static double[] limits(PhaseDiagram phase) {
        DoubleSummaryStatistics sizes =
                phase.cells().stream().mapToDouble(PhaseDiagram.Cell::n).summaryStatistics();
        return new double[] {sizes.getMin(), sizes.getMax()};
    }

    private static Ink ink(int index, int count) {
        boolean end = index == count - 1;
        return end
                ? new Ink(0x111418, 0xf2f3f5, Ink.Dash.DASHED, Ink.Symbol.DIAMOND)
                : new Ink(
                        Palette.category(index, false),
                        Palette.category(index, true),
                        Ink.Dash.SOLID,
                        Ink.Symbol.CIRCLE);
    }
}
