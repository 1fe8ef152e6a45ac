package dev.rote.tools.study;

import dev.rote.errors.DataException;
import dev.rote.measure.Measurement;
import dev.rote.metrics.MemorizedFraction;
import dev.rote.tools.cli.Console;
import dev.rote.tools.report.RunStatus;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Tells a person how a study goes: a line that is rewritten on a terminal, plain lines now and then elsewhere, and
/// one line per measurement worth telling.
public final class StudyProgress implements StudyRunner.Progress {
    private static final long PLAIN_EVERY_NANOS = 10_000_000_000L;
    private static final long LIVE_EVERY_NANOS = 200_000_000L;

    private final StudyFile study;
    private final PrintStream err;
    private final boolean live;
    private final Map<String, Long> steps = new HashMap<>();
    private final Map<String, Double> fractions = new HashMap<>();
    private final long total;
    private long begun;
    private long already = -1;
    private long shown;

    public StudyProgress(StudyFile study, Console console) {
        this.study = study;
        this.err = console.err();
        this.live = console.terminal();
        this.total = study.runs().stream()
                .mapToLong(run -> run.config().train().steps())
                .sum();
    }

    public synchronized void begin(int jobs, int threads, Path folder) {
        begun = System.nanoTime();
        err.printf(
                "study %s: %d runs, %d side by side with %d thread%s each, in %s%n",
                study.name(), study.runs().size(), jobs, threads, threads == 1 ? "" : "s", folder);
        for (Grid.Run run : study.runs()) {
            try {
                RunRecord record = RunRecord.read(folder.resolve("runs").resolve(run.name()));
                if (record.complete(run.config().train().steps())) {
                    steps.put(run.name(), (long) run.config().train().steps());
                }
            } catch (DataException e) {
                steps.put(run.name(), 0L); // the runner names it
            }
        }
    }

    @Override
    public synchronized void changed(Grid.Run run, RunStatus status, Optional<Measurement> measurement) {
        // A run that a rule has stopped leaves nothing to do.
        boolean over = status.state() == RunStatus.State.FINISHED;
        steps.put(run.name(), over ? run.config().train().steps() : status.step());
        if (already < 0) {
            already = done();
        }
        measurement.ifPresent(measured -> tell(run, measured));
        if (over) {
            line(run.name() + ": complete");
        } else if (status.state() == RunStatus.State.FAILED) {
            line(run.name() + ": failed: " + status.note());
        }
        show(false);
    }

    @Override
    public synchronized void detail(Grid.Run run, String text) {
        if (text.startsWith("resumes") || text.startsWith("images")) {
            line(run.name() + ": " + text);
        }
        show(false);
    }

    /// One line when the memorized fraction changed, or nothing is memorized but the model was measured.
    private void tell(Grid.Run run, Measurement measured) {
        if (measured.memorized().isEmpty()) {
            return;
        }
        MemorizedFraction headline = measured.memorized().getFirst();
        Double before = fractions.put(run.name(), headline.value());
        if (before == null || before != headline.value()) {
            line("%s: step %d: memorized %.1f %% of %d samples%s"
                    .formatted(
                            run.name(),
                            measured.step(),
                            100 * headline.value(),
                            measured.samples(),
                            measured.frechet().isPresent()
                                    ? ", Fréchet %.4g (%s)"
                                            .formatted(measured.frechet().get().value(), measured.features())
                                    : ""));
        }
    }

    private long done() {
        return steps.values().stream().mapToLong(Long::longValue).sum();
    }

    private void line(String text) {
        err.println((live ? "\r\u001b[K" : "") + text);
        if (live) {
            show(true);
        }
    }

    private void show(boolean now) {
        long at = System.nanoTime();
        if (!now && at - shown < (live ? LIVE_EVERY_NANOS : PLAIN_EVERY_NANOS)) {
            return;
        }
        shown = at;
        long done = done();
        double seconds = (at - begun) * 1e-9;
        double share = (double) done / total;
        double left = done > already ? seconds * (total - done) / (done - already) : Double.NaN;
        String text = String.format(
                Locale.ROOT,
                "%3.0f %%  %d of %d steps, %s gone, %s left",
                100 * share,
                done,
                total,
                clock(seconds),
                Double.isNaN(left) ? "?" : clock(left));
        if (live) {
            int filled = (int) (24 * share);
            err.print("\r\u001b[K[" + "#".repeat(filled) + ".".repeat(24 - filled) + "] " + text);
            err.flush();
        } else {
            err.println(text);
        }
    }

    private static String clock(double seconds) {
        long whole = Math.round(seconds);
        return whole >= 3600
                ? String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
                : String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60);
    }

    public synchronized void end() {
        show(true);
        if (live) {
            err.println();
        }
    }
}
