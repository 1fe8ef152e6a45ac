package dev.rote.tools.report;

import java.util.List;
import java.util.Objects;

/// Everything that the report of one study shows. All numbers are final; a study that is still running simply has
/// shorter curves, fewer fits and runs whose [RunStatus] says so.
///
/// @param name the study's name, free text
/// @param description one paragraph, may be empty
/// @param provenance what made the numbers
/// @param configuration the study file as TOML text
/// @param runs in the order in which they are listed
/// @param findings what was found over several runs
/// @param sheets picture sheets, may be empty
/// @param warnings sentences that a reader must see before the numbers
public record StudyReport(
        String name,
        String description,
        Provenance provenance,
        String configuration,
        List<RunCurves> runs,
        Findings findings,
        List<Sheet> sheets,
        List<String> warnings) {
    public StudyReport {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(description, "description");
        Objects.requireNonNull(provenance, "provenance");
        Objects.requireNonNull(configuration, "configuration");
        runs = List.copyOf(runs);
        Objects.requireNonNull(findings, "findings");
        sheets = List.copyOf(sheets);
        warnings = List.copyOf(warnings);
    }

    List<ScalingFit> fits() {
        return findings.fits();
    }

    /// The clock after which samples are good: tau_gen, or the fall of `kl` where that is what was measured.
    Clock generation() {
        List<Clock> clocks = runs.stream()
                .flatMap(run -> run.times().stream())
                .map(TimeScale::clock)
                .toList();
        return clocks.stream()
                .filter(clock -> clock instanceof Clock.TauKl && !clocks.contains(Verdict.TAU_GEN))
                .findFirst()
                .orElse(Verdict.TAU_GEN);
    }

    Headline headline() {
        return findings.headline();
    }
}
