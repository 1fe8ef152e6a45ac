package dev.rote.metrics;

import java.util.Arrays;

/// The share of samples that are copies of a training image: sample x counts iff d1 / d2 < k, where d1 and d2 are its
/// distances to the nearest and the second nearest training image. Per sample, as in Bonnaire et al.,
/// arXiv:2505.17638, after Yoon et al. 2023 ("Diffusion probabilistic models generalize when they fail to memorize")
/// and
/// Gu et al., arXiv:2310.02664.
///
/// For held-out real images instead of samples the same number is the *base rate*: what a perfect generator would show.
///
/// Zero means below 1/samples, so the count belongs to every report.
///
/// @param k threshold of the ratio: 1/3 in the study, 1/2 and 1/4 beside it
/// @param samples number of samples
/// @param memorized how many of them count
/// @param bootstrap the share with its percentile bootstrap interval, as the study reports it; it has no width when no
///     sample, or every sample, counts
/// @param wilson the share with Wilson's 95 % score interval (Wilson 1927), which keeps a width there: read this one
///     when `memorized` is near 0 or `samples`
public record MemorizedFraction(double k, int samples, int memorized, Interval bootstrap, Interval wilson) {
    /// The study's threshold.
    public static final double ONE_THIRD = 1.0 / 3;

    /// d1 / d2 of each query. A query at distance 0 of a training image has ratio 0, also when a second training image
    /// is
    /// the same (0/0): it is a copy whatever else the set holds. A *near* copy of a duplicated image has a ratio near 1
    /// and
    /// is missed, a limit of the criterion itself: remove duplicates from the training set first
    /// ([NearestNeighbours#searchItself] finds them at distance 0).
    ///
    /// @throws IllegalArgumentException if `neighbours` has fewer than two per query
    public static double[] ratios(Neighbours neighbours) {
        if (neighbours.k() < 2) {
            throw new IllegalArgumentException(
                    "memorized fraction: needs 2 neighbours per query, got " + neighbours.k());
        }
        double[] ratios = new double[neighbours.queries()];
        for (int q = 0; q < ratios.length; q++) {
            double nearest = neighbours.distance(q, 0);
            ratios[q] = nearest == 0 ? 0 : nearest / neighbours.distance(q, 1);
        }
        return ratios;
    }

    /// @param ratios d1 / d2 of each sample, from [#ratios]; at least one
    /// @param k threshold, above 0 and at most 1
    public static MemorizedFraction of(double[] ratios, double k, Bootstrap bootstrap) {
        if (ratios.length == 0 || !(k > 0 && k <= 1)) {
            throw new IllegalArgumentException("memorized fraction: expected at least one sample and 0 < k <= 1, got "
                    + ratios.length + " and " + k);
        }
        double[] copies = Arrays.stream(ratios).map(ratio -> ratio < k ? 1 : 0).toArray();
        int memorized = (int) Arrays.stream(copies).sum();
        return new MemorizedFraction(
                k, ratios.length, memorized, bootstrap.mean(copies), new Share(ratios.length, memorized).wilson());
    }

    /// The share itself, memorized / samples.
    public double value() {
        return (double) memorized / samples;
    }

    /// This share minus that of held-out real images, with Newcombe's 95 % interval for a difference of two independent
    /// shares (Newcombe 1998, Statistics in Medicine 17, method 10). If it lies above 0, there is copying beyond
    /// chance.
    public Interval above(MemorizedFraction baseRate) {
        return new Share(samples, memorized).minus(new Share(baseRate.samples, baseRate.memorized));
    }
}
