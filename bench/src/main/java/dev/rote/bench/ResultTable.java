package dev.rote.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/// The results as Markdown, between markers in a file whose other text is kept.
final class ResultTable {
    static final String BEGIN = "<!-- results: begin -->";
    static final String END = "<!-- results: end -->";

    private ResultTable() {}

    /// @param page the file as it was, or empty
    /// @param title of a new page
    /// @return the page with what stood between the markers replaced; with both added if they were missing
    static String replace(
            String page, String title, Map<String, String> facts, List<Outcome> outcomes, List<WrongAnswers> wrong) {
        String generated = BEGIN + "\n" + tables(facts, outcomes, wrong) + END;
        int begin = page.indexOf(BEGIN);
        int end = page.indexOf(END);
        if (begin < 0 || end < begin) {
            return (page.isEmpty() ? "# " + title + "\n\n" : page + "\n") + generated + "\n";
        }
        return page.substring(0, begin) + generated + page.substring(end + END.length());
    }

    private static String tables(Map<String, String> facts, List<Outcome> outcomes, List<WrongAnswers> wrong) {
        StringBuilder text = new StringBuilder("\n");
        facts.forEach((key, value) ->
                text.append("- ").append(key).append(": ").append(value).append('\n'));
        List<Outcome> whole = outcomes.stream()
                .filter(outcome -> outcome.operation().isEmpty())
                .toList();
        text.append("\n| operation | shape | type | ours, ms (p10-p90) | GFLOP/s | images/s | best peer, ms (p10-p90) ")
                .append("| peer, version, setting | peer / ours | of the roofline | certified at once |\n")
                .append("|---|---|---|---|---|---|---|---|---|---|---|\n");
        whole.forEach(outcome -> text.append(row(outcome)));
        text.append(RunsTogether.table(whole)).append(MemorizationCost.text(whole));
        if (whole.size() < outcomes.size()) {
            text.append("\nOperations of a step, by the time that they take of it:\n")
                    .append("\n| operation | shape | type | times | ours, ms (p10-p90) | all, ms | GFLOP/s | GB/s ")
                    .append("| of the roofline | best peer, ms (p10-p90) | peer, version, setting | peer / ours |\n")
                    .append("|---|---|---|---|---|---|---|---|---|---|---|---|\n");
            outcomes.forEach(
                    outcome -> outcome.operation().ifPresent(operation -> text.append(row(outcome, operation))));
        }
        if (!wrong.isEmpty()) {
            text.append(
                            "\nQueries that peers answer wrongly, on references with normal noise; truth by differences in f64:\n")
                    .append("\n| peer's way | shape | type | noise | nearest | second | distance by over 1/1000 ")
                    .append("| worst distance by |\n|---|---|---|---|---|---|---|---|\n");
            wrong.forEach(answers -> text.append(answers.row()));
        }
        return text.append('\n').toString();
    }

    private static String row(Outcome outcome) {
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %s | %s | %s | %s | %s |%n",
                outcome.timed().benchmark(),
                outcome.timed().shape(),
                outcome.timed().type(),
                outcome.timing().text(),
                outcome.flops() == 0 ? "-" : String.format(Locale.ROOT, "%.1f", outcome.gflops()),
                String.format(Locale.ROOT, "%.0f", outcome.itemsPerSecond()),
                peer(outcome),
                percent(outcome.roofline(), "%.0f %%"),
                percent(outcome.certified(), "%.2f %%"));
    }

    private static String percent(OptionalDouble share, String format) {
        return share.isPresent() ? String.format(Locale.ROOT, format, 100 * share.getAsDouble()) : "-";
    }

    private static String row(Outcome outcome, OperationResult operation) {
        double ms = outcome.timing().medianMs();
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %d | %s | %.3f | %.0f | %.0f | %.0f %% | %s |%n",
                outcome.timed().benchmark(),
                outcome.timed().shape(),
                outcome.timed().type(),
                operation.count(),
                outcome.timing().text(),
                operation.stepMs(),
                outcome.gflops(),
                operation.bytes() / ms * 1e-6,
                100 * operation.floorMs() / ms,
                peer(outcome));
    }

    /// Three columns: time, name and setting, ratio.
    private static String peer(Outcome outcome) {
        return outcome.best()
                .map(peer -> String.format(
                        Locale.ROOT,
                        "%s | %s %s, %s | %.2f",
                        peer.timing().text(),
                        peer.name(),
                        peer.version(),
                        peer.setting(),
                        peer.timing().medianMs() / outcome.timing().medianMs()))
                .orElse("- | - | -");
    }
}
