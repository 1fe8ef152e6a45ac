package dev.rote.metrics;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/// How far the losses of training and held-out images part while a run trains: `ln(test loss / train loss)` at one
/// diffusion time, less its mean at the first [#FIRST] looks. By then nothing is known of single images, and the two
/// sets differ by chance alone.
public final class GapCurve {
    /// Looks that give the origin.
    public static final int FIRST = 2;

    private final double[] steps;
    private final double[] gaps;

    /// A look at the losses.
    ///
    /// @param step updates done, above 0
    /// @param gap ln(test loss / train loss)
    public record Look(double step, double gap) {
        public Look {
            if (!(step > 0) || !Double.isFinite(step) || !Double.isFinite(gap)) {
                throw new IllegalArgumentException(
                        "gap: expected a positive step and a number, got " + step + " and " + gap);
            }
        }
    }

    private GapCurve(double[] steps, double[] gaps) {
        this.steps = steps;
        this.gaps = gaps;
    }

    /// @param looks at growing steps; fewer than three tell nothing
    public static GapCurve of(List<Look> looks) {
        double[] steps = looks.stream().mapToDouble(Look::step).toArray();
        double[] gaps = looks.stream().mapToDouble(Look::gap).toArray();
        for (int i = 1; i < steps.length; i++) {
            if (steps[i] <= steps[i - 1]) {
                throw new IllegalArgumentException(
                        "gap: expected growing steps, got " + steps[i] + " after " + steps[i - 1]);
            }
        }
        double origin = Arrays.stream(gaps).limit(FIRST).average().orElse(0);
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] -= origin;
        }
        return new GapCurve(steps, gaps);
    }

    /// The last look's step; 0 without looks.
    public double end() {
        return steps.length == 0 ? 0 : steps[steps.length - 1];
    }

    /// The step from which on the gap stayed at `level` or above, interpolated in ln step; empty if it ends below.
    ///
    /// @param level above 0
    public OptionalDouble stays(double level) {
        if (!(level > 0)) {
            throw new IllegalArgumentException("gap: expected a positive level, got " + level);
        }
        int above = steps.length;
        while (above > 0 && gaps[above - 1] >= level) {
            above--;
        }
        if (above == 0 || above == steps.length) {
            return OptionalDouble.empty();
        }
        double share = (level - gaps[above - 1]) / (gaps[above] - gaps[above - 1]);
        return OptionalDouble.of(steps[above - 1] * Math.pow(steps[above] / steps[above - 1], share));
    }
}
