package dev.rote.metrics;

/// The extraction test with a distance calibrated to the neighbourhood (Carlini et al. 2023, "Extracting training data
/// from diffusion models", arXiv:2301.13188, section 5.1):
///
/// `l(x) = d_1 / (alpha * mean(d_1, ..., d_n))`
///
/// with the Euclidean distances d_1 <= ... <= d_n of sample x to its n nearest training images. A sample is extracted
/// where l < 1: its nearest training image is nearer than alpha times the usual distance around it. The square root of
/// the dimension by which the paper divides distances cancels.
///
/// Unlike d_1 / d_2 ([MemorizedFraction]) the test also finds near copies of an image that the training set holds a few
/// times.
///
/// @param alpha above 0
/// @param neighbours n, 2 .. [NearestNeighbours#MAX_K]
public record CalibratedL2(double alpha, int neighbours) {
    /// The paper's choice: alpha = 0.5, n = 50.
    public static final CalibratedL2 PUBLISHED = new CalibratedL2(0.5, 50);

    public CalibratedL2 {
        if (!(alpha > 0) || Double.isInfinite(alpha) || neighbours < 2 || neighbours > NearestNeighbours.MAX_K) {
            throw new IllegalArgumentException("calibrated l2: expected alpha above 0 and 2 to "
                    + NearestNeighbours.MAX_K + " neighbours, got " + alpha + " and " + neighbours);
        }
    }

    /// The same test with at most as many neighbours as a training set of `images` has.
    ///
    /// @param images 2 or more
    public CalibratedL2 within(int images) {
        return images >= neighbours ? this : new CalibratedL2(alpha, images);
    }

    /// l of each query; 0 where d_1 is 0.
    ///
    /// @param found the queries' nearest training images, at least n for each
    /// @throws IllegalArgumentException if there are fewer
    public double[] scores(Neighbours found) {
        if (found.k() < neighbours) {
            throw new IllegalArgumentException(
                    "calibrated l2: needs " + neighbours + " neighbours per query, got " + found.k());
        }
        double[] scores = new double[found.queries()];
        for (int q = 0; q < scores.length; q++) {
            double sum = 0;
            for (int rank = 0; rank < neighbours; rank++) {
                sum += found.distance(q, rank);
            }
            double nearest = found.distance(q, 0);
            scores[q] = nearest == 0 ? 0 : nearest * neighbours / (alpha * sum);
        }
        return scores;
    }

    /// The share of queries with l < 1.
    public Share extracted(Neighbours found) {
        return Share.below(scores(found), 1);
    }
}
