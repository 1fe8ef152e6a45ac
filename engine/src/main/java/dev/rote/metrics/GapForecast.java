package dev.rote.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// tau_mem of a run that has begun, from how far its losses have parted so far.
///
/// The losses of training and held-out images part before copies come, at a time that grows with n as well (Bonnaire et
/// al. 2025, arXiv:2505.17638, sec. 2). Small runs that went on until they copied tell at which share of tau_mem the
/// gap has which size; that share was found to fall slowly with n. So tau_mem over the step of the largest gap that
/// the large run has passed is continued in n by [WindowPrediction].
public final class GapForecast {
    /// A smaller gap is noise.
    static final double LEAST = 0.1;

    private static final double STEP = 0.05; // between the sizes that are tried
    private static final double MOST = 2;

    /// Of the exponent with which tau_mem over the step of a gap grows with n.
    static final WindowPrediction.Prior SHARE = new WindowPrediction.Prior(0.15, 0.15);

    /// Standard deviation of the logarithm of that ratio between runs.
    static final double SCATTER = 0.25;

    private GapForecast() {}

    /// A run that copied.
    ///
    /// @param n training images
    /// @param tau its tau_mem
    /// @param error standard deviation of ln tau that the run's own samples leave
    public record Small(double n, double tau, double error, GapCurve gap) {}

    /// Empty until the gap is larger than its noise, or if no small run had such a gap.
    ///
    /// @param run what is known of the large run
    /// @param n its training images
    public static Optional<LogNormal> of(List<Small> small, GapCurve run, double n) {
        Optional<LogNormal> found = Optional.empty();
        for (int i = 0; LEAST + i * STEP <= MOST; i++) {
            double level = LEAST + i * STEP;
            OptionalDouble step = run.stays(level);
            if (step.isEmpty()) {
                break;
            }
            List<WindowPrediction.Point> points = new ArrayList<>();
            for (Small each : small) {
                each.gap()
                        .stays(level)
                        .ifPresent(
                                at -> points.add(new WindowPrediction.Point(each.n(), each.tau() / at, each.error())));
            }
            if (!points.isEmpty()) {
                found = Optional.of(
                        WindowPrediction.of(points, SHARE, SCATTER).about(n).times(step.getAsDouble()));
            }
        }
        return found;
    }
}
