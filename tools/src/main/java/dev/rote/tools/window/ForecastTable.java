package dev.rote.tools.window;

import dev.rote.metrics.Interval;
import dev.rote.metrics.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;
import java.util.function.IntPredicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Forecasts beside what happened, as Markdown. No table where there are none.
final class ForecastTable {
    private static final String HEAD = "| cost, at most | spent on | forecasts | of n | from n | median cost"
            + " | median error | interval holds the truth | median width of the interval |";

    /// The forecasts of one kind.
    ///
    /// @param budget highest cost
    record Row(double budget, RecordedForecasts.Source source, List<PredictionTrial> trials) {
        Row {
            trials = List.copyOf(trials);
        }

        /// Those of runs with certain n.
        Row of(IntPredicate n) {
            return new Row(
                    budget,
                    source,
                    trials.stream().filter(trial -> n.test(trial.n())).toList());
        }
    }

    /// A forecast time and the true one.
    private record Pair(PredictionTrial trial, Interval predicted, double truth) {
        boolean holds() {
            return predicted.contains(truth);
        }

        /// |predicted / truth - 1|
        double share() {
            return Math.abs(predicted.value() / truth - 1);
        }

        /// The greater of predicted / truth and truth / predicted.
        double factor() {
            return Math.exp(Math.abs(Math.log(predicted.value() / truth)));
        }

        double width() {
            return predicted.high() / predicted.low();
        }
    }

    private ForecastTable() {}

    static List<String> tauMem(List<Row> rows) {
        List<String> lines = new ArrayList<>();
        for (Row row : rows) {
            List<Pair> pairs = row.trials().stream()
                    .map(trial -> new Pair(
                            trial,
                            trial.forecast().tauMem().orElseThrow(),
                            trial.truth().tauMem()))
                    .toList();
            lines.add(cells(row, pairs, cell(pairs, Pair::share, error -> format("%.0f %%", 100 * error))));
        }
        return table(HEAD, lines, rows.stream().flatMap(row -> row.trials().stream()));
    }

    /// An error is a factor. A run whose tau_gen is a bound is no truth; its forecast agrees if the interval does not
    /// end before the bound.
    static List<String> tauGen(List<Row> rows) {
        List<String> lines = new ArrayList<>();
        for (Row row : rows) {
            List<Pair> known = row.trials().stream()
                    .filter(trial -> trial.forecast().tauGen().isPresent())
                    .map(trial -> new Pair(
                            trial,
                            trial.forecast().tauGen().orElseThrow().time(),
                            trial.truth().tauGen()))
                    .toList();
            List<Pair> exact = known.stream()
                    .filter(pair -> pair.trial().truth().tauGenIsExact())
                    .toList();
            List<Pair> bounds = known.stream()
                    .filter(pair -> pair.trial().truth().tauGenIsBound())
                    .toList();
            long fromBounds = exact.stream()
                    .filter(pair -> pair.trial().forecast().bounds() > 0)
                    .count();
            long agreeing = bounds.stream().filter(ForecastTable::agrees).count();
            lines.add(cells(row, exact, cell(exact, Pair::factor, error -> format("a factor of %.2f", error)))
                    + format(" %s |", exact.isEmpty() ? "-" : Long.toString(fromBounds))
                    + format(" %s |", bounds.isEmpty() ? "-" : agreeing + " of " + bounds.size())
                    + window(known));
        }
        return table(
                HEAD + " from bounds too | agrees with a bound | window: said | seen |",
                lines,
                rows.stream()
                        .flatMap(row -> row.trials().stream())
                        .filter(trial -> trial.forecast().tauGen().isPresent())
                        .filter(trial ->
                                trial.truth().tauGenIsExact() || trial.truth().tauGenIsBound()));
    }

    /// The mean probability of a window and how often there was one, of runs of which that is known.
    private static String window(List<Pair> pairs) {
        List<PredictionTrial> judged = pairs.stream()
                .map(Pair::trial)
                .filter(trial -> trial.truth().open().isPresent())
                .toList();
        double said = judged.stream()
                .mapToDouble(trial -> trial.forecast().tauGen().orElseThrow().open())
                .average()
                .orElse(0);
        long seen = judged.stream().filter(trial -> trial.truth().open().get()).count();
        return judged.isEmpty() ? " - | - |" : format(" %.0f %% | %d of %d |", 100 * said, seen, judged.size());
    }

    private static boolean agrees(Pair pair) {
        return pair.trial().truth().tauGenIsLeast()
                ? pair.predicted().high() >= pair.truth()
                : pair.predicted().low() <= pair.truth();
    }

    private static List<String> table(String head, List<String> lines, Stream<PredictionTrial> shown) {
        if (shown.findAny().isEmpty()) {
            return List.of();
        }
        int columns = (int) head.chars().filter(c -> c == '|').count() - 1;
        lines.addFirst("|" + "---|".repeat(columns));
        lines.addFirst(head);
        return lines;
    }

    private static String cells(Row row, List<Pair> pairs, String error) {
        int held = (int) pairs.stream().filter(Pair::holds).count();
        return format(
                "| %.0f %% | %s | %d | %s | %s | %s | %s | %s | %s |",
                100 * row.budget(),
                row.source().words(),
                pairs.size(),
                listed(pairs.stream().mapToInt(pair -> pair.trial().n())),
                listed(pairs.stream().flatMapToInt(pair -> pair.trial().forecast().runs().stream()
                        .mapToInt(SmallRun::n))),
                cell(pairs, pair -> pair.trial().cost(), cost -> format("%.1f %%", 100 * cost)),
                error,
                pairs.isEmpty()
                        ? "-"
                        : format(
                                "%d of %d (Wilson from %.0f %%)",
                                held,
                                pairs.size(),
                                100 * new Share(pairs.size(), held).wilson().low()),
                cell(pairs, Pair::width, width -> format("a factor of %.1f", width)));
    }

    /// A median.
    private static String cell(List<Pair> pairs, ToDoubleFunction<Pair> value, DoubleFunction<String> text) {
        OptionalDouble median =
                Judgement.median(pairs.stream().mapToDouble(value).toArray());
        return median.isPresent() ? text.apply(median.getAsDouble()) : "-";
    }

    private static String listed(IntStream values) {
        String list = String.join(
                ", ", values.distinct().sorted().mapToObj(Integer::toString).toList());
        return list.isEmpty() ? "-" : list;
    }

    private static String format(String text, Object... values) {
        return String.format(Locale.ROOT, text, values);
    }
}
