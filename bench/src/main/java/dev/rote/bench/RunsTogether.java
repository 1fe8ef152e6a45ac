package dev.rote.bench;

import java.util.List;
import java.util.Locale;

/// Steps per second of small runs that share a GPU, beside the peer's runs one after another, as Markdown.
final class RunsTogether {
    private RunsTogether() {}

    /// A line for each case of [CudaSweepBench]; empty without one.
    static String table(List<Outcome> outcomes) {
        StringBuilder rows = new StringBuilder();
        for (Outcome outcome : outcomes) {
            int runs = CudaSweepBench.runs(outcome.timed());
            if (runs > 0) {
                rows.append(row(outcome, runs));
            }
        }
        return rows.isEmpty()
                ? ""
                : "\nRuns at once on one GPU, steps of all of them per second:\n"
                        + "\n| runs | type | ours at once, steps/s | peer one after another, steps/s | peer | ours / peer"
                        + " |\n|---|---|---|---|---|---|\n" + rows;
    }

    private static String row(Outcome outcome, int runs) {
        String peer = outcome.best()
                .map(best -> String.format(
                        Locale.ROOT,
                        "%.0f | %s %s, %s | %.2f",
                        perSecond(runs, best.timing()),
                        best.name(),
                        best.version(),
                        best.setting(),
                        best.timing().medianMs() / outcome.timing().medianMs()))
                .orElse("- | - | -");
        return String.format(
                Locale.ROOT,
                "| %s | %s | %.0f | %s |%n",
                outcome.timed().shape(),
                outcome.timed().type(),
                perSecond(runs, outcome.timing()),
                peer);
    }

    private static double perSecond(int runs, Timing timing) {
        return 1e3 * runs / timing.medianMs();
    }
}
