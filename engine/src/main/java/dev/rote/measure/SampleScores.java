package dev.rote.measure;

import dev.rote.config.MeasureConfig;
import dev.rote.config.Metric;
import dev.rote.config.RunConfig;
import dev.rote.config.SampleMetric.Space;
import dev.rote.config.SampleTests;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.Owned;
import dev.rote.metrics.CalibratedL2;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.metrics.NeighbourSearch;
import dev.rote.metrics.PixelFeatures;
import dev.rote.metrics.Rows;
import dev.rote.metrics.SampleMetrics;
import dev.rote.metrics.SampleMetrics.Kind;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// The metrics of samples that a configuration names, by the space they are taken in. What depends on the real images
/// is prepared at the first measurement; the run's device then searches neighbours among the training images.
final class SampleScores {
    private final Map<Space, EnumSet<Kind>> wanted = new EnumMap<>(Space.class);
    private final Map<Space, SampleMetrics> prepared = new EnumMap<>(Space.class);
    private final SampleMetrics.Parameters parameters;
    private final Optional<Twin> twin;
    private final Device device;
    private final Owned owned;

    /// @param device that searches neighbours
    /// @param owned is given what is prepared at the first measurement
    /// @throws dev.rote.errors.DataException if a twin is wanted and has not been measured at the same steps
    static SampleScores of(RunConfig run, TrainingData data, Device device, Owned owned) {
        boolean compared = run.measure().metrics().contains(new Metric.TwinSimilarity());
        float low = data.options().low();
        return new SampleScores(
                run.measure(),
                run.seed(),
                device,
                owned,
                compared
                        ? Optional.of(Twin.open(
                                run.measure().twin(),
                                data.train().extent(),
                                low,
                                data.options().high() - low,
                                run.measurementSteps()))
                        : Optional.empty());
    }

    private SampleScores(MeasureConfig config, long seed, Device device, Owned owned, Optional<Twin> twin) {
        this.device = device;
        this.owned = owned;
        this.twin = twin;
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

    /// Whether the samples' nearest training images are searched in pixels.
    static boolean searchesPixels(MeasureConfig config) {
        return config.metrics().stream()
                .anyMatch(metric -> metric instanceof Metric.OfSamples of
                        && of.space() == Space.PIXELS
                        && Kind.valueOf(of.kind().name()).usesNeighbours());
    }

    /// @param step updates done
    /// @param samples, training, heldOut images `[., H*W*C]` in 0 .. 1
    List<Measurement.Score> measure(
            int step,
            Rows samples,
            Supplier<Rows> training,
            Supplier<Rows> heldOut,
            FeatureExtractor extractor,
            int threads)
            throws InterruptedException {
        List<Measurement.Score> scores = new ArrayList<>();
        for (Map.Entry<Space, EnumSet<Kind>> entry : wanted.entrySet()) {
            Space space = entry.getKey();
            FeatureExtractor used = space == Space.PIXELS ? new PixelFeatures(samples.dimension()) : extractor;
            SampleMetrics metrics = prepared.get(space);
            if (metrics == null) {
                Rows real = used.features(training.get(), threads);
                boolean searched = entry.getValue().stream().anyMatch(Kind::usesNeighbours);
                NeighbourSearch<Rows> search = owned.add(
                        searched
                                ? NeighbourSearch.of(device, real, threads)
                                : NeighbourSearch.onCpu(real, threads), // no thread begins before the first search
                        NeighbourSearch::close);
                metrics = new SampleMetrics(
                        real,
                        used.features(heldOut.get(), threads),
                        search,
                        rows -> NeighbourSearch.of(device, rows, threads),
                        parameters);
                prepared.put(space, metrics);
            }
            for (SampleMetrics.Score score :
                    metrics.measure(entry.getValue(), used.features(samples, threads), threads)) {
                scores.add(new Measurement.Score(score.name(), space.word(), score.value(), score.low(), score.high()));
            }
        }
        twin.map(other -> other.similarity(step, samples))
                .ifPresent(found -> scores.add(new Measurement.Score(
                        "cosine_similarity", Space.PIXELS.word(), found.value(), found.low(), found.high())));
        return scores;
    }
}
