package dev.rote.tools.report;

import java.util.List;
import java.util.Objects;

/// How much sooner or later a time comes in one setting than in another, over runs that agree in n, W and seed.
///
/// @param clock which time
/// @param setting the setting above the line, such as `train.optimizer = adam`
/// @param reference the one below
/// @param pairs by run; those of which a time is not known are left out
/// @param leftOut how many pairs were left out
/// @param value geometric mean of the ratios, NaN without pairs
/// @param low lower end of its 95 % interval (Student's t over log ratios), NaN when there is none
/// @param high upper end
public record TimeRatio(
        Clock clock,
        String setting,
        String reference,
        List<Pair> pairs,
        int leftOut,
        double value,
        double low,
        double high) {
    /// @param n training set size
    /// @param run of the setting
    public record Pair(double n, String run, double ratio) {}

    public TimeRatio {
        Objects.requireNonNull(clock, "clock");
        pairs = List.copyOf(pairs);
    }

    /// `0.031 [0.027, 0.036]`
    public String text() {
        return Digits.compact(value)
                + (Double.isFinite(low) && Double.isFinite(high)
                        ? " [" + Digits.compact(low) + ", " + Digits.compact(high) + "]"
                        : "");
    }
}
