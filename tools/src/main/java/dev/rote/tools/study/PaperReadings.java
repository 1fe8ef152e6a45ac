package dev.rote.tools.study;

import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Digits;
import dev.rote.tools.report.Exponents;
import dev.rote.tools.report.Landscape;
import dev.rote.tools.report.PaperComparison.Outcome;
import dev.rote.tools.report.PaperComparison.Row;
import dev.rote.tools.report.Reading;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/// What the rows beside a paper read: times of runs, laws over them, and how a number is judged.
///
/// @param settings the runs by setting
/// @param landscape what was found over them
/// @param memorization the clock of the headline
record PaperReadings(Map<String, List<Member>> settings, Landscape landscape, Clock.TauMem memorization) {
    /// How far an exponent may lie from the paper's.
    static final double SLOPE = 0.15;

    /// The factor by which a constant may differ.
    private static final double FACTOR = 1.5;

    List<Member> runs(String where) {
        return settings.get(where);
    }

    List<Member> all() {
        return settings.values().stream().flatMap(List::stream).toList();
    }

    /// The loss split at the measured time nearest to the paper's t = 0.01.
    Optional<Clock.LossSplit> split() {
        return landscape.exponents().stream()
                .map(Exponents::clock)
                .filter(Clock.LossSplit.class::isInstance)
                .map(Clock.LossSplit.class::cast)
                .distinct()
                .min(Comparator.comparingDouble(split -> Math.abs(Math.log(split.t() / 0.01))));
    }

    static Row missing(String figure, String claim, String paper, String band) {
        return new Row(figure, claim, paper, "", band, Outcome.NOT_MEASURED, "too few runs for it");
    }

    List<Member> at(String where, double width) {
        return runs(where).stream().filter(m -> m.width() == width).toList();
    }

    Optional<Exponents> exponents(String where, Clock clock) {
        return landscape.exponents().stream()
                .filter(e -> e.where().equals(where) && e.clock().equals(clock))
                .findFirst();
    }

    static Optional<Exponents.Term> term(Exponents law, String variable) {
        return law.terms().stream().filter(t -> t.variable().equals(variable)).findFirst();
    }

    Optional<Double> known(Member member, Clock clock) {
        return member.time(clock, memorization).orElse(null) instanceof Reading.Reached at
                ? Optional.of(at.value())
                : Optional.empty();
    }

    /// Geometric means of the known times by group.
    TreeMap<Double, Double> means(List<Member> members, Clock clock, ToDoubleFunction<Member> group) {
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

    static double geometricMean(Collection<Double> values) {
        return Math.exp(values.stream().mapToDouble(Math::log).average().orElseThrow());
    }

    static boolean within(double value, double of) {
        return value <= FACTOR * of && value >= of / FACTOR;
    }

    /// Whether an exponent is the paper's: undecided without an interval, with one that is wider than three bands, or
    /// with one that reaches into the band from outside.
    static Outcome judge(Exponents.Term term, double paper) {
        if (!Double.isFinite(term.low()) || !Double.isFinite(term.high())) {
            return Outcome.OPEN;
        }
        if (Math.abs(term.value() - paper) <= SLOPE) {
            return term.high() - term.low() > 6 * SLOPE ? Outcome.OPEN : Outcome.YES;
        }
        boolean reaches = term.low() <= paper + SLOPE && term.high() >= paper - SLOPE;
        return reaches ? Outcome.OPEN : Outcome.NO;
    }

    static Outcome outcome(boolean good) {
        return good ? Outcome.YES : Outcome.NO;
    }

    static String runs(Exponents law) {
        return law.known() + " runs" + (law.bounded() > 0 ? ", " + law.bounded() + " more as bounds" : "");
    }

    static String each(Map<Double, Double> values, String name) {
        return values.entrySet().stream()
                .map(e -> name + Math.round(e.getKey()) + ": " + Digits.steps(e.getValue()))
                .collect(Collectors.joining(", "));
    }
}
