package dev.rote.metrics;

import java.util.Arrays;

/// Counts of values in bins of equal width. Two sets are compared in the same bins.
///
/// @param low lower end of the first bin
/// @param width of a bin, above 0
/// @param counts values by bin; the last bin includes its upper end, and values outside count in the nearest bin
public record Histogram(double low, double width, int[] counts) {
    public Histogram {
        if (!Double.isFinite(low) || !(width > 0) || Double.isInfinite(width) || counts.length < 1) {
            throw new IllegalArgumentException(
                    "histogram: expected a finite lower end, a width above 0 and at least one" + " bin, got " + low
                            + ", " + width + " and " + counts.length);
        }
    }

    /// @param values finite or not, but no NaN
    /// @param high upper end of the last bin, above `low`
    public static Histogram of(double[] values, double low, double high, int bins) {
        double width = (high - low) / bins;
        int[] counts = new int[bins];
        for (double value : values) {
            counts[(int) Math.clamp((value - low) / width, 0, bins - 1.0)]++;
        }
        return new Histogram(low, width, counts);
    }

    /// Number of values.
    public int total() {
        return Arrays.stream(counts).sum();
    }

    /// Lower end of bin `i`.
    public double edge(int i) {
        return low + i * width;
    }
}
