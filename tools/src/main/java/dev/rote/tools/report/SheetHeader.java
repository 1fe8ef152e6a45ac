package dev.rote.tools.report;

import java.util.Objects;

/// The line at the top of a picture sheet.
///
/// @param run the run's label
/// @param step optimizer updates done
/// @param memorizedFraction f_mem of all samples at this step as a share, NaN when not measured
public record SheetHeader(String run, long step, double memorizedFraction) {
    public SheetHeader {
        Objects.requireNonNull(run, "run");
    }

    String text() {
        String text = run + "   ·   step " + Digits.steps((double) step);
        return Double.isNaN(memorizedFraction) ? text : text + "   ·   f_mem = " + Digits.percent(memorizedFraction);
    }
}
