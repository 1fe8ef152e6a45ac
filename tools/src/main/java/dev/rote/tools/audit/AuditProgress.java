package dev.rote.tools.audit;

import dev.rote.tools.cli.Console;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/// Shows how far the searches are: a bar on a terminal, elsewhere a line for each part, with the time, and every tenth.
final class AuditProgress implements AutoCloseable {
    private final Console console;
    private final long total;
    private final Optional<ProgressBar> bar;
    private final long begun;
    private long done;
    private long tenths;

    /// @param total images to search neighbours for
    /// @param begun when the command began, by [System#nanoTime]
    AuditProgress(Console console, long total, long begun) {
        this.console = console;
        this.total = total;
        this.begun = begun;
        this.bar = console.terminal()
                ? Optional.of(new ProgressBarBuilder()
                        .setTaskName("audit")
                        .setInitialMax(total)
                        .setUpdateIntervalMillis(200)
                        .setConsumer(new ConsoleProgressBarConsumer(console.err()))
                        .build())
                : Optional.empty();
    }

    /// A new part of the work begins.
    void part(String name) {
        bar.ifPresentOrElse(drawn -> drawn.setExtraMessage(name), () -> console.err()
                .println(String.format(Locale.ROOT, "%s (after %.2f s)", name, (System.nanoTime() - begun) * 1e-9)));
    }

    /// Neighbours of `images` more have been found.
    void searched(int images) {
        done += images;
        bar.ifPresent(drawn -> drawn.stepTo(done));
        long tenth = 10 * done / Math.max(1, total);
        if (bar.isEmpty() && tenth > tenths) {
            tenths = tenth;
            console.err().println("searched " + done + " of " + total + " images (" + 10 * tenth + " %)");
        }
    }

    @Override
    public void close() {
        bar.ifPresent(ProgressBar::close);
    }
}
