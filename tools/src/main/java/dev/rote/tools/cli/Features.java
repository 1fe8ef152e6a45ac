package dev.rote.tools.cli;

import dev.rote.config.MeasureConfig;
import dev.rote.data.Dataset;
import dev.rote.data.TrainingData;
import dev.rote.metrics.FeatureExtractor;

/// The features of the Fréchet distance that a configuration asks for.
public final class Features {
    private Features() {}

    public static FeatureExtractor of(MeasureConfig config, TrainingData data) {
        Dataset train = data.train();
        return FeatureExtractor.standIn(train.height(), train.width(), train.channels());
    }
}
