package dev.rote.tools.study;

import dev.rote.metrics.PhaseBoundary;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Digits;
import dev.rote.tools.report.Exponents;
import dev.rote.tools.report.PaperComparison.Outcome;
import dev.rote.tools.report.PaperComparison.Row;
import dev.rote.tools.report.PhaseDiagram;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The rows of [PaperRows] that are about the width of the network.
final class PaperWidths {
    private final PaperReadings readings;
    private final Clock.TauMem memorization;

    PaperWidths(PaperReadings readings) {
        this.readings = readings;
        memorization = readings.memorization();
    }

    /// W tau_gen over the widths.
    ///
    /// @param paperNetwork with the paper's, W = 8 is left out: it claims the law from 16 on
    Row widthLaw(String where, boolean paperNetwork) {
        String claim = "W τ_gen is a constant";
        String paper = "yes, for W = 16 to 64";
        String band = "each W within ×1.5 of their mean";
        TreeMap<Double, Double> products = products(where, paperNetwork);
        if (products.size() < 2) {
            return PaperReadings.missing("Fig. 3 B", claim, paper, band);
        }
        double mean = PaperReadings.geometricMean(products.values());
        boolean together = products.values().stream().allMatch(product -> PaperReadings.within(product, mean));
        String law = readings.exponents(where, new Clock.Plateau())
                .flatMap(l -> PaperReadings.term(l, "W"))
                .map(term -> "τ_gen ∝ W^" + term.text())
                .orElse("");
        return new Row(
                "Fig. 3 B",
                claim,
                paper,
                Digits.steps(mean) + " (" + PaperReadings.each(products, "W = ") + ")",
                band,
                PaperReadings.outcome(together),
                law);
    }

    /// The constant itself.
    Row widthConstant(String where, Standing standing) {
        String claim = "W τ_gen";
        String paper = "about 3×10⁶";
        String band = "within ×1.5";
        TreeMap<Double, Double> products = products(where, true);
        if (products.isEmpty()) {
            return PaperReadings.missing("Fig. 3 B", claim, paper, band);
        }
        double mean = PaperReadings.geometricMean(products.values());
        return new Row(
                "Fig. 3 B",
                claim,
                paper,
                Digits.steps(mean),
                band,
                standing.outcome(PaperReadings.within(mean, 3e6)),
                standing.note("geometric mean over W from 16 on"));
    }

    private TreeMap<Double, Double> products(String where, boolean wide) {
        TreeMap<Double, Double> products = new TreeMap<>();
        readings.means(readings.runs(where), new Clock.Plateau(), Member::width)
                .forEach((width, tau) -> products.put(width, width * tau));
        products.keySet().removeIf(width -> wide && width < 16);
        return products;
    }

    /// tau_mem W / n.
    Row collapse(String where) {
        String claim = "τ_mem grows as n / W";
        String paper = "n/W; W τ_mem / n about 9 600 from two of its numbers";
        String band = "n: 1 ± 0.15, W: −1 ± 0.15";
        Optional<Exponents> law = readings.exponents(where, memorization);
        Optional<Exponents.Term> n = law.flatMap(l -> PaperReadings.term(l, "n"));
        Optional<Exponents.Term> w = law.flatMap(l -> PaperReadings.term(l, "W"));
        if (n.isEmpty() || w.isEmpty()) {
            return PaperReadings.missing("Fig. 3 D", claim, paper, band);
        }
        List<Outcome> both = List.of(PaperReadings.judge(n.get(), 1), PaperReadings.judge(w.get(), -1));
        Outcome outcome =
                both.contains(Outcome.NO) ? Outcome.NO : both.contains(Outcome.OPEN) ? Outcome.OPEN : Outcome.YES;
        String score = readings.landscape().collapses().stream()
                .filter(c -> c.where().equals(where)
                        && c.variable().equals("n/W")
                        && c.what().startsWith("f_mem at"))
                .findFirst()
                .map(c -> "; after division by n/W the times agree within ×" + Digits.compact(c.collapsed()))
                .orElse("");
        return new Row(
                "Fig. 3 D",
                claim,
                paper,
                "n^" + n.get().text() + ", W^" + w.get().text(),
                band,
                outcome,
                PaperReadings.runs(law.get()) + score);
    }

    /// The shape of the boundary: flat at tau_gen, higher at later moments.
    Row phase(String where) {
        String claim = "the boundary at τ_gen does not depend on p for W > 8; later it lies higher";
        String paper = "flat, n about 300 from two of its numbers";
        String band = "flat within ×1.5; higher at the last multiple for every W";
        Optional<PhaseDiagram> found = readings.landscape().phases().stream()
                .filter(p -> p.where().equals(where))
                .findFirst();
        if (found.isEmpty()) {
            return PaperReadings.missing("Fig. 3 right", claim, paper, band);
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
                    flat.isEmpty() ? "" : PaperReadings.each(flat, "W = "),
                    band,
                    Outcome.NOT_MEASURED,
                    "the boundary lies among the measured n at fewer than two widths");
        }
        double mean = PaperReadings.geometricMean(flat.values());
        boolean even = flat.values().stream().allMatch(n -> PaperReadings.within(n, mean));
        return new Row(
                "Fig. 3 right",
                claim,
                paper,
                "n about " + Digits.steps(mean) + " (" + PaperReadings.each(flat, "W = ") + "); higher at "
                        + last.label() + " in " + higher + " of " + compared + " widths",
                band,
                PaperReadings.outcome(even && higher == compared),
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

    /// Trained parameters of the paper's network.
    Row parameters() {
        String claim = "parameter counts";
        String paper = "0.26, 1, 4, 16 M at W = 8, 16, 32, 64";
        TreeMap<Double, Double> ours = new TreeMap<>();
        boolean exact = true;
        for (Member member : readings.all()) {
            for (double[] count : PaperSettings.PARAMETERS) {
                boolean comparable = member.width() == count[0]
                        && PaperSettings.isNetwork(member.config().model())
                        && Double.isFinite(member.parameters());
                if (comparable) {
                    ours.put(member.width(), member.parameters());
                    exact &= member.parameters() == count[1];
                }
            }
        }
        return ours.isEmpty()
                ? new Row("sec. 1.2", claim, paper, "", "exact", Outcome.NOT_MEASURED, "another network")
                : new Row(
                        "sec. 1.2",
                        claim,
                        paper,
                        counts(ours),
                        "exact",
                        PaperReadings.outcome(exact),
                        "without frozen tables");
    }

    private static String counts(Map<Double, Double> ours) {
        return ours.entrySet().stream()
                .map(e -> "W = " + Math.round(e.getKey()) + ": " + String.format(Locale.ROOT, "%,.0f", e.getValue()))
                .collect(Collectors.joining("; "))
                .replace(',', ' ');
    }
}
