package dev.rote.tools.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// What the page of an audit shows; all text and numbers are final.
///
/// @param title what was audited
/// @param provenance what made the numbers
/// @param verdict one sentence
/// @param facts further sentences
/// @param warnings sentences that a reader must see before the numbers
/// @param tables of scores
/// @param histograms of distances
/// @param sheets of pictures
/// @param setup name to value, in its order
public record AuditReport(
        String title,
        Provenance provenance,
        String verdict,
        List<String> facts,
        List<String> warnings,
        List<Table> tables,
        List<Bars> histograms,
        List<Sheet> sheets,
        Map<String, String> setup) {
    public AuditReport {
        Objects.requireNonNull(title, "title");
        Objects.requireNonNull(provenance, "provenance");
        Objects.requireNonNull(verdict, "verdict");
        facts = List.copyOf(facts);
        warnings = List.copyOf(warnings);
        tables = List.copyOf(tables);
        histograms = List.copyOf(histograms);
        sheets = List.copyOf(sheets);
        setup = Collections.unmodifiableMap(new LinkedHashMap<>(setup));
    }

    /// A table; the first column is text, the others numbers.
    ///
    /// @param note below it, may be empty
    public record Table(String title, String note, List<String> head, List<List<String>> rows) {
        public Table {
            head = List.copyOf(head);
            rows = List.copyOf(rows);
        }
    }

    /// Shares by bins of equal width, of samples and of held-out images.
    ///
    /// @param low lower end of the first bin
    /// @param width of a bin
    /// @param samples shares of the samples
    /// @param heldOut shares of held-out images; empty if there are none
    /// @param mark a position on the axis with `markLabel`; NaN for none
    public record Bars(
            String title,
            String note,
            String axis,
            double low,
            double width,
            List<Double> samples,
            List<Double> heldOut,
            double mark,
            String markLabel) {
        public Bars {
            samples = List.copyOf(samples);
            heldOut = List.copyOf(heldOut);
        }
    }
}
