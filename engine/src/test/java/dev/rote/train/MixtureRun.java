package dev.rote.train;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.TrainingData;

/// A small run on the Gaussian mixture; tests of several packages train it.
public final class MixtureRun {
    private MixtureRun() {}

    /// @param more lines of TOML with dotted keys
    public static RunConfig config(String more) {
        return RunConfig.parse("""
                seed = 3
                data.source = "builtin:gaussian-mixture?d=4"
                data.n = 16
                data.test = 32
                data.center = false
                model.family = "mlp-mixture"
                model.width = 16
                train.optimizer = "adam"
                train.lr = 2e-3
                train.steps = 40
                measure.sampler = "ddpm"
                measure.sampler_steps = 1000
                measure.samples = 20
                measure.batch = 8
                measure.noise_draws = 2
                measure.metrics = ["memorized_fraction", "loss@0.1"]
                """ + more, "test");
    }

    public static TrainingData data(RunConfig config) {
        return TrainingData.load(DataOptions.of(config.data().source())
                .withTrain(config.data().n(), config.data().index())
                .withTest(config.data().test())
                .withCenter(config.data().center()));
    }
}
