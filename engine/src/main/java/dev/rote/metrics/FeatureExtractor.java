package dev.rote.metrics;

/// Turns images into the feature vectors that [FrechetDistance] compares. What is measured depends on the features
/// more than on anything else, so [#name] goes into every report.
public interface FeatureExtractor {
    /// What the distance on these features is called in a report.
    String name();

    /// Length of a feature vector.
    int dimension();

    /// Features of `images [N, H*W*C]` (NHWC, C fastest, values in 0 .. 1): `[N, dimension]`, row i of image i. The
    // same
    /// for every number of threads, bit for bit.
    ///
    /// @throws IllegalArgumentException if the images have another size than this extractor's
    /// @throws InterruptedException if the calling thread is interrupted
    Rows features(Rows images, int threads) throws InterruptedException;
}
