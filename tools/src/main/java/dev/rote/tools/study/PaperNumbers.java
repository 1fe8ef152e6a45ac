package dev.rote.tools.study;

import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Digits;
import dev.rote.tools.report.Exponents;
import dev.rote.tools.report.PaperComparison.Outcome;
import dev.rote.tools.report.PaperComparison.Row;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.TimeRatio;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// The numbers behind [PaperRows].
final class PaperNumbers {
    private static final String SLOPE_BAND = "1 ± 0.15";

    private final StudyFile study;
    private final PaperReadings readings;
    private final Clock.TauMem memorization;
    private final double k;

    PaperNumbers(StudyFile study, PaperReadings readings) {
        this.study = study;
        this.readings = readings;
        memorization = readings.memorization();
        k = study.analysis().k();
    }

    Clock.TauMem tauMem() {
        return memorization;
    }

    /// An exponent of n that should be 1.
    Row slope(String where, Clock clock, String figure, String claim, String paper) {
        return slope(readings.exponents(where, clock), clock, figure, claim, paper);
    }

    /// That of tau_mem over some runs.
    Row slope(List<Member> members, String figure, String claim, String paper) {
        return slope(ExponentAnalysis.exponents(study, memorization, "", members), memorization, figure, claim, paper);
    }

    private static Row slope(Optional<Exponents> law, Clock clock, String figure, String claim, String paper) {
        Optional<Exponents.Term> term = law.flatMap(l -> PaperReadings.term(l, "n"));
        if (term.isEmpty()) {
            return PaperReadings.missing(figure, claim, paper, SLOPE_BAND);
        }
        return new Row(
                figure,
                claim,
                paper,
                "n^" + term.get().text(),
                SLOPE_BAND,
                PaperReadings.judge(term.get(), 1),
                clock.label() + ", " + PaperReadings.runs(law.get()));
    }

    /// tau_gen at one width, size by size.
    Row generation(String where, double width) {
        String claim = "τ_gen is the same for all n";
        String paper = "yes";
        String band = "each n within ×1.5 of their mean";
        TreeMap<Double, Double> byN = readings.means(readings.at(where, width), new Clock.Plateau(), Member::n);
        if (byN.isEmpty()) {
            return PaperReadings.missing("Fig. 2 left", claim, paper, band);
        }
        double mean = PaperReadings.geometricMean(byN.values());
        boolean together = byN.values().stream().allMatch(tau -> PaperReadings.within(tau, mean));
        boolean several = byN.size() > 1;
        return new Row(
                "Fig. 2 left",
                claim,
                paper,
                "W = " + Math.round(width) + ": " + PaperReadings.each(byN, "n = "),
                band,
                several ? PaperReadings.outcome(together) : Outcome.NOT_MEASURED,
                several ? "arrival on the plateau of the Fréchet distance" : "one n only");
    }

    /// The number itself.
    Row generationTime(String where, double width, Standing standing) {
        String claim = "τ_gen at W = 32";
        String paper = "about 100 000 updates";
        String band = "within ×1.5";
        TreeMap<Double, Double> byN = readings.means(readings.at(where, width), new Clock.Plateau(), Member::n);
        if (byN.isEmpty()) {
            return PaperReadings.missing("Fig. 2 left", claim, paper, band);
        }
        double mean = PaperReadings.geometricMean(byN.values());
        return new Row(
                "Fig. 2 left",
                claim,
                paper,
                "W = " + Math.round(width) + ": " + Digits.steps(mean),
                band,
                standing.outcome(PaperReadings.within(mean, 100_000)),
                standing.note("geometric mean over n"));
    }

    /// tau_mem / n at one width.
    Row rise(String where, double width, Standing standing) {
        String claim = "f_mem rises at a fixed τ/n";
        String paper = "about 300 (W = 32)";
        List<Double> known = readings.at(where, width).stream()
                .flatMap(m -> readings.known(m, memorization).map(tau -> tau / m.n()).stream())
                .toList();
        if (known.isEmpty()) {
            return PaperReadings.missing("Fig. 2 left, inset", claim, paper, "200 to 450");
        }
        double mean = PaperReadings.geometricMean(known);
        return new Row(
                "Fig. 2 left, inset",
                claim,
                paper,
                "W = " + Math.round(width) + ": " + Digits.steps(mean),
                "200 to 450",
                standing.outcome(mean >= 200 && mean <= 450),
                standing.note(memorization.label() + " / n, geometric mean of " + known.size() + " runs"));
    }

    /// Whether the losses part before copies appear, at every n and width.
    Row splitFirst(String where, Clock.LossSplit split) {
        String claim = "the losses part before τ_mem, at every n";
        int earlier = 0;
        int compared = 0;
        for (Member member : readings.runs(where)) {
            Optional<Double> parted = readings.known(member, split);
            Optional<Double> copied = readings.known(member, memorization);
            boolean before = member.run().time(split).orElse(null) instanceof Reading.BeforeFirst;
            if ((parted.isPresent() || before) && copied.isPresent()) {
                compared++;
                earlier += before || parted.get() < copied.get() ? 1 : 0;
            }
        }
        return compared == 0
                ? PaperReadings.missing("Fig. 2 middle", claim, "yes", "every run")
                : new Row(
                        "Fig. 2 middle",
                        claim,
                        "yes",
                        "in " + earlier + " of " + compared + " runs",
                        "every run",
                        PaperReadings.outcome(earlier == compared),
                        split.label());
    }

    Row largest(String where, double width, Standing standing) {
        String claim = "n = 32 768: the losses stay together up to 11 M updates";
        boolean there = readings.at(where, width).stream().anyMatch(m -> m.n() == 32_768);
        if (!there) {
            return PaperReadings.missing("Fig. 2 middle", claim, "no visible gap", "no split");
        }
        List<Member> runs =
                readings.at(where, width).stream().filter(m -> m.n() == 32_768).toList();
        boolean split = runs.stream().anyMatch(m -> readings.split()
                .flatMap(clock -> readings.known(m, clock))
                .isPresent());
        return new Row(
                "Fig. 2 middle",
                claim,
                "no visible gap",
                split ? "they part" : "no split so far",
                "no split",
                standing.outcome(!split),
                standing.note(
                        "up to " + Digits.steps(runs.getFirst().run().status().step()) + " updates"));
    }

    /// n = 1024 and W = 32 at two moments.
    List<Row> showcase(String where, double width, Standing copies, Standing quality) {
        return new PaperShowcase(readings.at(where, width), k).rows(copies, quality);
    }

    /// Adam beside SGD.
    Row ratio(Optional<String> adam, String main) {
        String claim = "with Adam τ_mem comes much earlier than with SGD";
        Optional<TimeRatio> found = adam.flatMap(where -> readings.landscape().ratios().stream()
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
                        below(ratio),
                        ratio.pairs().size() + " pairs of runs, " + ratio.leftOut()
                                + " left out; the learning rates decide it as much as the optimizers"))
                .orElseGet(() -> PaperReadings.missing("Fig. 7 right", claim, "much earlier", "interval below 1"));
    }

    /// Undecided without an interval, or with one that holds 1.
    private static Outcome below(TimeRatio ratio) {
        if (Double.isNaN(ratio.high()) || (ratio.low() <= 1 && ratio.high() >= 1)) {
            return Outcome.OPEN;
        }
        return PaperReadings.outcome(ratio.high() < 1);
    }

    /// The exponents at the other ratios, which should not differ.
    List<Row> ratios(String where) {
        List<Row> rows = new ArrayList<>();
        Optional<Exponents.Term> headline =
                readings.exponents(where, memorization).flatMap(l -> PaperReadings.term(l, "n"));
        for (Exponents law : readings.landscape().exponents()) {
            if (law.where().equals(where)
                    && law.clock() instanceof Clock.TauMem mem
                    && mem.threshold() == memorization.threshold()
                    && Math.abs(mem.k() - k) > 1e-9) {
                Optional<Exponents.Term> term = PaperReadings.term(law, "n");
                String claim = mem.label() + " grows as n too";
                rows.add(
                        term.isEmpty() || headline.isEmpty()
                                ? PaperReadings.missing("text", claim, "unchanged", "within 0.15 of the headline’s")
                                : new Row(
                                        "text",
                                        claim,
                                        "unchanged",
                                        "n^" + term.get().text(),
                                        "within 0.15 of "
                                                + Digits.twoDecimals(
                                                        headline.get().value()),
                                        PaperReadings.judge(
                                                term.get(), headline.get().value()),
                                        PaperReadings.runs(law)));
            }
        }
        return rows;
    }
}
