package dev.rote.measure;

import dev.rote.data.Mixture;
import dev.rote.data.TrainingData;
import dev.rote.metrics.Interval;
import dev.rote.metrics.KullbackLeibler;
import dev.rote.metrics.MixtureDensity;
import dev.rote.train.Generator;

/// The metric `kl`: how far the model's distribution is from the one that the data were drawn from.
///
/// @param mean what was subtracted from the data
record Divergence(MixtureDensity density, float mean) {
    /// @throws IllegalArgumentException if the source is no mixture
    static Divergence of(TrainingData data) {
        Mixture mixture = Mixture.of(data.options().source())
                .orElseThrow(() -> new IllegalArgumentException("measure.metrics: expected no kl for data.source \""
                        + data.options().source() + "\", whose density is not known"));
        return new Divergence(new MixtureDensity(mixture.dimension(), mixture.dof()), data.mean());
    }

    Measurement.Score of(Generator.Drawn drawn, double level) {
        int d = density.dimension();
        double[] logs = new double[drawn.entropy().length];
        double[] x = new double[d];
        for (int sample = 0; sample < logs.length; sample++) {
            for (int k = 0; k < d; k++) {
                x[k] = drawn.images()[sample * d + k] + mean;
            }
            logs[sample] = density.logDensity(x);
        }
        Interval kl = KullbackLeibler.of(logs, drawn.entropy(), d, level);
        return new Measurement.Score("kl", "points", kl.value(), kl.low(), kl.high());
    }
}
