package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Axis;
import dev.rote.tools.report.ChartSpec.Panel;
import dev.rote.tools.report.ChartSpec.Role;
import dev.rote.tools.report.ChartSpec.Series;
import dev.rote.tools.report.Quantity.Frechet;
import dev.rote.tools.report.Quantity.LossAt;
import dev.rote.tools.report.Quantity.MemorizedFraction;
import dev.rote.tools.report.Quantity.Split;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// The curves of a paper's figures, made from the runs that belong to each: quality and copies against tau, normalised
/// copies against tau / n, and where widths vary against W tau and W tau / n.
final class PaperCharts {
    private final StudyReport report;
    private final PaperComparison.Figure figure;
    private final Panel panel;
    private final RunSeries series;
    private final List<ChartSpec> charts = new ArrayList<>();

    private PaperCharts(StudyReport report, PaperComparison.Figure figure) {
        this.report = report;
        this.figure = figure;
        panel = Panel.valueOf(figure.id().toUpperCase(Locale.ROOT));
        series = RunSeries.of(report.runs(), figure.runs());
    }

    static List<ChartSpec> of(StudyReport report) {
        Optional<PaperComparison> paper = report.findings().landscape().paper();
        return paper.stream()
                .flatMap(comparison -> comparison.figures().stream())
                .flatMap(figure -> new PaperCharts(report, figure).all().stream())
                .toList();
    }

    private List<ChartSpec> all() {
        MemorizedFraction fraction = new MemorizedFraction(report.headline().k());
        frechet(Abscissa.TAU);
        if (figure.widths()) {
            frechet(Abscissa.W);
        }
        copies(fraction, Abscissa.TAU, false);
        copies(fraction, Abscissa.OVER_N, true);
        if (figure.widths()) {
            copies(fraction, Abscissa.W_OVER_N, true);
        }
        if (panel == Panel.FIG2) {
            losses(Abscissa.TAU);
            losses(Abscissa.OVER_N);
        }
        return charts;
    }

    private void frechet(Abscissa x) {
        series.quantities(Frechet.class, Comparator.comparing(Frechet::key)).stream()
                .findFirst()
                .ifPresent(q -> add(
                        "frechet" + x.suffix(),
                        (q.standIn() ? "Fréchet distance" : "FID") + " against " + x.words(),
                        q.standIn() ? "A stand-in for FID: " + q.features() + "." : "",
                        x,
                        new Axis(q.standIn() ? "Fréchet distance (stand-in, not FID)" : "FID", true, false),
                        series.against(x, series.curves(q, Role.CURVE))));
    }

    private void copies(MemorizedFraction fraction, Abscissa x, boolean normalized) {
        add(
                "f_mem" + x.suffix(),
                (normalized ? "f_mem / last f_mem" : "f_mem") + " against " + x.words(),
                normalized
                        ? "Each curve is divided by its own last value, as in the paper: curves that were stopped at other"
                                + " values of " + x.words()
                                + " do not belong on one another. Runs without a copy at their end are"
                                + " left out."
                        : "Bands: Wilson’s 95 % intervals.",
                x,
                new Axis(normalized ? "f_mem / f_mem at the last step" : "memorized fraction f_mem", false, true),
                series.against(
                        x,
                        normalized
                                ? divided(series.curves(fraction, Role.CURVE))
                                : series.curves(fraction, Role.CURVE)));
    }

    private static List<Series> divided(List<Series> curves) {
        return curves.stream()
                .filter(s -> !s.points().isEmpty() && s.points().getLast().y() > 0)
                .map(s -> {
                    double last = s.points().getLast().y();
                    List<Point> points = s.points().stream()
                            .map(p -> Point.of(p.x(), p.y() / last))
                            .toList();
                    return new Series(s.label(), s.run(), s.ink(), s.role(), points);
                })
                .toList();
    }

    /// At the measured time nearest to the paper's t = 0.01.
    private void losses(Abscissa x) {
        series.quantities(LossAt.class, Comparator.comparingDouble(q -> Math.abs(Math.log(q.t() / 0.01)))).stream()
                .filter(q -> q.split() == Split.TEST)
                .findFirst()
                .ifPresent(q -> {
                    List<Series> drawn = new ArrayList<>(series.against(x, series.curves(q, Role.CURVE)));
                    drawn.addAll(series.against(x, series.curves(new LossAt(q.t(), Split.TRAIN), Role.COMPANION)));
                    String t = "t = " + Digits.plain(q.t());
                    add(
                            "loss" + x.suffix(),
                            "Train and test loss at " + t + " against " + x.words(),
                            "Thick with markers: test images. Thin: training images.",
                            x,
                            new Axis("loss at " + t, true, false),
                            drawn);
                });
    }

    private void add(String id, String what, String note, Abscissa x, Axis y, List<Series> drawn) {
        charts.add(new ChartSpec(
                "paper_" + figure.id() + "_" + id,
                panel,
                what,
                figure.title() + ": " + what,
                (note + " " + beside()).strip(),
                x.axis(),
                y,
                drawn.stream().map(this::grouped).toList(),
                List.of()));
    }

    /// In the colour of its width where the figure is about widths, otherwise of its n; runs that share it differ in
    /// the line.
    private Series grouped(Series series) {
        RunCurves run = report.runs().get(series.run());
        List<Double> groups = values(figure.widths());
        List<Double> others = values(!figure.widths());
        int group = groups.indexOf(value(run, figure.widths()));
        int other = others.indexOf(value(run, !figure.widths()));
        Ink.Dash[] dashes = Ink.Dash.values();
        Ink.Symbol[] symbols = Ink.Symbol.values();
        Ink ink = new Ink(
                Palette.sequential(group, groups.size(), false),
                Palette.sequential(group, groups.size(), true),
                dashes[other % dashes.length],
                symbols[other % symbols.length]);
        String label = (figure.widths() ? "W = " : "n = ") + Digits.plain(groups.get(group));
        return new Series(label, series.run(), ink, series.role(), series.points());
    }

    /// The different widths, or n, of the figure's runs.
    private List<Double> values(boolean widths) {
        return report.runs().stream()
                .filter(run -> figure.runs().contains(run.name()))
                .map(run -> value(run, widths))
                .distinct()
                .sorted()
                .toList();
    }

    private static double value(RunCurves run, boolean width) {
        return width ? Abscissa.width(run).orElse(0.0) : run.n();
    }

    /// The paper's numbers beside ours, for the figure that is drawn.
    private String beside() {
        String number = figure.title().replaceAll("^Figure ([0-9]+).*", "Fig. $1");
        return report.findings().landscape().paper().orElseThrow().rows().stream()
                .filter(row -> row.figure().startsWith(number) && !row.ours().isEmpty())
                .map(row -> row.claim() + ": paper " + row.paper() + ", here " + row.ours() + ".")
                .collect(Collectors.joining(" "));
    }
}
