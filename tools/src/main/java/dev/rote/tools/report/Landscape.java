package dev.rote.tools.report;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// What the runs of a study say over more than one axis, and beside a paper.
///
/// @param phases one per setting in which both n and the width vary
/// @param exponents power laws in n and W, per clock and setting
/// @param collapses scores of collapses, per setting
/// @param ratios times of one setting over those of the first
/// @param paper the comparison that `analysis.paper` asks for
public record Landscape(
        List<PhaseDiagram> phases,
        List<Exponents> exponents,
        List<CollapseTest> collapses,
        List<TimeRatio> ratios,
        Optional<PaperComparison> paper) {
    /// A study with one axis and no paper.
    public static final Landscape NONE = new Landscape(List.of(), List.of(), List.of(), List.of(), Optional.empty());

    public Landscape {
        phases = List.copyOf(phases);
        exponents = List.copyOf(exponents);
        collapses = List.copyOf(collapses);
        ratios = List.copyOf(ratios);
        Objects.requireNonNull(paper, "paper");
    }

    boolean isEmpty() {
        return phases.isEmpty() && exponents.isEmpty() && collapses.isEmpty() && ratios.isEmpty() && paper.isEmpty();
    }
}
