package dev.rote.tools.report;

/// How well the memorized fractions of all runs fall on one curve when their steps are divided by something.
///
/// @param k distance ratio of the memorized fraction
/// @param variable what the steps are divided by: `n` or `n/W`
/// @param raw factor within which the runs' crossing times of one level agree as they are
/// @param collapsed the same after the division
/// @param bestExponent the power of the variable that collapses best
/// @param best the factor after the division by that power
/// @param crossings how many crossing times entered
public record Collapse(
        double k, String variable, double raw, double collapsed, double bestExponent, double best, int crossings) {
    /// One sentence for a figure's note.
    String sentence() {
        return "crossing times of one level agree within a factor " + Digits.compact(collapsed) + " when divided by "
                + variable + " (" + Digits.compact(raw) + " undivided); the power that collapses best is "
                + Digits.twoDecimals(bestExponent) + " (factor " + Digits.compact(best) + ", " + crossings
                + " crossings).";
    }
}
