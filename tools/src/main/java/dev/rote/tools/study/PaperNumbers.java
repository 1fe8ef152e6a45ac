package dev.rote.tools.study;

import dev.rote.metrics.PhaseBoundary;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Digits;
import dev.rote.tools.report.Exponents;
import dev.rote.tools.report.Landscape;
import dev.rote.tools.report.PaperComparison.Outcome;
import dev.rote.tools.report.PaperComparison.Row;
import dev.rote.tools.report.PhaseDiagram;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.TimeRatio;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/// The numbers behind [PaperRows].
final class PaperNumbers {
    private static final double SLOPE = 0.15;
    private static final double FACTOR = 1.5;
    private static final String SLOPE_BAND = "1 ± 0.15";

    private final StudyFile study;
    private final Map<String, List<Member>> settings;
    private final Landscape landscape;
    private final Clock.TauMem memorization;
    private final double k;

    PaperNumbers(StudyFile study, Map<String, List<Member>> settings, Landscape landscape) {
        this.study = study;
        this.settings = settings;
        this.landscape = landscape;
        this.memorization = StudyAnalysis.headline(study).tauMem();
        this.k = study.analysis().k();
    }

    Clock.TauMem tauMem() {
        return memorization;
    }

    /// The loss split at the measured time nearest to the paper's t = 0.01.
    Optional<Clock.LossSplit> split() {
        return landscape.exponents().stream()
                .map(Exponents::clock)
                .filter(Clock.LossSplit.class::isInstance)
                .map(Clock.LossSplit.class::cast)
                .distinct()
                .min(java.util.Comparator.comparingDouble(split -> Math.abs(Math.log(split.t() / 0.01))));
    }

    static Row missing(String figure, String claim, String paper, String band) {
        return new Row(figure, claim, paper, "", band, Outcome.NOT_MEASURED, "no runs for it");
    }

    /// An exponent of n that should be 1.
    Row slope(String where, Clock clock, String figure, String claim, String paper) {
        return slope(exponents(where, clock), clock, figure, claim, paper);
    }

    /// That of tau_mem over some runs.
    Row slope(List<Member> members, String figure, String claim, String paper) {
        return slope(ExponentAnalysis.exponents(study, memorization, "", members), memorization, figure, claim, paper);
    }

    private static Row slope(Optional<Exponents> law, Clock clock, String figure, String claim, String paper) {
        Optional<Exponents.Term> term = law.flatMap(l -> term(l, "n"));
        if (term.isEmpty()) {
            return missing(figure, claim, paper, SLOPE_BAND);
        }
        return new Row(
                figure,
                claim,
                paper,
                "n^" + term.get().text(),
                SLOPE_BAND,
                outcome(Math.abs(term.get().value() - 1) <= SLOPE),
                clock.label() + ", " + runs(law.get()));
    }

    /// tau_gen at one width, size by size.
    Row generation(String where, double width, boolean judged) {
        String claim = "τ_gen is the same for all n";
        String paper = "about 100 000 updates at W = 32";
        TreeMap<Double, Double> byN = means(at(where, width), new Clock.Plateau(), Member::n);
        if (byN.isEmpty()) {
            return missing("Fig. 2 left", claim, paper, "each n within ×1.5 of their mean");
        }
        double mean = geometricMean(byN.values());
        boolean together = byN.values().stream().allMatch(tau -> within(tau, mean));
        String ours = "W = " + Math.round(width) + ": " + steps(mean) + " (" + each(byN, "n = ") + ")";
        boolean several = byN.size() > 1;
        boolean good = together && (!judged || within(mean, 100_000));
        return new Row(
                "Fig. 2 left",
                claim,
                paper,
                ours,
                "each n within ×1.5 of their mean" + (judged ? ", which is 100 000 within ×1.5" : ""),
                several ? outcome(good) : Outcome.NOT_MEASURED,
                several ? "arrival on the plateau of the Fréchet distance" : "one n only");
    }

    /// tau_mem / n at one width.
    Row rise(String where, double width, boolean judged) {
        String claim = "f_mem rises at a fixed τ/n";
        String paper = "about 300 (W = 32)";
        List<Double> known = at(where, width).stream()
                .flatMap(m -> known(m, memorization).map(tau -> tau / m.n()).stream())
                .toList();
        if (known.isEmpty()) {
            return missing("Fig. 2 left, inset", claim, paper, "200 to 450");
        }
        double mean = geometricMean(known);
        return new Row(
                "Fig. 2 left, inset",
                claim,
                paper,
                "W = " + Math.round(width) + ": " + steps(mean),
                "200 to 450",
                judged ? outcome(mean >= 200 && mean <= 450) : Outcome.NOT_COMPARABLE,
                memorization.label() + " / n, geometric mean of " + known.size() + " runs");
    }

    /// Whether the losses part before copies appear, at every n and width.
    Row splitFirst(String where, Clock.LossSplit split) {
        String claim = "the losses part before τ_mem, at every n";
        int earlier = 0;
        int compared = 0;
        for (Member member : settings.get(where)) {
            Optional<Double> parted = known(member, split);
            Optional<Double> copied = known(member, memorization);
            boolean before = member.run().time(split).orElse(null) instanceof Reading.BeforeFirst;
            if ((parted.isPresent() || before) && copied.isPresent()) {
                compared++;
                earlier += before || parted.get() < copied.get() ? 1 : 0;
            }
        }
        return compared == 0
                ? missing("Fig. 2 middle", claim, "yes", "every run")
                : new Row(
                        "Fig. 2 middle",
                        claim,
                        "yes",
                        "in " + earlier + " of " + compared + " runs",
                        "every run",
                        outcome(earlier == compared),
                        split.label());
    }

    Row largest(String where, double width, boolean judged) {
        String claim = "n = 32 768: the losses stay together up to 11 M updates";
        boolean there = at(where, width).stream().anyMatch(m -> m.n() == 32_768);
        if (!there) {
            return missing("Fig. 2 middle", claim, "no visible gap", "no split");
        }
        List<Member> runs =
                at(where, width).stream().filter(m -> m.n() == 32_768).toList();
        boolean split = runs.stream()
                .anyMatch(m -> split().flatMap(clock -> known(m, clock)).isPresent());
        return new Row(
                "Fig. 2 middle",
                claim,
                "no visible gap",
                split ? "they part" : "no split so far",
                "no split",
                judged ? outcome(!split) : Outcome.NOT_COMPARABLE,
                "up to " + steps(runs.getFirst().run().status().step()) + " updates");
    }

    /// The paper's show-case run.
    Row anchor(String where, double width, boolean judged) {
        String claim = "n = 1024, W = 32: f_mem at 1.62 M updates";
        String paper = "47 % (supplement), 34 % (figure)";
        Optional<Double> share = at(where, width).stream()
                .filter(m -> m.n() == 1024 && m.width() == 32)
                .map(m -> m.fractions(k))
                .flatMap(Optional::stream)
                .filter(points -> points.getLast().x() >= 1_620_000)
                .map(points -> points.stream()
                        .min(java.util.Comparator.comparingDouble(p -> Math.abs(Math.log(p.x() / 1_620_000))))
                        .orElseThrow()
                        .y())
                .findFirst();
        return share.map(y -> new Row(
                        "supp. A.1",
                        claim,
                        paper,
                        percent(y),
                        "30 % to 50 %",
                        judged ? outcome(y >= 0.3 && y <= 0.5) : Outcome.NOT_COMPARABLE,
                        "nearest measurement"))
                .orElseGet(() -> missing("supp. A.1", claim, paper, "30 % to 50 %"));
    }

    /// W tau_gen over the widths.
    Row widthLaw(String where, boolean judged) {
        String claim = "W τ_gen is a constant";
        String paper = "about 3×10⁶ for W = 16 to 64";
        String band = "each W within ×1.5 of their mean" + (judged ? ", which is 3×10⁶ within ×1.5" : "");
        TreeMap<Double, Double> products = new TreeMap<>();
        means(settings.get(where), new Clock.Plateau(), Member::width)
                .forEach((width, tau) -> products.put(width, width * tau));
        if (judged) {
            products.keySet().removeIf(width -> width < 16);
        }
        if (products.size() < 2) {
            return missing("Fig. 3 B", claim, paper, band);
        }
        double mean = geometricMean(products.values());
        boolean together = products.values().stream().allMatch(product -> within(product, mean));
        String law = exponents(where, new Clock.Plateau())
                .flatMap(l -> term(l, "W"))
                .map(term -> "τ_gen ∝ W^" + term.text())
                .orElse("");
        return new Row(
                "Fig. 3 B",
                claim,
                paper,
                steps(mean) + " (" + each(products, "W = ") + ")",
                band,
                outcome(together && (!judged || within(mean, 3e6))),
                law);
    }

    /// tau_mem W / n.
    Row collapse(String where) {
        String claim = "τ_mem grows as n / W";
        String paper = "n/W; W τ_mem / n about 9 600 from two of its numbers";
        String band = "n: 1 ± 0.15, W: −1 ± 0.15";
        Optional<Exponents> law = exponents(where, memorization);
        Optional<Exponents.Term> n = law.flatMap(l -> term(l, "n"));
        Optional<Exponents.Term> w = law.flatMap(l -> term(l, "W"));
        if (n.isEmpty() || w.isEmpty()) {
            return missing("Fig. 3 D", claim, paper, band);
        }
        boolean good =
                Math.abs(n.get().value() - 1) <= SLOPE && Math.abs(w.get().value() + 1) <= SLOPE;
        String score = landscape.collapses().stream()
                .filter(c -> c.where().equals(where)
                        && c.variable().equals("n/W")
                        && c.what().startsWith("f_mem at"))
                .findFirst()
                .map(c -> "; after division by n/W the times agree within ×" + number(c.collapsed()))
                .orElse("");
        return new Row(
                "Fig. 3 D",
                claim,
                paper,
                "n^" + n.get().text() + ", W^" + w.get().text(),
                band,
                outcome(good),
                runs(law.get()) + score);
    }

    /// The shape of the boundary: flat at tau_gen, higher at later moments.
    Row phase(String where) {
        String claim = "the boundary at τ_gen does not depend on p for W > 8; later it lies higher";
        String paper = "flat, n about 300 from two of its numbers";
        String band = "flat within ×1.5; higher at the last multiple for every W";
        Optional<PhaseDiagram> found =
                landscape.phases().stream().filter(p -> p.where().equals(where)).findFirst();
        if (found.isEmpty()) {
            return missing("Fig. 3 right", claim, paper, band);
        }
        List<PhaseDiagram.Line> lines = found.get().lines();
        PhaseDiagram.Line first = lines.getFirst();
        PhaseDiagram.Line last = lines.get(Math.max(0, lines.size() - 2));
        TreeMap<Double, Double> flat = new TreeMap<>();
        int higher = 0;
        int compared = 0;
        for (PhaseDiagram.Edge edge : first.edges()) {
            if (edge.width() > 8 && edge.boundary().side() == PhaseBoundary.Side.WITHIN) {
                flat.put(edge.width(), edge.boundary().n());
            }
            Optional<PhaseDiagram.Edge> later =
                    last.edges().stream().filter(e -> e.width() == edge.width()).findFirst();
            if (later.isPresent() && isKnown(edge) && isKnown(later.get())) {
                compared++;
                higher += above(later.get(), edge) ? 1 : 0;
            }
        }
        if (flat.size() < 2 || compared == 0) {
            return new Row(
                    "Fig. 3 right",
                    claim,
                    paper,
                    flat.isEmpty() ? "" : each(flat, "W = "),
                    band,
                    Outcome.NOT_MEASURED,
                    "the boundary lies among the measured n at fewer than two widths");
        }
        double mean = geometricMean(flat.values());
        boolean even = flat.values().stream().allMatch(n -> within(n, mean));
        return new Row(
                "Fig. 3 right",
                claim,
                paper,
                "n about " + steps(mean) + " (" + each(flat, "W = ") + "); higher at " + last.label() + " in " + higher
                        + " of " + compared + " widths",
                band,
                outcome(even && higher == compared),
                "");
    }

    private static boolean isKnown(PhaseDiagram.Edge edge) {
        return edge.boundary().side() != PhaseBoundary.Side.UNKNOWN;
    }

    private static boolean above(PhaseDiagram.Edge later, PhaseDiagram.Edge edge) {
        return position(later.boundary()) > position(edge.boundary());
    }

    private static double position(PhaseBoundary boundary) {
        return switch (boundary.side()) {
            case ABOVE -> Double.POSITIVE_INFINITY;
            case BELOW -> 0;
            case WITHIN, UNKNOWN -> boundary.n();
        };
    }

    /// Adam beside SGD.
    Row ratio(Optional<String> adam, String main) {
        String claim = "with Adam τ_mem comes much earlier than with SGD";
        Optional<TimeRatio> found = adam.flatMap(where -> landscape.ratios().stream()
                .filter(r -> r.setting().equals(where)
                        && r.reference().equals(main)
                        && r.clock().equals(memorization)
                        && !r.pairs().isEmpty())
                .findFirst());
        return found.map(ratio -> new Row(
                        "Fig. 7 right",
                        claim,
                        "much earlier",
                        "τ_mem(Adam) / τ_mem(SGD) = " + ratio.text(),
                        "interval below 1",
                        outcome(Double.isFinite(ratio.high()) && ratio.high() < 1),
                        ratio.pairs().size() + " pairs of runs, " + ratio.leftOut()
                                + " left out; the learning rates decide it as much as the optimizers"))
                .orElseGet(() -> missing("Fig. 7 right", claim, "much earlier", "interval below 1"));
    }

    /// Trained parameters of the paper's network.
    Row parameters() {
        String claim = "parameter counts";
        String paper = "0.26, 1, 4, 16 M at W = 8, 16, 32, 64";
        TreeMap<Double, Double> ours = new TreeMap<>();
        boolean exact = true;
        for (List<Member> members : settings.values()) {
            for (Member member : members) {
                for (double[] known : PaperSettings.PARAMETERS) {
                    boolean comparable = member.width() == known[0]
                            && PaperSettings.isNetwork(member.config().model())
                            && Double.isFinite(member.parameters());
                    if (comparable) {
                        ours.put(member.width(), member.parameters());
                        exact &= member.parameters() == known[1];
                    }
                }
            }
        }
        return ours.isEmpty()
                ? new Row("sec. 1.2", claim, paper, "", "exact", Outcome.NOT_MEASURED, "another network")
                : new Row("sec. 1.2", claim, paper, counts(ours), "exact", outcome(exact), "without frozen tables");
    }

    private static String counts(Map<Double, Double> ours) {
        return ours.entrySet().stream()
                .map(e -> "W = " + Math.round(e.getKey()) + ": " + String.format(Locale.ROOT, "%,.0f", e.getValue()))
                .collect(Collectors.joining("; "))
                .replace(',', ' ');
    }

    /// The exponents at the other ratios, which should not differ.
    List<Row> ratios(String where) {
        List<Row> rows = new ArrayList<>();
        Optional<Exponents.Term> headline = exponents(where, memorization).flatMap(l -> term(l, "n"));
        for (Exponents law : landscape.exponents()) {
            if (law.where().equals(where)
                    && law.clock() instanceof Clock.TauMem mem
                    && mem.threshold() == memorization.threshold()
                    && Math.abs(mem.k() - k) > 1e-9) {
                Optional<Exponents.Term> term = term(law, "n");
                String claim = mem.label() + " grows as n too";
                rows.add(
                        term.isEmpty() || headline.isEmpty()
                                ? missing("text", claim, "unchanged", "within 0.15 of the headline’s")
                                : new Row(
                                        "text",
                                        claim,
                                        "unchanged",
                                        "n^" + term.get().text(),
                                        "within 0.15 of "
                                                + twoDecimals(headline.get().value()),
                                        outcome(Math.abs(term.get().value()
                                                        - headline.get().value())
                                                <= SLOPE),
                                        runs(law)));
            }
        }
        return rows;
    }

    private List<Member> at(String where, double width) {
        return settings.get(where).stream().filter(m -> m.width() == width).toList();
    }

    private Optional<Exponents> exponents(String where, Clock clock) {
        return landscape.exponents().stream()
                .filter(e -> e.where().equals(where) && e.clock().equals(clock))
                .findFirst();
    }

    private static Optional<Exponents.Term> term(Exponents law, String variable) {
        return law.terms().stream().filter(t -> t.variable().equals(variable)).findFirst();
    }

    private Optional<Double> known(Member member, Clock clock) {
        return member.time(clock, memorization).orElse(null) instanceof Reading.Reached at
                ? Optional.of(at.value())
                : Optional.empty();
    }

    /// Geometric means of the known times by group.
    private TreeMap<Double, Double> means(List<Member> members, Clock clock, ToDoubleFunction<Member> group) {
        TreeMap<Double, List<Double>> times = new TreeMap<>();
        for (Member member : members) {
            known(member, clock)
                    .ifPresent(tau -> times.computeIfAbsent(group.applyAsDouble(member), key -> new ArrayList<>())
                            .add(tau));
        }
        TreeMap<Double, Double> means = new TreeMap<>();
        times.forEach((key, values) -> means.put(key, geometricMean(values)));
        return means;
    }

    private static double geometricMean(java.util.Collection<Double> values) {
        return Math.exp(values.stream().mapToDouble(Math::log).average().orElseThrow());
    }

    private static boolean within(double value, double of) {
        return value <= FACTOR * of && value >= of / FACTOR;
    }

    private static Outcome outcome(boolean good) {
        return good ? Outcome.YES : Outcome.NO;
    }

    private static String runs(Exponents law) {
        return law.known() + " runs" + (law.bounded() > 0 ? ", " + law.bounded() + " more as bounds" : "");
    }

    private static String each(Map<Double, Double> values, String name) {
        return values.entrySet().stream()
                .map(e -> name + Math.round(e.getKey()) + ": " + steps(e.getValue()))
                .collect(Collectors.joining(", "));
    }

    private static String steps(double value) {
        return Digits.steps(value);
    }

    private static String number(double value) {
        return Digits.compact(value);
    }

    private static String percent(double value) {
        return Digits.percent(value);
    }

    private static String twoDecimals(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
