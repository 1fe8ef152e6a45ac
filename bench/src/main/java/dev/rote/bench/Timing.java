package dev.rote.bench;

import java.util.Arrays;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

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

    /// From the fields of a JSON line.
    static Timing of(JsonNode line) {
        return new Timing(
                line.required("median_ms").doubleValue(),
                line.required("p10_ms").doubleValue(),
                line.required("p90_ms").doubleValue(),
                line.required("samples").intValue());
    }

    /// `median (p10-p90)` in milliseconds.
    String text() {
        String digits = medianMs < 1 ? "%.4f (%.4f-%.4f)" : medianMs < 10 ? "%.3f (%.3f-%.3f)" : "%.1f (%.1f-%.1f)";
        return String.format(Locale.ROOT, digits, medianMs, p10Ms, p90Ms);
    }

    /// Linear between the nearest ranks.
    private static double quantile(double[] sorted, double q) {
        double position = q * (sorted.length - 1);
        int low = (int) position;
        int high = Math.min(low + 1, sorted.length - 1);
        return sorted[low] + (position - low) * (sorted[high] - sorted[low]);
    }
}
