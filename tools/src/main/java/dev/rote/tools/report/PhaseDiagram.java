package dev.rote.tools.report;

import dev.rote.metrics.PhaseBoundary;
import java.util.List;
import java.util.Objects;

/// At which training set sizes n and parameter counts p runs copy, at several moments of training: Bonnaire et al.
/// 2025, Fig. 3, right.
///
/// @param where what is held fixed, empty when nothing needs saying
/// @param k distance ratio of the memorized fraction
/// @param threshold of the drawn lines
/// @param moments tau_gen of each width, growing in width
/// @param lines boundaries at the threshold, in order of the moments
/// @param strict the same at threshold zero
/// @param cells every (n, W) that was measured
public record PhaseDiagram(
        String where,
        double k,
        double threshold,
        List<Moment> moments,
        List<Line> lines,
        List<Line> strict,
        List<Cell> cells) {
    /// tau_gen of one width.
    ///
    /// @param width W
    /// @param parameters p, NaN when unknown
    /// @param tau in updates, NaN when unknown
    /// @param runs how many it is the geometric mean of; 0 when it is C / W with the C of all widths
    public record Moment(double width, double parameters, double tau, int runs) {}

    /// A boundary n(p) at one moment.
    ///
    /// @param label `3 τ_gen`
    /// @param multiple of tau_gen; infinite for the end of the runs
    /// @param edges by width
    public record Line(String label, double multiple, List<Edge> edges) {
        public Line {
            edges = List.copyOf(edges);
        }
    }

    /// One point of a boundary.
    ///
    /// @param tau the moment in updates; infinite for the last measurement of each run
    public record Edge(double width, double parameters, double tau, PhaseBoundary boundary) {}

    /// Runs of one size and width.
    ///
    /// @param last mean memorized fraction at their last measurements
    /// @param copies whether that is above the threshold
    public record Cell(double width, double parameters, double n, int runs, double last, boolean copies) {}

    public PhaseDiagram {
        Objects.requireNonNull(where, "where");
        moments = List.copyOf(moments);
        lines = List.copyOf(lines);
        strict = List.copyOf(strict);
        cells = List.copyOf(cells);
    }

    /// Whether the number of parameters is known everywhere; otherwise figures show the width.
    boolean hasParameters() {
        return cells.stream().noneMatch(cell -> Double.isNaN(cell.parameters()));
    }
}
