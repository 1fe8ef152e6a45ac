package dev.rote.tools.report;

import java.util.List;
import java.util.Objects;

/// What the page of a theory computation shows; all text and numbers are final.
///
/// @param name what was computed
/// @param description one sentence, or empty
/// @param verdict one sentence
/// @param facts further sentences
/// @param warnings sentences that a reader must see before the numbers
/// @param tables of numbers
/// @param plots figures with axes
/// @param pictures PNG files that are shown as they are
/// @param configuration the file that repeats it
public record TheoryReport(
        String name,
        String description,
        Provenance provenance,
        String verdict,
        List<String> facts,
        List<String> warnings,
        List<AuditReport.Table> tables,
        List<Plot> plots,
        List<Sheet> pictures,
        String configuration) {
    public TheoryReport {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(provenance, "provenance");
        Objects.requireNonNull(verdict, "verdict");
        facts = List.copyOf(facts);
        warnings = List.copyOf(warnings);
        tables = List.copyOf(tables);
        plots = List.copyOf(plots);
        pictures = List.copyOf(pictures);
    }
}
