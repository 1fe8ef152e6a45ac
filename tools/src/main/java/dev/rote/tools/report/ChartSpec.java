package dev.rote.tools.report;

import java.util.List;

/// One figure, before any drawing library has seen it: [Figures] and [HtmlReport] draw the same specifications, so
/// screen and paper cannot differ.
///
/// @param id file name without ending, unique in a report
/// @param panel figures of one panel are shown as tabs of one frame
/// @param tab the tab's label
/// @param title over the figure
/// @param note what a reader must know to read it, plain text
/// @param series in drawing order
/// @param rules horizontal lines
record ChartSpec(
        String id,
        Panel panel,
        String tab,
        String title,
        String note,
        Axis x,
        Axis y,
        List<Series> series,
        List<Rule> rules) {
    /// The frames of the report, in their order on the page.
    enum Panel {
        TRAINING_LOSS("training-loss", "Loss curves and sample quality"),
        LOSS_AT("loss-at", "Loss curves and sample quality"),
        LOSS_OVER_N("loss-over-n", "Loss curves and sample quality"),
        LOSS_GAP("loss-gap", "Loss curves and sample quality"),
        FRECHET("frechet", "Loss curves and sample quality"),
        FRECHET_OVER_N("frechet-over-n", "Loss curves and sample quality"),
        METRIC("metric", "Loss curves and sample quality"),
        MEMORIZED("memorized", "Memorization"),
        COLLAPSE("collapse", "Memorization"),
        WIDTH_FRECHET("width-frechet", "Collapse over the width"),
        WIDTH_LOSS("width-loss", "Collapse over the width"),
        WIDTH_MEMORIZED("width-memorized", "Collapse over the width"),
        FIT("fit", "Scaling"),
        THEORY("theory", "Figures"),
        FIG2("fig2", "The figures of the paper"),
        FIG3("fig3", "The figures of the paper"),
        FIG7_FULL_BATCH("fig7-full-batch", "The figures of the paper"),
        FIG7_ADAM("fig7-adam", "The figures of the paper"),
        PHASE("phase", "Phase diagram");

        private final String id;
        private final String section;

        Panel(String id, String section) {
            this.id = id;
            this.section = section;
        }

        String id() {
            return id;
        }

        String section() {
            return section;
        }

        /// Whether its series are no runs, or not in the runs' colours, so that the figure needs a legend of its own.
        boolean hasLegend() {
            return compareTo(FIT) >= 0;
        }
    }

    /// @param percent values are shares in [0, 1] and are written as percentages
    /// @param ticks where to put labels; empty lets the drawing choose
    record Axis(String label, boolean log, boolean percent, List<Double> ticks) {
        Axis(String label, boolean log, boolean percent) {
            this(label, log, percent, List.of());
        }
    }

    /// How a series is drawn.
    enum Role {
        /// Line, markers, and a band or error bars where points have intervals.
        CURVE,
        /// Line only, thin: the companion of a curve of the same run.
        COMPANION,
        /// Markers with error bars, no line.
        POINTS,
        /// Open triangles: lower bounds.
        BOUNDS,
        /// Open triangles upside down: upper bounds.
        UPPER_BOUNDS,
        /// Line only, without markers; a band where points have intervals.
        FIT
    }

    /// @param run index of the run that owns it, -1 when several do
    record Series(String label, int run, Ink ink, Role role, List<Point> points) {}

    /// A horizontal line over the full width.
    ///
    /// @param run index of the run that owns it, -1 when it belongs to the figure
    record Rule(double y, String label, int run, Ink ink) {}

    /// Whether the legend names a series. Triangles are explained once for all where a line or points in the same ink
    /// are named; in the phase diagram, whose lines may consist of nothing else, they are named themselves.
    boolean isListed(Series series) {
        return switch (series.role()) {
            case CURVE, POINTS, FIT -> true;
            case COMPANION -> false;
            case BOUNDS, UPPER_BOUNDS ->
                panel == Panel.PHASE
                        || this.series.stream()
                                .filter(other -> other.role() != Role.BOUNDS && other.role() != Role.UPPER_BOUNDS)
                                .noneMatch(other -> other.ink().equals(series.ink()));
        };
    }

    boolean isEmpty() {
        return series.stream().noneMatch(s -> s.points().stream().anyMatch(Point::isDrawable));
    }
}
