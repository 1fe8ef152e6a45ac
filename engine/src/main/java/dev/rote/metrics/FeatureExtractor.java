package dev.rote.metrics;

/// Turns images into the feature vectors that [FrechetDistance] compares. What is measured depends on the features
/// more than on anything else, so [#name] goes into every report.
public interface FeatureExtractor {
    /// What the distance on these features is called in a report.
    String name();

    /// Length of a feature vector.
    int dimension();

    /// Features of `images [N, H*W*C]` (NHWC, C fastest, values in 0 .. 1): `[N, dimension]`, row i of image i. The
    /// same
    /// for every number of threads, bit for bit.
    ///
    /// @throws IllegalArgumentException if the images have another size than this extractor's
    /// @throws InterruptedException if the calling thread is interrupted
    Rows features(Rows images, int threads) throws InterruptedException;

    /// The default where no feature network is at hand: [RandomConvolution]. Measured on Fashion-MNIST against
    /// [PixelPca] (1000 images, distance as a multiple of that of clean held-out images): Gaussian noise 0.05 gives 24
    /// against
    /// 1.00, noise 0.1 gives 127 against 1.02, one 3x3 blur 72 against 5.2, and dropping half of the classes 49 against
    /// 46.
    /// Both grow monotonically, but on pixel PCA noisy samples pass for clean ones. Nor does it depend on a data set,
    /// so runs
    /// with different training sets share their scale.
    static FeatureExtractor standIn(int height, int width, int channels) {
        return new RandomConvolution(height, width, channels);
    }
}
