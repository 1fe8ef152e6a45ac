package dev.rote.tools.report;

import java.util.List;
import java.util.Objects;

/// A study beside the paper that it repeats: Bonnaire et al. 2025, arXiv:2505.17638.
///
/// @param differences how the settings differ from the paper's, one short phrase each; empty when they correspond
/// @param remarks what the paper itself leaves open about them
/// @param rows one per claim
/// @param figures the paper's figures that the study has runs for
public record PaperComparison(List<String> differences, List<String> remarks, List<Row> rows, List<Figure> figures) {
    /// What came of a claim.
    public enum Outcome {
        YES("yes"),
        NO("no"),
        /// The interval is too wide to say.
        OPEN("undecided"),
        NOT_COMPARABLE("not comparable"),
        NOT_MEASURED("not measured");

        private final String word;

        Outcome(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }
    }

    /// One claim of the paper.
    ///
    /// @param figure where it stands, `Fig. 2 left`
    /// @param claim in a few words
    /// @param paper the paper's number or statement
    /// @param ours this study's, empty when there is none
    /// @param band what counts as agreement
    /// @param note what a reader must know beside it, may be empty
    public record Row(
            String figure, String claim, String paper, String ours, String band, Outcome outcome, String note) {
        public Row {
            Objects.requireNonNull(outcome, "outcome");
        }
    }

    /// A figure of the paper made from some of the study's runs.
    ///
    /// @param id `fig2`, part of file names
    /// @param title `Figure 2`
    /// @param runs names of the runs that are drawn
    /// @param widths whether it is about widths, so that W tau and W tau / n are drawn too
    public record Figure(String id, String title, List<String> runs, boolean widths) {
        public Figure {
            runs = List.copyOf(runs);
        }
    }

    public PaperComparison {
        differences = List.copyOf(differences);
        remarks = List.copyOf(remarks);
        rows = List.copyOf(rows);
        figures = List.copyOf(figures);
    }
}
