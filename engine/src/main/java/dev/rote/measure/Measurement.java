package dev.rote.measure;

import dev.rote.metrics.Interval;
import dev.rote.metrics.MemorizedFraction;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What was measured after one optimizer update.
///
/// @param step number of updates done
/// @param samples generated images behind `memorized` and `frechet`
/// @param memorized memorized fraction for each ratio k, the first one the headline; empty if not measured
/// @param ratios distance to the nearest over that to the second nearest training image, per generated image
/// @param frechet squared Fréchet distance to the test images in the features named `features`, with its 95 %
/// interval from the samples
/// @param features name of the features
/// @param losses train and test loss by diffusion time t, with a 95 % interval over the draws of the noise
/// @param scores metrics of the samples, by `measure.metrics`
/// @param seconds the measurement took
public record Measurement(
        int step,
        int samples,
        List<MemorizedFraction> memorized,
        double[] ratios,
        Optional<Interval> frechet,
        String features,
        Map<Double, Losses> losses,
        List<Score> scores,
        double seconds) {
    /// Mean squared error per value; `test` is empty when there are no test images.
    public record Losses(Interval train, Optional<Interval> test) {}

    /// One number.
    ///
    /// @param name such as `kid`
    /// @param space `pixels` or `features`
    /// @param low lower end of its 95 % interval; NaN where none is known
    /// @param high upper end
    public record Score(String name, String space, double value, double low, double high) {}
}
