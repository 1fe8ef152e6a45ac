package dev.rote.tools.study;

import dev.rote.config.DataConfig;
import dev.rote.config.MeasureConfig;
import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.tools.cli.Images;
import dev.rote.tools.features.Features;
import java.util.HashMap;
import java.util.Map;

/// Images and features of runs that are trained together, each loaded once.
final class LoadedImages implements AutoCloseable {
    /// What a run trains on and is measured in.
    record Loaded(TrainingData data, Features features) {}

    private record Measured(DataConfig data, MeasureConfig measure) {}

    private final Map<DataConfig, TrainingData> images = new HashMap<>();
    private final Map<Measured, Features> features = new HashMap<>();

    /// Stays open until this is closed.
    ///
    /// @throws dev.rote.errors.DataException for bad files or too few images
    Loaded of(RunConfig config, int threads) throws InterruptedException {
        TrainingData data = images.computeIfAbsent(config.data(), Images::load);
        Measured measured = new Measured(config.data(), config.measure());
        Features known = features.get(measured);
        if (known == null) {
            known = Features.of(config.measure(), data.train(), threads);
            features.put(measured, known);
        }
        return new Loaded(data, known);
    }

    @Override
    public void close() {
        features.values().forEach(Features::close);
        images.values().forEach(TrainingData::close);
    }
}
