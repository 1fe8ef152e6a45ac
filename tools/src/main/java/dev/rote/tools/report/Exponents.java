package dev.rote.tools.report;

import java.util.List;
import java.util.Objects;

/// A power law of one clock in all axes of the study at once, with runs that did not reach the event as bounds.
///
/// @param clock which time
/// @param where what is held fixed, empty when nothing needs saying
/// @param terms one per axis; empty when the known times do not decide them
/// @param prefactor in updates, NaN without terms
/// @param known runs whose time is known
/// @param bounded runs of which only a bound is known
public record Exponents(Clock clock, String where, List<Term> terms, double prefactor, int known, int bounded) {
    /// One exponent with 95 % intervals; an end is NaN when there is none.
    ///
    /// @param variable `n` or `W`
    /// @param low of the regression
    /// @param high of the regression
    /// @param drawnLow when runs are drawn again
    /// @param drawnHigh when runs are drawn again
    public record Term(String variable, double value, double low, double high, double drawnLow, double drawnHigh) {
        /// `1.04 [0.97, 1.11]`
        public String text() {
            return Digits.twoDecimals(value)
                    + (Double.isFinite(low) && Double.isFinite(high)
                            ? " [" + Digits.twoDecimals(low) + ", " + Digits.twoDecimals(high) + "]"
                            : "");
        }
    }

    public Exponents {
        Objects.requireNonNull(clock, "clock");
        Objects.requireNonNull(where, "where");
        terms = List.copyOf(terms);
    }
}
