package dev.rote.tools.report;

import java.util.List;
import java.util.Objects;

/// What the analysis found over the runs of a study.
///
/// @param headline which numbers lead
/// @param seeds times over the seeds of one setting, may be empty
/// @param fits power laws over the runs, may be empty
/// @param collapses scores of the collapsed curves, may be empty
/// @param landscape what is seen over several axes and beside a paper
public record Findings(
        Headline headline,
        List<OverSeeds> seeds,
        List<ScalingFit> fits,
        List<Collapse> collapses,
        Landscape landscape) {
    /// Without anything over several axes.
    public Findings(Headline headline, List<OverSeeds> seeds, List<ScalingFit> fits, List<Collapse> collapses) {
        this(headline, seeds, fits, collapses, Landscape.NONE);
    }

    public Findings {
        Objects.requireNonNull(landscape, "landscape");
        Objects.requireNonNull(headline, "headline");
        seeds = List.copyOf(seeds);
        fits = List.copyOf(fits);
        collapses = List.copyOf(collapses);
    }

    /// The paper's headline, and fits only.
    public static Findings of(List<ScalingFit> fits) {
        return new Findings(Headline.PAPER, List.of(), fits, List.of());
    }
}
