package dev.rote.tools.features;

import dev.rote.config.MeasureConfig;
import dev.rote.data.Dataset;
import dev.rote.errors.DataException;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.metrics.PixelPca;
import dev.rote.metrics.Rows;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// The features that a configuration names; close it when they are no longer used.
public final class Features implements AutoCloseable {
    /// More images change the components little and take long.
    private static final int PCA_IMAGES = 4096;

    private final FeatureExtractor extractor;

    private Features(FeatureExtractor extractor) {
        this.extractor = extractor;
    }

    /// `random-convolution`, `pixel-pca` (fitted to the first 4096 training images at most), or the path of an ONNX
    /// network for [OnnxFeatures].
    ///
    /// @param train the training images
    /// @param threads for the fit; 0 for all cores
    /// @throws DataException if there is no such file, or it is not a network that reads these images
    /// @throws InterruptedException if the calling thread is interrupted
    public static Features of(MeasureConfig measure, Dataset train, int threads) throws InterruptedException {
        return new Features(
                switch (measure.features()) {
                    case MeasureConfig.RANDOM_CONVOLUTION ->
                        FeatureExtractor.standIn(train.height(), train.width(), train.channels());
                    case MeasureConfig.PIXEL_PCA -> pixelPca(train, threads);
                    default -> OnnxFeatures.open(network(measure.features()), train.extent());
                });
    }

    public FeatureExtractor extractor() {
        return extractor;
    }

    private static PixelPca pixelPca(Dataset train, int threads) throws InterruptedException {
        int count = Math.min(train.count(), PCA_IMAGES);
        int size = train.extent().size();
        float[] images = new float[Math.multiplyExact(count, size)];
        for (int i = 0; i < count; i++) {
            System.arraycopy(train.image(i), 0, images, i * size, size);
        }
        return PixelPca.fit(
                Rows.of(images, size),
                threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
    }

    private static Path network(String name) {
        try {
            Path path = Path.of(name);
            if (Files.isRegularFile(path)) {
                return path;
            }
        } catch (InvalidPathException e) {
            throw unknown(name, e);
        }
        throw unknown(name, null);
    }

    private static DataException unknown(String name, Throwable cause) {
        return new DataException(
                "measure.features: expected \"random-convolution\", \"pixel-pca\" or the path of an ONNX file, found \""
                        + name + "\"",
                cause);
    }

    @Override
    public void close() {
        if (extractor instanceof OnnxFeatures network) {
            network.close();
        }
    }
}
