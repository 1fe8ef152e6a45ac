package dev.rote.measure;

import dev.rote.config.MeasureConfig;
import dev.rote.config.Metric;
import dev.rote.config.SampleMetric.Space;
import dev.rote.config.SampleTests;
import dev.rote.metrics.CalibratedL2;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.metrics.PixelFeatures;
import dev.rote.metrics.Rows;
import dev.rote.metrics.SampleMetrics;
import dev.rote.metrics.SampleMetrics.Kind;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// The metrics of samples that a configuration names, by the space they are taken in. What depends on the real images
// is
/// prepared at the first measurement.
final class SampleScores {
    private final Map<Space, EnumSet<Kind>> wanted = new EnumMap<>(Space.class);
    private final Map<Space, SampleMetrics> prepared = new EnumMap<>(Space.class);
    private final SampleMetrics.Parameters parameters;

    SampleScores(MeasureConfig config, long seed) {
        for (Metric metric : config.metrics()) {
            if (metric instanceof Metric.OfSamples of) {
                wanted.computeIfAbsent(of.space(), space -> EnumSet.noneOf(Kind.class))
                        .add(Kind.valueOf(of.kind().name()));
            }
        }
        SampleTests tests = config.tests();
        parameters = new SampleMetrics.Parameters(
                new CalibratedL2(tests.alpha(), tests.neighbours()), tests.cells(), tests.prdcNeighbours(), seed);
    }

    /// @throws IllegalArgumentException if there are too few images for what is wanted
    void requireEnough(int train, int test, int samples) {
        EnumSet<Kind> kinds = EnumSet.noneOf(Kind.class);
        wanted.values().forEach(kinds::addAll);
        if (kinds.isEmpty()) {
            return;
        }
        int fewest = SampleMetrics.fewestSamples(kinds, parameters);
        int real = test > 0 ? test : train;
        boolean unknown = test == 0 && kinds.stream().anyMatch(Kind::needsHeldOut);
        if (samples < fewest || real < fewest || train < 4 || unknown) {
            throw new IllegalArgumentException("measure.metrics: expected at least " + fewest
                    + " samples, as many real images to compare with"
                    + (unknown ? ", held-out images" : "") + " and 4 training images for " + kinds + ", found "
                    + samples + " samples, " + train + " training and " + test + " test images");
        }
    }

    /// @param samples, training, heldOut images `[., H*W*C]` in 0 .. 1
    List<Measurement.Score> measure(
            Rows samples, Supplier<Rows> training, Supplier<Rows> heldOut, FeatureExtractor extractor, int threads)
            throws InterruptedException {
        List<Measurement.Score> scores = new ArrayList<>();
        for (Map.Entry<Space, EnumSet<Kind>> entry : wanted.entrySet()) {
            Space space = entry.getKey();
            FeatureExtractor used = space == Space.PIXELS ? new PixelFeatures(samples.dimension()) : extractor;
            SampleMetrics metrics = prepared.get(space);
            if (metrics == null) {
                metrics = new SampleMetrics(
                        used.features(training.get(), threads), used.features(heldOut.get(), threads), parameters);
                prepared.put(space, metrics);
            }
            for (SampleMetrics.Score score :
                    metrics.measure(entry.getValue(), used.features(samples, threads), threads)) {
                scores.add(new Measurement.Score(score.name(), space.word(), score.value(), score.low(), score.high()));
            }
        }
        return scores;
    }
}
