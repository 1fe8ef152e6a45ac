package dev.rote.tools.window;

import dev.rote.metrics.Interval;
import dev.rote.metrics.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/// Judgements and trials as Markdown.
final class StoppingTable {
    private StoppingTable() {}

    static List<String> rules(List<Judgement> judgements) {
        List<String> lines = new ArrayList<>();
        lines.add("| rule | runs | inside the window (Wilson 95 %) | too early | too late | not stopped"
                + " | FD over the best | copies | kept / tau_mem | trained / tau_mem |");
        lines.add("|---|---|---|---|---|---|---|---|---|---|");
        for (Judgement j : judgements) {
            Interval inside = j.inside().wilson();
            lines.add(String.format(
                    Locale.ROOT,
                    "| %s | %d | %.0f %% (%.0f to %.0f) | %d | %d | %d | %s | %s | %s | %s |",
                    j.rule(),
                    j.runs(),
                    100 * inside.value(),
                    100 * inside.low(),
                    100 * inside.high(),
                    j.early(),
                    j.late(),
                    j.unstopped(),
                    cell(j.loss(), value -> String.format(Locale.ROOT, "%+.0f %%", 100 * value)),
                    cell(j.copies(), value -> String.format(Locale.ROOT, "%.2f %%", 100 * value)),
                    cell(j.position(), value -> String.format(Locale.ROOT, "%.2f", value)),
                    cell(j.overshoot(), value -> String.format(Locale.ROOT, "%.2f", value))));
        }
        return lines;
    }

    /// A row for each budget without the run's own beginning, then with it.
    static List<String> predictions(
            List<Double> budgets,
            Function<Double, List<PredictionTrial>> small,
            Function<Double, List<PredictionTrial>> begun) {
        List<String> lines = new ArrayList<>();
        lines.add("| cost, at most | of that | forecasts | of n | from n | median error | interval holds the truth"
                + " | median width of the interval |");
        lines.add("|---|---|---|---|---|---|---|---|");
        budgets.forEach(budget -> lines.add(row(budget, "small runs", small.apply(budget))));
        budgets.forEach(budget -> lines.add(row(budget, "small runs and the run's beginning", begun.apply(budget))));
        return lines;
    }

    private static String row(double budget, String source, List<PredictionTrial> made) {
        String cost = String.format(Locale.ROOT, "%.0f %%", 100 * budget);
        if (made.isEmpty()) {
            return "| " + cost + " | " + source + " | 0 | - | - | - | - | - |";
        }
        int held = (int) made.stream()
                .filter(trial -> trial.predicted().contains(trial.truth()))
                .count();
        double error = median(made, PredictionTrial::error);
        double width = median(
                made, trial -> trial.predicted().high() / trial.predicted().low());
        return String.format(
                Locale.ROOT,
                "| %s | %s | %d | %s | %s | %.0f %% | %d of %d (Wilson from %.0f %%) | a factor of %.1f |",
                cost,
                source,
                made.size(),
                listed(made.stream().map(PredictionTrial::n)),
                listed(made.stream().flatMap(trial -> trial.sizes().stream())),
                100 * error,
                held,
                made.size(),
                100 * new Share(made.size(), held).wilson().low(),
                width);
    }

    private static double median(List<PredictionTrial> trials, ToDoubleFunction<PredictionTrial> value) {
        return Judgement.median(trials.stream().mapToDouble(value).toArray()).orElseThrow();
    }

    private static String listed(java.util.stream.Stream<Integer> values) {
        return String.join(
                ", ", values.distinct().sorted().map(n -> Integer.toString(n)).toList());
    }

    private static String cell(OptionalDouble value, DoubleFunction<String> text) {
        return value.isPresent() ? text.apply(value.getAsDouble()) : "-";
    }
}
