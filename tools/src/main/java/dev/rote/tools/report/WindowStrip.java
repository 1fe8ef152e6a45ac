package dev.rote.tools.report;

import dev.rote.tools.report.Reading.Reached;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/// A run's life as one bar on a log axis that all runs share: before τ_gen, the window, after τ_mem.
final class WindowStrip {
    private static final int WIDTH = 120;
    private final Clock generation;
    private final Clock memorization;
    private final double from;
    private final double to;

    WindowStrip(List<RunCurves> runs, Clock generation, Clock memorization) {
        this.generation = generation;
        this.memorization = memorization;
        from = runs.stream().flatMapToDouble(this::times).min().orElse(1) / 2;
        to = Math.max(
                2 * from,
                runs.stream()
                        .flatMapToDouble(r -> DoubleStream.concat(times(r), DoubleStream.of(lastStep(r))))
                        .max()
                        .orElse(10));
    }

    /// The column's heading: what the colours mean, and the ends of the axis.
    String header() {
        return "<span class=\"key learning\">learning</span><span class=\"key window\">window</span>"
                + "<span class=\"key copying\">copying</span><small>τ from " + Digits.compact(from) + " to "
                + Digits.compact(to) + ", log</small>";
    }

    /// The bar of `run`, up to the last step it has done; a dash when neither time is known.
    String of(RunCurves run) {
        double gen = reached(run, generation);
        double mem = reached(run, memorization);
        double last = lastStep(run);
        if ((Double.isNaN(gen) && Double.isNaN(mem)) || !(last > from)) {
            return "–";
        }
        double copying = Double.isNaN(mem) ? last : Math.min(mem, last);
        double learned = Double.isNaN(gen) ? copying : Math.min(gen, copying);
        boolean closed = mem <= gen;
        String title = closed
                ? "no window: copying starts before " + generation.label()
                : Double.isNaN(mem)
                        ? "window still open at the last step"
                        : "window of a factor " + Digits.compact(mem / gen);
        return "<svg class=\"strip\" width=\"" + WIDTH + "\" height=\"14\" role=\"img\"><title>" + Markup.escape(title)
                + "</title>" + rect("learning", from, learned) + rect("window", learned, copying)
                + rect("copying", copying, last) + "</svg>";
    }

    private String rect(String kind, double a, double b) {
        double x = position(a);
        double width = position(b) - x;
        return width <= 0
                ? ""
                : String.format(
                        Locale.ROOT,
                        "<rect class=\"%s\" x=\"%.1f\" y=\"1\" width=\"%.1f\" height=\"12\"/>",
                        kind,
                        x,
                        width);
    }

    private double position(double tau) {
        return WIDTH * Math.clamp(Math.log(tau / from) / Math.log(to / from), 0, 1);
    }

    private DoubleStream times(RunCurves run) {
        return DoubleStream.of(reached(run, generation), reached(run, memorization))
                .filter(Double::isFinite);
    }

    private static double reached(RunCurves run, Clock clock) {
        return run.time(clock).orElse(null) instanceof Reached r ? r.value() : Double.NaN;
    }

    private static double lastStep(RunCurves run) {
        return run.curves().stream()
                .filter(c -> !c.points().isEmpty())
                .mapToDouble(c -> c.points().getLast().x())
                .reduce((double) run.status().step(), Math::max);
    }
}
