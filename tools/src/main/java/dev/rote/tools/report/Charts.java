package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Axis;
import dev.rote.tools.report.ChartSpec.Panel;
import dev.rote.tools.report.ChartSpec.Role;
import dev.rote.tools.report.ChartSpec.Rule;
import dev.rote.tools.report.ChartSpec.Series;
import dev.rote.tools.report.Quantity.Frechet;
import dev.rote.tools.report.Quantity.LossAt;
import dev.rote.tools.report.Quantity.MemorizedFraction;
import dev.rote.tools.report.Quantity.Metric;
import dev.rote.tools.report.Quantity.Split;
import dev.rote.tools.report.Quantity.TrainingLoss;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Which curves go into which figure, on which axes. Figures without a single finite point are left out.
final class Charts {
    private static final Ink GREY = new Ink(0x8a8f98, 0x7d8590, Ink.Dash.DASHED, Ink.Symbol.CIRCLE);

    private final List<RunCurves> runs;
    private final Headline headline;
    private final List<Collapse> collapses;
    private final RunStyles styles;
    private final RunSeries series;
    private final List<ChartSpec> charts = new ArrayList<>();

    private Charts(StudyReport report) {
        runs = report.runs();
        headline = report.headline();
        collapses = report.findings().collapses();
        styles = new RunStyles(runs);
        series = RunSeries.all(runs);
    }

    /// All figures of `report` in their order on the page.
    static List<ChartSpec> of(StudyReport report) {
        Charts made = new Charts(report);
        made.trainingLoss();
        made.losses(Panel.LOSS_AT, Abscissa.TAU);
        made.losses(Panel.LOSS_OVER_N, Abscissa.OVER_N);
        made.lossTimes().forEach(made::gap);
        made.frechet(Panel.FRECHET, Abscissa.TAU);
        made.frechet(Panel.FRECHET_OVER_N, Abscissa.OVER_N);
        made.metrics(Panel.METRIC, Abscissa.TAU, q -> true);
        made.memorized(Panel.MEMORIZED, Abscissa.TAU);
        made.memorized(Panel.COLLAPSE, Abscissa.OVER_N);
        if (Abscissa.variesWidth(report.runs())) {
            for (Abscissa x : List.of(Abscissa.W, Abscissa.W_OVER_N)) {
                made.frechet(Panel.WIDTH_FRECHET, x);
                made.metrics(Panel.WIDTH_FRECHET, x, Metric.KL::equals);
                made.losses(Panel.WIDTH_LOSS, x);
                made.memorized(Panel.WIDTH_MEMORIZED, x);
            }
        }
        made.charts.addAll(FitCharts.of(report.fits()));
        made.charts.addAll(PaperCharts.of(report));
        made.charts.addAll(PhaseCharts.of(report.findings().landscape().phases()));
        made.charts.removeIf(ChartSpec::isEmpty);
        return List.copyOf(made.charts);
    }

    private void trainingLoss() {
        boolean[] averaged = new boolean[1];
        List<Series> drawn = series.curves(new TrainingLoss(), Role.FIT, points -> {
            averaged[0] |= points.size() > Thinning.MOST;
            return Thinning.logMeans(points);
        });
        String note =
                averaged[0] ? "Long curves are averaged in " + Thinning.MOST + " bins of equal width in log τ." : "";
        Axis y = new Axis("training loss (mean over a batch)", true, false);
        charts.add(new ChartSpec(
                "training_loss",
                Panel.TRAINING_LOSS,
                "batches",
                "Training loss",
                note,
                Abscissa.TAU.axis(),
                y,
                drawn,
                List.of()));
    }

    private List<Double> lossTimes() {
        return series.quantities(LossAt.class, Comparator.comparingDouble(LossAt::t)).stream()
                .filter(q -> q.split() == Split.TEST)
                .map(LossAt::t)
                .toList();
    }

    private void losses(Panel panel, Abscissa x) {
        for (double time : lossTimes()) {
            String t = "t = " + Digits.plain(time);
            List<Series> drawn =
                    new ArrayList<>(series.against(x, series.curves(new LossAt(time, Split.TEST), Role.CURVE)));
            drawn.addAll(series.against(x, series.curves(new LossAt(time, Split.TRAIN), Role.COMPANION)));
            Axis y = new Axis("loss at " + t, true, false);
            String note =
                    "Thick with markers: test images. Thin: training images. Both start together and part when the"
                            + " network begins to fit single images. Bands: 95 % intervals over the draws of the noise.";
            charts.add(new ChartSpec(
                    "loss" + x.suffix() + "_t" + Digits.plain(time),
                    panel,
                    panel == Panel.WIDTH_LOSS ? x.words() + ", " + t : t,
                    "Train and test loss at " + t + " against " + x.words(),
                    note,
                    x.axis(),
                    y,
                    drawn,
                    List.of()));
        }
    }

    private void gap(double t) {
        List<Series> drawn = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            RunCurves run = runs.get(i);
            var test = run.curve(new LossAt(t, Split.TEST));
            var train = run.curve(new LossAt(t, Split.TRAIN));
            if (run.n() > 0 && test.isPresent() && train.isPresent()) {
                List<Point> points = difference(test.get(), train.get(), (double) run.n());
                drawn.add(new Series(styles.label(i), i, styles.of(i), Role.CURVE, points));
            }
        }
        String text = "t = " + Digits.plain(t);
        charts.add(new ChartSpec(
                "loss_gap_t" + Digits.plain(t),
                Panel.LOSS_GAP,
                text,
                "Generalization gap against τ/n, " + text,
                "Test loss minus train loss, with the 95 % interval of a difference of independent means. If overfitting"
                        + " sets in at a time proportional to n, the curves rise at one place.",
                Abscissa.OVER_N.axis(),
                new Axis("test loss − train loss at " + text, false, false),
                drawn,
                List.of()));
    }

    /// Intervals of the two losses are symmetric about their means; that of the difference has their root of summed
    /// squares as its half width.
    private static List<Point> difference(Curve test, Curve train, double n) {
        Map<Double, Point> byStep = new HashMap<>();
        train.points().forEach(p -> byStep.put(p.x(), p));
        List<Point> points = new ArrayList<>();
        for (Point p : test.points()) {
            Point other = byStep.get(p.x());
            if (other != null) {
                double half = Math.hypot((p.high() - p.low()) / 2, (other.high() - other.low()) / 2);
                double gap = p.y() - other.y();
                points.add(new Point(p.x() / n, gap, gap - half, gap + half));
            }
        }
        return points;
    }

    private void frechet(Panel panel, Abscissa x) {
        for (Frechet q : series.quantities(Frechet.class, Comparator.comparing(Frechet::key))) {
            String title =
                    (q.standIn() ? "Fréchet distance, stand-in features (not FID)," : "Fréchet inception distance")
                            + " against " + x.words();
            String note = q.standIn()
                    ? "Feature space: " + q.features() + ". It stands in for the Inception network: values compare"
                            + " runs of this report with each other, never with published FID."
                    : "Feature space: " + q.features() + ".";
            if (q.toTraining()) {
                note += " Without test images the distance is to the training images: a network that copies them scores"
                        + " well.";
            }
            if (series.curves(q, Role.CURVE).stream()
                    .flatMap(s -> s.points().stream())
                    .anyMatch(Point::hasInterval)) {
                note += " Bands: 95 % intervals over the samples.";
            }
            String real = q.toTraining() ? " to the training images" : "";
            Axis y = new Axis((q.standIn() ? "Fréchet distance (stand-in, not FID)" : "FID") + real, true, false);
            charts.add(new ChartSpec(
                    "frechet" + x.suffix() + "_" + fileName(q.features()) + (q.toTraining() ? "_training" : ""),
                    panel,
                    panel == Panel.WIDTH_FRECHET ? x.words() : q.features() + real,
                    title,
                    note,
                    x.axis(),
                    y,
                    series.against(x, series.curves(q, Role.CURVE)),
                    List.of()));
        }
    }

    private void metrics(Panel panel, Abscissa x, Predicate<Metric> shown) {
        for (Metric q : series.quantities(Metric.class, Comparator.comparing(Metric::name))) {
            if (!shown.test(q)) {
                continue;
            }
            boolean kl = q.equals(Metric.KL); // it falls over orders of magnitude
            String against = panel == Panel.METRIC ? "" : " against " + x.words();
            charts.add(new ChartSpec(
                    "metric" + x.suffix() + "_" + fileName(q.name()),
                    panel,
                    panel == Panel.METRIC ? q.name() : x.words() + ", " + q.name(),
                    q.name() + against,
                    kl ? "Nats. What lies at or below zero, which an estimate can, has no place on this axis." : "",
                    x.axis(),
                    new Axis(q.label(), kl, false),
                    series.against(x, series.curves(q, Role.CURVE)),
                    List.of()));
        }
    }

    private void memorized(Panel panel, Abscissa x) {
        List<MemorizedFraction> ratios = series.quantities(
                MemorizedFraction.class, Comparator.comparingDouble(q -> Math.abs(q.k() - headline.k())));
        for (MemorizedFraction q : ratios) {
            String k = "k = " + Digits.ratio(q.k());
            List<Rule> rules = new ArrayList<>();
            for (double threshold : headline.thresholds()) {
                rules.add(new Rule(threshold, Digits.percent(threshold), -1, GREY));
            }
            List<Rule> bases = baseRates(q.k());
            rules.addAll(bases);
            charts.add(new ChartSpec(
                    "f_mem" + x.suffix() + "_k" + fileName(Digits.ratio(q.k())),
                    panel,
                    panel == Panel.WIDTH_MEMORIZED ? x.words() + ", " + k : k,
                    "Memorized fraction against " + x.words() + ", " + k,
                    "Bands: Wilson’s 95 % intervals. Grey lines: the thresholds at which τ_mem is read."
                            + (bases.isEmpty() ? "" : " Dotted lines: base rate, the same test on held-out images.")
                            + collapse(x, q.k()),
                    x.axis(),
                    new Axis("memorized fraction f_mem", false, true),
                    series.against(x, series.curves(q, Role.CURVE)),
                    rules));
        }
    }

    /// What a reader should look for in a collapsed figure, and the score of the collapse where there is one.
    private String collapse(Abscissa x, double k) {
        String variable = x.equals(Abscissa.OVER_N) ? "n" : x.equals(Abscissa.W_OVER_N) ? "n/W" : "";
        if (variable.isEmpty()) {
            return "";
        }
        return " If τ_mem is proportional to " + variable + ", the curves fall on one another."
                + collapses.stream()
                        .filter(c -> c.variable().equals(variable) && Math.abs(c.k() - k) < 1e-9)
                        .findFirst()
                        .map(c -> " As they are, " + c.sentence())
                        .orElse("");
    }

    private List<Rule> baseRates(double k) {
        List<Rule> rules = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            for (BaseRate base : runs.get(i).baseRates()) {
                if (Math.abs(base.k() - k) < 1e-9 && Double.isFinite(base.value())) {
                    rules.add(new Rule(base.value(), "base rate", i, styles.of(i)));
                }
            }
        }
        return rules;
    }

    /// Letters without their accents, digits, dot and minus stay; anything else becomes `_`, not at the ends, so a name
    /// can be part of a file name.
    static String fileName(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFD)
                .replaceAll("\\p{M}", "")
                .replaceAll("[^A-Za-z0-9.-]+", "_")
                .replaceAll("^_|_$", "");
    }
}
