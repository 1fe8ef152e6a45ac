package dev.rote.tools.cli;

import dev.rote.measure.Measurement;
import dev.rote.measure.RunListener;
import dev.rote.measure.StopRule;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/// Shows a run's progress: a bar that is drawn over on a terminal; elsewhere a line every 5 seconds, every 10 % and
/// for every measurement.
///
/// The time left is that of what is done since the start, measurements included, times what is left.
public final class ProgressListener implements RunListener, AutoCloseable {
    private static final long LINE_NANOS = 5_000_000_000L;

    private final Console console;
    private final int steps;
    private final LongSupplier nanoTime;
    private final Optional<ProgressBar> bar;
    private final long started;
    private int first;
    private volatile int step;
    private long said;
    private int tenths;

    /// @param name of the run
    /// @param steps optimizer updates of the whole run
    public ProgressListener(Console console, String name, int steps) {
        this(console, name, steps, System::nanoTime);
    }

    ProgressListener(Console console, String name, int steps, LongSupplier nanoTime) {
        this.console = console;
        this.steps = steps;
        this.nanoTime = nanoTime;
        this.started = nanoTime.getAsLong();
        this.said = started;
        this.bar = console.terminal() ? Optional.of(bar(name)) : Optional.empty();
    }

    private ProgressBar bar(String name) {
        return new ProgressBarBuilder()
                .setTaskName(name)
                .setInitialMax(steps)
                .setUpdateIntervalMillis(200)
                .setEtaFunction(state -> secondsLeft().map(seconds -> Duration.ofSeconds(Math.round(seconds))))
                .setConsumer(new ConsoleProgressBarConsumer(console.err()))
                .build();
    }

    @Override
    public void onResume(int step, Path checkpoint) {
        first = step;
        at(step);
        tenths = tenth();
        bar.ifPresentOrElse(drawn -> drawn.setExtraMessage("resumed at step " + step), () -> console.err()
                .println("resumed at step " + step + " from " + checkpoint));
    }

    @Override
    public void onOtherDevice(String before, String now) {
        console.err().println(otherDevice(before, now));
    }

    /// One sentence on what a change of the device means for the numbers.
    public static String otherDevice(String before, String now) {
        return "resumes on \"" + now + "\" what ran on \"" + before
                + "\": its numbers will differ in their last bits, which training amplifies, from those of a run"
                + " without the change";
    }

    @Override
    public void onLosses(int step, float[] losses, double imagesPerSecond) {
        at(step);
        double sum = 0;
        for (float loss : losses) {
            sum += loss;
        }
        String text = "loss " + Units.three(sum / Math.max(1, losses.length)) + ", " + Units.three(imagesPerSecond)
                + " images/s";
        if (bar.isPresent()) {
            bar.get().setExtraMessage(text);
        } else if (isDue()) {
            say(text
                    + secondsLeft()
                            .map(left -> ", " + Units.time(left) + " left")
                            .orElse(""));
        }
    }

    @Override
    public void onMeasuring(int step, int done, int total) {
        at(step);
        String text = "measuring, " + done + " of " + total;
        if (bar.isPresent()) {
            bar.get().setExtraMessage(text);
        } else if (isDue()) {
            say(text);
        }
    }

    @Override
    public void onMeasurement(Measurement measurement) {
        at(measurement.step());
        StringBuilder text = new StringBuilder("measured");
        if (!measurement.memorized().isEmpty()) {
            var headline = measurement.memorized().getFirst();
            text.append(String.format(
                    Locale.ROOT, ", memorized %d of %d samples", headline.memorized(), headline.samples()));
        }
        measurement.frechet().ifPresent(distance -> text.append(", Fréchet distance ")
                .append(Units.three(distance.value())));
        bar.ifPresentOrElse(drawn -> drawn.setExtraMessage(text.toString()), () -> say(text.toString()));
    }

    @Override
    public void onCheck(StopRule.Check check, StopRule.Decision decision) {
        at(check.step());
        StringBuilder text = new StringBuilder("checked");
        check.gap().ifPresent(gap -> text.append(String.format(Locale.ROOT, ", loss gap %.1f %%", 100 * gap)));
        check.copies()
                .ifPresent(copies -> text.append(", " + copies + " copies among " + check.samples() + " samples"));
        decision.onset().ifPresent(onset -> text.append(", tau_mem about ")
                .append(Units.three(onset.value()))
                .append(String.format(Locale.ROOT, ", passed with %.0f %%", 100 * decision.passed())));
        bar.ifPresentOrElse(drawn -> drawn.setExtraMessage(text.toString()), () -> {
            if (isDue() || decision.stop()) {
                say(text.toString());
            }
        });
    }

    @Override
    public void onCheckpoint(int step, Path path) {
        at(step);
    }

    /// Ends the bar, if there is one.
    @Override
    public void close() {
        bar.ifPresent(ProgressBar::close);
    }

    private void at(int now) {
        step = now;
        bar.ifPresent(drawn -> drawn.stepTo(now));
    }

    private Optional<Double> secondsLeft() {
        int done = step - first;
        double elapsed = (nanoTime.getAsLong() - started) * 1e-9;
        return done <= 0 || step >= steps ? Optional.empty() : Optional.of(elapsed / done * (steps - step));
    }

    private int tenth() {
        return (int) (10L * step / Math.max(1, steps));
    }

    private boolean isDue() {
        return tenth() > tenths || nanoTime.getAsLong() - said >= LINE_NANOS;
    }

    private void say(String text) {
        tenths = Math.max(tenths, tenth());
        said = nanoTime.getAsLong();
        console.err()
                .println("step " + step + " of " + steps + " (" + 100L * step / Math.max(1, steps) + " %): " + text);
    }
}
