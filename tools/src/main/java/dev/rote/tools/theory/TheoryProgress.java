package dev.rote.tools.theory;

import dev.rote.tools.cli.Console;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/// Shows how far a computation is: a bar on a terminal, elsewhere a line for each part.
final class TheoryProgress implements AutoCloseable {
    private final Console console;
    private final long total;
    private final Optional<ProgressBar> bar;
    private long done;

    /// @param total parts of the work
    TheoryProgress(Console console, long total) {
        this.console = console;
        this.total = total;
        this.bar = console.terminal()
                ? Optional.of(new ProgressBarBuilder()
                        .setTaskName("theory")
                        .setInitialMax(total)
                        .setUpdateIntervalMillis(200)
                        .setConsumer(new ConsoleProgressBarConsumer(console.err()))
                        .build())
                : Optional.empty();
    }

    /// A part begins.
    ///
    /// @throws InterruptedException if the calling thread has been interrupted
    void begin(String part) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("cancelled");
        }
        bar.ifPresentOrElse(drawn -> drawn.setExtraMessage(part), () -> console.err()
                .println("[" + (done + 1) + "/" + total + "] " + part));
    }

    /// The part that began has ended.
    void end() {
        done++;
        bar.ifPresent(drawn -> drawn.stepTo(done));
    }

    @Override
    public void close() {
        bar.ifPresent(ProgressBar::close);
    }
}
