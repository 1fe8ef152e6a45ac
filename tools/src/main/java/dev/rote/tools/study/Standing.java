package dev.rote.tools.study;

import dev.rote.tools.report.PaperComparison.Outcome;

/// Whether a constant of the paper may be held against ours.
///
/// @param obstacle why it may not, in a few words; empty if it may
record Standing(String obstacle) {
    Outcome outcome(boolean good) {
        return obstacle.isEmpty() ? PaperReadings.outcome(good) : Outcome.NOT_COMPARABLE;
    }

    /// The note of a row, with the obstacle.
    String note(String text) {
        return obstacle.isEmpty() ? text : text + "; not comparable: " + obstacle;
    }
}
