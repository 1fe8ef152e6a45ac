package dev.rote.tools.features;

import dev.rote.config.MeasureConfig;
import dev.rote.config.Metric;
import dev.rote.config.SampleMetric;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.errors.DataException;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.metrics.PixelFeatures;
import dev.rote.metrics.PixelPca;
import dev.rote.metrics.Rows;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// The features that a configuration names; close it when they are no longer used.
public final class Features implements AutoCloseable {
    /// More images change the components little and take long.
    private static final int PCA_IMAGES = 4096;

    /// The name of the pixels themselves.
    public static final String PIXELS = "pixels";

    private final FeatureExtractor extractor;

    private Features(FeatureExtractor extractor) {
        this.extractor = extractor;
    }

    /// `random-convolution`, `pixel-pca` (fitted to the first 4096 training images at most), or the path of an ONNX
    /// network for [OnnxFeatures].
    ///
    /// Where nothing is measured in them it is the pixels, which need nothing of the images.
    ///
    /// @param train the training images
    /// @param threads for the fit; 0 for all cores
    /// @throws DataException if there is no such file, or it is not a network that reads these images
    /// @throws InterruptedException if the calling thread is interrupted
    public static Features of(MeasureConfig measure, Dataset train, int threads) throws InterruptedException {
        if (measure.metrics().stream().noneMatch(Features::needsFeatures)) {
            return new Features(new PixelFeatures(train.extent().size()));
        }
        int fitted = measure.features().equals(MeasureConfig.PIXEL_PCA) ? Math.min(train.count(), PCA_IMAGES) : 0;
        int size = train.extent().size();
        float[] images = new float[Math.multiplyExact(fitted, size)];
        for (int i = 0; i < fitted; i++) {
            System.arraycopy(train.image(i), 0, images, i * size, size);
        }
        return of("measure.features", measure.features(), Rows.of(images, size), train.extent(), threads);
    }

    /// The same by the bare name, and `pixels` for the pixels themselves.
    ///
    /// @param key where the name stands, for messages
    /// @param train training images `[N, H*W*C]`, values in 0 .. 1
    public static Features of(String key, String name, Rows train, Extent extent, int threads)
            throws InterruptedException {
        return new Features(
                switch (name) {
                    case PIXELS -> new PixelFeatures(extent.size());
                    case MeasureConfig.RANDOM_CONVOLUTION ->
                        FeatureExtractor.standIn(extent.height(), extent.width(), extent.channels());
                    case MeasureConfig.PIXEL_PCA ->
                        PixelPca.fit(
                                train.slice(0, Math.min(train.count(), PCA_IMAGES)),
                                threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
                    default -> OnnxFeatures.open(network(key, name), extent);
                });
    }

    private static boolean needsFeatures(Metric metric) {
        return metric instanceof Metric.Frechet
                || metric instanceof Metric.OfSamples of && of.space() == SampleMetric.Space.FEATURES;
    }

    public FeatureExtractor extractor() {
        return extractor;
    }

    private static Path network(String key, String name) {
        try {
            Path path = Path.of(name);
            if (Files.isRegularFile(path)) {
                return path;
            }
        } catch (InvalidPathException e) {
            throw unknown(key, name, e);
        }
        throw unknown(key, name, null);
    }

    private static DataException unknown(String key, String name, Throwable cause) {
        return new DataException(
                key + ": expected \"random-convolution\", \"pixel-pca\" or the path of an ONNX file, found \"" + name
                        + "\"",
                cause);
    }

    @Override
    public void close() {
        if (extractor instanceof OnnxFeatures network) {
            network.close();
        }
    }
}
