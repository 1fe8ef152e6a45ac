package dev.rote.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The results as Markdown, between markers in a file whose other text is kept.
final class ResultTable {
    static final String BEGIN = "<!-- results: begin -->";
    static final String END = "<!-- results: end -->";

    private ResultTable() {}

    /// @param page the file as it was, or empty
    /// @return the page with what stood between the markers replaced; with both added if they were missing
    static String replace(String page, Map<String, String> facts, List<Outcome> outcomes) {
        String generated = BEGIN + "\n" + table(facts, outcomes) + END;
        int begin = page.indexOf(BEGIN);
        int end = page.indexOf(END);
        if (begin < 0 || end < begin) {
            return (page.isEmpty() ? "# CPU results\n\n" : page + "\n") + generated + "\n";
        }
        return page.substring(0, begin) + generated + page.substring(end + END.length());
    }

    private static String table(Map<String, String> facts, List<Outcome> outcomes) {
        StringBuilder text = new StringBuilder("\n");
        facts.forEach((key, value) ->
                text.append("- ").append(key).append(": ").append(value).append('\n'));
        text.append("\n| operation | shape | type | ours, ms (p10-p90) | GFLOP/s | images/s | best peer, ms (p10-p90) ")
                .append("| peer, version, setting | peer / ours |\n|---|---|---|---|---|---|---|---|---|\n");
        outcomes.forEach(outcome -> text.append(row(outcome)));
        return text.append('\n').toString();
    }

    private static String row(Outcome outcome) {
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %.1f | %.0f | %s | %s | %s |%n",
                outcome.timed().benchmark(),
                outcome.timed().shape(),
                outcome.timed().type(),
                times(outcome.timing()),
                outcome.gflops(),
                outcome.itemsPerSecond(),
                outcome.best().map(peer -> times(peer.timing())).orElse("-"),
                outcome.best()
                        .map(peer -> peer.name() + " " + peer.version() + ", " + peer.setting())
                        .orElse("-"),
                outcome.ratio()
                        .map(ratio -> String.format(Locale.ROOT, "%.2f", ratio))
                        .orElse("-"));
    }

    private static String times(Timing timing) {
        return String.format(Locale.ROOT, "%.1f (%.1f-%.1f)", timing.medianMs(), timing.p10Ms(), timing.p90Ms());
    }
}
