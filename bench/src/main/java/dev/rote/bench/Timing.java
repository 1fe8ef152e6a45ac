package dev.rote.bench;

import java.util.Arrays;

/// The distribution of a benchmark's samples.
///
/// @param medianMs milliseconds, as are the tenth and the ninetieth percentile
public record Timing(double medianMs, double p10Ms, double p90Ms, int samples) {
    /// @param samplesMs at least one time in milliseconds, in any order
    public static Timing of(double[] samplesMs) {
        if (samplesMs.length == 0) {
            throw new IllegalArgumentException("samples: expected at least 1, found none");
        }
        double[] sorted = samplesMs.clone();
        Arrays.sort(sorted);
        return new Timing(quantile(sorted, 0.5), quantile(sorted, 0.1), quantile(sorted, 0.9), sorted.length);
    }

    /// Linear between the nearest ranks.
    private static double quantile(double[] sorted, double q) {
        double position = q * (sorted.length - 1);
        int low = (int) position;
        int high = Math.min(low + 1, sorted.length - 1);
        return sorted[low] + (position - low) * (sorted[high] - sorted[low]);
    }
}
