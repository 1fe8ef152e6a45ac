package dev.rote.metrics;

import java.util.Arrays;

/// A quantity measured during training, at growing steps, with pointwise intervals where they are known.
///
/// @param steps optimizer updates (or a normalised time), 0 or more, strictly increasing; at least one
/// @param values one per step, finite
/// @param lows lower interval ends, one per step
/// @param highs upper interval ends, one per step
public record Curve(double[] steps, double[] values, double[] lows, double[] highs) {
    public Curve {
        int length = steps.length;
        if (length == 0 || values.length != length || lows.length != length || highs.length != length) {
            throw new IllegalArgumentException("curve: expected as many values, lows and highs as steps, got "
                    + values.length + ", " + lows.length + ", " + highs.length + " for " + length);
        }
        for (int i = 0; i < length; i++) {
            double before = i == 0 ? -1 : steps[i - 1];
            if (!(steps[i] >= 0 && steps[i] > before) || Double.isInfinite(steps[i])) {
                throw new IllegalArgumentException(
                        "curve: steps must grow from 0 or more, found " + steps[i] + " at position " + i);
            }
            if (!Double.isFinite(values[i]) || Double.isNaN(lows[i]) || Double.isNaN(highs[i])) {
                throw new IllegalArgumentException("curve: step " + steps[i] + ": expected numbers, found " + values[i]
                        + " [" + lows[i] + ", " + highs[i] + "]");
            }
        }
    }

    /// A curve without intervals.
    public static Curve of(double[] steps, double[] values) {
        return new Curve(steps, values, values, values);
    }

    /// A curve from estimates with their intervals.
    public static Curve of(double[] steps, Interval[] measured) {
        return new Curve(
                steps,
                Arrays.stream(measured).mapToDouble(Interval::value).toArray(),
                Arrays.stream(measured).mapToDouble(Interval::low).toArray(),
                Arrays.stream(measured).mapToDouble(Interval::high).toArray());
    }

    /// Number of measurements.
    public int length() {
        return steps.length;
    }
}
