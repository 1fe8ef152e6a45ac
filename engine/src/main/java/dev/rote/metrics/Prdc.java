package dev.rote.metrics;

import java.util.Arrays;

/// Precision, recall, density and coverage of samples, by balls around each point that reach to its k-th nearest
/// neighbour in its own set:
///
/// - precision: share of samples in the ball of some real image; recall: share of real images in the ball of some
///   sample (Kynkäänniemi et al. 2019, arXiv:1904.06991, eq. 1 and 2; they take k = 3);
/// - density: mean number of real images' balls that hold a sample, over k; may exceed 1; coverage: share of real
///   images whose ball holds a sample (Naeem et al. 2020, arXiv:2002.09797, eq. 3 and 4; k = 5).
///
/// A point on the sphere counts as inside, as in eq. 1 of the former paper. All four depend on the two counts: compare
/// values with equal ones only.
///
/// @param k neighbours
/// @param real number of real images
/// @param samples number of samples
public record Prdc(int k, int real, int samples, double precision, double recall, double density, double coverage) {
    /// Neighbours by default.
    public static final int NEIGHBOURS = 5;

    /// Cost: five passes over all pairs.
    ///
    /// @param real features or pixels of real images, more than k
    /// @param samples features or pixels of samples, more than k
    /// @throws IllegalArgumentException if there are too few, the dimensions differ or a value is not finite
    public static Prdc of(Rows real, Rows samples, int k, int threads) throws InterruptedException {
        return of(real, samples, k, rows -> NeighbourSearch.onCpu(rows, threads), threads);
    }

    /// The same, in which a device may search the neighbours: three of the five passes.
    public static Prdc of(Rows real, Rows samples, int k, NeighbourSearch.Preparation searches, int threads)
            throws InterruptedException {
        if (k < 1 || k > NearestNeighbours.MAX_K || real.count() <= k || samples.count() <= k) {
            throw new IllegalArgumentException("precision and recall: expected k in 1 .. " + NearestNeighbours.MAX_K
                    + " and more than k images of either kind, got k = " + k + ", " + real.count() + " real images and "
                    + samples.count() + " samples");
        }
        double[] reach;
        try (NeighbourSearch<Rows> amongReal = searches.of(real)) {
            reach = radii(real, amongReal, k);
        }
        double[] sampleReach;
        double[] nearest;
        try (NeighbourSearch<Rows> amongSamples = searches.of(samples)) {
            sampleReach = radii(samples, amongSamples, k);
            nearest = amongSamples.search(real, 1).distances();
        }
        int[] held = BallCounts.containing(samples, real, reach, threads);
        int[] recalled = BallCounts.containing(real, samples, sampleReach, threads);
        int covered = 0;
        for (int i = 0; i < nearest.length; i++) {
            covered += nearest[i] <= reach[i] ? 1 : 0;
        }
        return new Prdc(
                k,
                real.count(),
                samples.count(),
                positive(held),
                positive(recalled),
                Arrays.stream(held).asLongStream().sum() / ((double) k * samples.count()),
                (double) covered / real.count());
    }

    /// Distance of each row to its k-th nearest other one.
    private static double[] radii(Rows rows, NeighbourSearch<Rows> search, int k) throws InterruptedException {
        int[] itself = new int[rows.count()];
        Arrays.setAll(itself, i -> i);
        Neighbours own = search.search(rows, k, itself);
        double[] radii = new double[rows.count()];
        Arrays.setAll(radii, i -> own.distance(i, k - 1));
        return radii;
    }

    private static double positive(int[] counts) {
        return (double) Arrays.stream(counts).filter(count -> count > 0).count() / counts.length;
    }
}
