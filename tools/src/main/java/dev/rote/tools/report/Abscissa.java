package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Axis;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/// What a curve is drawn against: its step divided by something.
///
/// @param suffix of file names
/// @param words in titles
/// @param divisor by run; a run without a positive one is left out
record Abscissa(String suffix, String words, Axis axis, ToDoubleFunction<RunCurves> divisor) {
    private static final String WIDTH = "model.width";

    static final Abscissa TAU =
            new Abscissa("", "τ", new Axis("training step τ (optimizer updates)", true, false), run -> 1);
    static final Abscissa OVER_N = new Abscissa(
            "_over_n", "τ/n", new Axis("τ / n (optimizer updates per training image)", true, false), RunCurves::n);
    static final Abscissa W = new Abscissa(
            "_w",
            "W τ",
            new Axis("W τ (width times optimizer updates)", true, false),
            run -> 1 / width(run).orElse(Double.NaN));
    static final Abscissa W_OVER_N = new Abscissa(
            "_w_over_n",
            "W τ/n",
            new Axis("W τ / n (width times optimizer updates per training image)", true, false),
            run -> run.n() / width(run).orElse(Double.NaN));

    /// Whether the runs have different widths.
    static boolean variesWidth(List<RunCurves> runs) {
        return runs.stream()
                        .map(Abscissa::width)
                        .flatMap(Optional::stream)
                        .distinct()
                        .count()
                > 1;
    }

    /// The run's grid value of the width; empty when the study does not vary it.
    static Optional<Double> width(RunCurves run) {
        try {
            return Optional.ofNullable(run.keys().get(WIDTH)).map(Double::valueOf);
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}
