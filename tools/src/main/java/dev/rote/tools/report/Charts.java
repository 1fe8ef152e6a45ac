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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Which curves go into which figure, on which axes. Figures without a single finite point are left out.
final class Charts {
    private static final Axis TAU = new Axis("training step τ (optimizer updates)", true, false);
    private static final Axis TAU_OVER_N = new Axis("τ / n (optimizer updates per training image)", true, false);
    private static final Ink GREY = new Ink(0x8a8f98, 0x7d8590, Ink.Dash.DASHED, Ink.Symbol.CIRCLE);
    private static final double[] THRESHOLDS = {0.01, 0.1, 0.5};

    private final List<RunCurves> runs;
    private final RunStyles styles;
    private final List<ChartSpec> charts = new ArrayList<>();

    private Charts(StudyReport report) {
        runs = report.runs();
        styles = new RunStyles(runs);
    }

    /// All figures of `report` in their order on the page.
    static List<ChartSpec> of(StudyReport report) {
        Charts made = new Charts(report);
        made.trainingLoss();
        made.lossesAtFixedTimes();
        made.frechet();
        made.metrics();
        made.memorizedFractions();
        made.charts.addAll(FitCharts.of(report.fits()));
        made.charts.removeIf(ChartSpec::isEmpty);
        return List.copyOf(made.charts);
    }

    private void trainingLoss() {
        boolean[] averaged = new boolean[1];
        List<Series> series = curves(new TrainingLoss(), Role.FIT, points -> {
            averaged[0] |= points.size() > Thinning.MOST;
            return Thinning.logMeans(points);
        });
        String note =
                averaged[0] ? "Long curves are averaged in " + Thinning.MOST + " bins of equal width in log τ." : "";
        Axis y = new Axis("training loss (mean over a batch)", true, false);
        charts.add(new ChartSpec(
                "training_loss", Panel.TRAINING_LOSS, "batches", "Training loss", note, TAU, y, series, List.of()));
    }

    private void lossesAtFixedTimes() {
        List<LossAt> tests = quantities(LossAt.class, Comparator.comparingDouble(LossAt::t)).stream()
                .filter(q -> q.split() == Split.TEST)
                .toList();
        for (LossAt test : tests) {
            String t = "t = " + Digits.plain(test.t());
            List<Series> series = new ArrayList<>(curves(test, Role.CURVE, p -> p));
            series.addAll(curves(new LossAt(test.t(), Split.TRAIN), Role.COMPANION, p -> p));
            Axis y = new Axis("loss at " + t, true, false);
            charts.add(new ChartSpec(
                    "loss_t" + Digits.plain(test.t()),
                    Panel.LOSS_AT,
                    t,
                    "Train and test loss at fixed diffusion time " + t,
                    "Thick with markers: test images. Thin: training images. Both start together and part when the"
                            + " network begins to fit single images.",
                    TAU,
                    y,
                    series,
                    List.of()));
        }
        for (LossAt test : tests) {
            gap(test.t());
        }
    }

    private void gap(double t) {
        List<Series> series = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            RunCurves run = runs.get(i);
            var test = run.curve(new LossAt(t, Split.TEST));
            var train = run.curve(new LossAt(t, Split.TRAIN));
            if (run.n() > 0 && test.isPresent() && train.isPresent()) {
                List<Point> points = difference(test.get(), train.get(), (double) run.n());
                series.add(new Series(run.label(), i, styles.of(i), Role.CURVE, points));
            }
        }
        String text = "t = " + Digits.plain(t);
        charts.add(new ChartSpec(
                "loss_gap_t" + Digits.plain(t),
                Panel.LOSS_GAP,
                text,
                "Generalization gap against τ/n, " + text,
                "Test loss minus train loss. If overfitting sets in at a time proportional to n, the curves rise at one"
                        + " place.",
                TAU_OVER_N,
                new Axis("test loss − train loss at " + text, false, false),
                series,
                List.of()));
    }

    private static List<Point> difference(Curve test, Curve train, double n) {
        Map<Double, Double> byStep = new HashMap<>();
        train.points().forEach(p -> byStep.put(p.x(), p.y()));
        return test.points().stream()
                .filter(p -> byStep.containsKey(p.x()))
                .map(p -> Point.of(p.x() / n, p.y() - byStep.get(p.x())))
                .toList();
    }

    private void frechet() {
        for (Frechet q : quantities(Frechet.class, Comparator.comparing(Frechet::features))) {
            String title =
                    q.standIn() ? "Fréchet distance with stand-in features (not FID)" : "Fréchet inception distance";
            String note = q.standIn()
                    ? "Feature space: " + q.features() + ". It stands in for the Inception network: values compare"
                            + " runs of this report with each other, never with published FID."
                    : "Feature space: " + q.features() + ".";
            Axis y = new Axis(q.standIn() ? "Fréchet distance (stand-in, not FID)" : "FID", true, false);
            charts.add(new ChartSpec(
                    "frechet_" + fileName(q.features()),
                    Panel.FRECHET,
                    q.features(),
                    title,
                    note,
                    TAU,
                    y,
                    curves(q, Role.CURVE, p -> p),
                    List.of()));
        }
    }

    private void metrics() {
        for (Metric q : quantities(Metric.class, Comparator.comparing(Metric::name))) {
            charts.add(new ChartSpec(
                    "metric_" + fileName(q.name()),
                    Panel.METRIC,
                    q.name(),
                    q.name(),
                    "",
                    TAU,
                    new Axis(q.label(), false, false),
                    curves(q, Role.CURVE, p -> p),
                    List.of()));
        }
    }

    private void memorizedFractions() {
        List<MemorizedFraction> ratios =
                quantities(MemorizedFraction.class, Comparator.comparingDouble(q -> Math.abs(q.k() - Clock.PAPER_K)));
        for (MemorizedFraction q : ratios) {
            memorized(q, Panel.MEMORIZED, "", TAU, curves(q, Role.CURVE, p -> p));
        }
        for (MemorizedFraction q : ratios) {
            List<Series> collapsed = curves(q, Role.CURVE, p -> p).stream()
                    .filter(s -> runs.get(s.run()).n() > 0)
                    .map(s -> overN(s, (double) runs.get(s.run()).n()))
                    .toList();
            memorized(q, Panel.COLLAPSE, "_over_n", TAU_OVER_N, collapsed);
        }
    }

    private void memorized(MemorizedFraction q, Panel panel, String suffix, Axis x, List<Series> series) {
        String k = "k = " + Digits.ratio(q.k());
        String against = panel == Panel.COLLAPSE ? " against τ/n" : " against τ";
        List<Rule> rules = new ArrayList<>();
        for (double threshold : THRESHOLDS) {
            rules.add(new Rule(threshold, Digits.percent(threshold), -1, GREY));
        }
        List<Rule> bases = baseRates(q.k());
        rules.addAll(bases);
        String note = "Bands: 95 % intervals. Grey lines: the thresholds at which τ_mem is read."
                + (bases.isEmpty() ? "" : " Dotted lines: base rate, the same test on held-out images.")
                + (panel == Panel.COLLAPSE ? " If τ_mem is proportional to n, the curves fall on one another." : "");
        charts.add(new ChartSpec(
                "f_mem" + suffix + "_k" + fileName(Digits.ratio(q.k())),
                panel,
                k,
                "Memorized fraction" + against + ", " + k,
                note,
                x,
                new Axis("memorized fraction f_mem", false, true),
                series,
                rules));
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

    private List<Series> curves(Quantity quantity, Role role, Function<List<Point>, List<Point>> change) {
        List<Series> series = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            int index = i;
            runs.get(i)
                    .curve(quantity)
                    .ifPresent(c -> series.add(new Series(
                            runs.get(index).label(), index, styles.of(index), role, change.apply(c.points()))));
        }
        return series;
    }

    private static Series overN(Series series, double n) {
        List<Point> points = series.points().stream().map(p -> p.dividedBy(n)).toList();
        return new Series(series.label(), series.run(), series.ink(), series.role(), points);
    }

    private <Q extends Quantity> List<Q> quantities(Class<Q> kind, Comparator<Q> order) {
        return runs.stream()
                .flatMap(r -> r.curves().stream())
                .map(Curve::quantity)
                .filter(kind::isInstance)
                .map(kind::cast)
                .distinct()
                .sorted(order)
                .toList();
    }

    /// Letters, digits, dot and minus stay; anything else becomes `_`, so a name can be part of a file name.
    static String fileName(String text) {
        return text.replaceAll("[^A-Za-z0-9.-]+", "_");
    }
}
