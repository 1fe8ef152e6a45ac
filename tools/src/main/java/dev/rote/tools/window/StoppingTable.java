package dev.rote.tools.window;

import dev.rote.metrics.GenerationForecast;
import dev.rote.metrics.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;

/// Judgements of rules as Markdown. No table where nothing was judged.
final class StoppingTable {
    private StoppingTable() {}

    static List<String> rules(List<Judgement> judgements) {
        if (judgements.stream().allMatch(j -> j.runs() == 0)) {
            return List.of();
        }
        List<String> lines = new ArrayList<>();
        lines.add("| rule | runs | inside the window (Wilson 95 %) | too early | too late | not stopped"
                + " | FD over the best | copies | kept / tau_mem | trained / tau_mem |");
        lines.add("|---|---|---|---|---|---|---|---|---|---|");
        for (Judgement j : judgements) {
            lines.add(format(
                    "| %s | %s | %s | %s | %s | %s |",
                    j.rule(),
                    counts(j),
                    cell(j.loss(), value -> format("%+.0f %%", 100 * value)),
                    cell(j.copies(), value -> format("%.2f %%", 100 * value)),
                    cell(j.position(), value -> format("%.2f", value)),
                    cell(j.overshoot(), value -> format("%.2f", value))));
        }
        return lines;
    }

    /// One rule, part by part.
    static List<String> parts(List<Grouping.Part> parts) {
        if (parts.isEmpty()) {
            return List.of();
        }
        List<String> lines = new ArrayList<>();
        lines.add("| runs by | value | runs | inside the window (Wilson 95 %) | too early | too late | not stopped"
                + " | inside, of windows wider than a factor of " + GenerationForecast.OPEN + " |");
        lines.add("|---|---|---|---|---|---|---|---|");
        for (Grouping.Part part : parts) {
            Judgement open = part.open();
            lines.add(format(
                    "| %s | %s | %s | %s |",
                    part.by(),
                    part.value(),
                    counts(part.all()),
                    open.runs() == 0 ? "-" : open.inside().hits() + " of " + open.runs()));
        }
        return lines;
    }

    private static String counts(Judgement j) {
        Interval inside = j.inside().wilson();
        return format(
                "%d | %.0f %% (%.0f to %.0f) | %d | %d | %d",
                j.runs(),
                100 * inside.value(),
                100 * inside.low(),
                100 * inside.high(),
                j.early(),
                j.late(),
                j.unstopped());
    }

    private static String cell(OptionalDouble value, DoubleFunction<String> text) {
        return value.isPresent() ? text.apply(value.getAsDouble()) : "-";
    }

    private static String format(String text, Object... values) {
        return String.format(Locale.ROOT, text, values);
    }
}
