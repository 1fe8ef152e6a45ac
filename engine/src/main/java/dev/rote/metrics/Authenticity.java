package dev.rote.metrics;

/// The share of authentic samples (Alaa et al. 2022, "How faithful is your synthetic data?", arXiv:2102.08921, section
/// 4.3). With r the training image nearest to sample x, and r' that nearest to r among the others, x is authentic iff
///
/// `|x - r| > |r - r'|`
///
/// One hundred times the share is AuthPct (Stein et al. 2023, arXiv:2306.04675). Samples of the true distribution do
/// not reach 1, so read it beside that of held-out images.
public final class Authenticity {
    private Authenticity() {}

    /// @param samples each sample's nearest training image, k >= 1
    /// @param training each training image's nearest other one ([NearestNeighbours#searchItself]), k >= 1
    /// @throws IllegalArgumentException if a sample's neighbour is not among the training images
    public static Share of(Neighbours samples, Neighbours training) {
        int authentic = 0;
        for (int q = 0; q < samples.queries(); q++) {
            authentic += isAuthentic(samples, training, q) ? 1 : 0;
        }
        return new Share(samples.queries(), authentic);
    }

    /// Whether sample `q` is authentic.
    public static boolean isAuthentic(Neighbours samples, Neighbours training, int q) {
        return samples.distance(q, 0) > training.distance(samples.index(q, 0), 0);
    }
}
