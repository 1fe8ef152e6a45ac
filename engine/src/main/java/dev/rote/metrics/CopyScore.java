package dev.rote.metrics;

import java.util.Arrays;
import java.util.OptionalDouble;

/// The data-copying statistic C_T (Meehan, Chaudhuri & Dasgupta 2020, "A non-parametric test to detect data-copying in
/// generative models", arXiv:2004.05675, section 3): are samples nearer to the training set than held-out images are?
///
/// Space is cut into cells, those of k-means on the training set. In a cell with n held-out images and m samples, U
/// counts the pairs in which the sample is farther from its nearest training image (ties count 1/2), and
///
/// `Z = (U - n m / 2) / sqrt(n m (n + m + 1) / 12)`
///
/// is the z-score of Mann & Whitney 1947. C_T is the mean of Z over the cells, weighted by their held-out images; cells
/// with 20 samples or fewer are left out, as in the paper's experiments. Well below 0 (-3 and less): samples copy. Well
/// above 0: samples lie off the data. It is a z-score, so it grows with the root of the counts.
///
/// Distances are to the nearest of the whole training set. (The authors' program takes the nearest within the cell,
/// which differs near the borders only, and subtracts a further 1/2 from the mean of U.)
public final class CopyScore {
    /// Cells by default.
    public static final int CELLS = 3;

    private static final int FEW = 20;

    private final KMeans cells;
    private final int[] counts; // held-out images by cell
    private final double[][] distances; // of held-out images, by cell, sorted

    private CopyScore(KMeans cells, int[] counts, double[][] distances) {
        this.cells = cells;
        this.counts = counts;
        this.distances = distances;
    }

    /// Finds the cells and what is usual in them.
    ///
    /// @param training `[N, d]`
    /// @param heldOut `[M, d]`, not part of the training set
    /// @param nearest distance of each held-out image to its nearest training image, `[M]`
    /// @param cells 1 .. N
    /// @throws IllegalArgumentException if there are too few images or the counts differ
    public static CopyScore of(Rows training, Rows heldOut, double[] nearest, int cells, long seed, int threads)
            throws InterruptedException {
        if (cells < 1 || cells > training.count() || heldOut.count() < 1 || nearest.length != heldOut.count()) {
            throw new IllegalArgumentException("C_T: expected 1 to " + training.count()
                    + " cells and a distance for each of at least one held-out image, got " + cells + " cells, "
                    + heldOut.count() + " held-out images and " + nearest.length + " distances");
        }
        KMeans fitted = KMeans.fit(training, cells, seed, threads);
        double[][] split = split(fitted.cells(heldOut, threads), nearest, cells);
        return new CopyScore(
                fitted, Arrays.stream(split).mapToInt(cell -> cell.length).toArray(), split);
    }

    /// C_T of samples; empty where no cell has more than 20 of them and a held-out image.
    ///
    /// @param samples `[n, d]`
    /// @param nearest distance of each sample to its nearest training image, `[n]`
    public OptionalDouble score(Rows samples, double[] nearest, int threads) throws InterruptedException {
        if (nearest.length != samples.count()) {
            throw new IllegalArgumentException(
                    "C_T: expected " + samples.count() + " distances, got " + nearest.length);
        }
        double[][] split = split(cells.cells(samples, threads), nearest, counts.length);
        double weighted = 0;
        int weight = 0;
        for (int cell = 0; cell < counts.length; cell++) {
            if (split[cell].length > FEW && counts[cell] > 0) {
                weighted += counts[cell] * zScore(split[cell], distances[cell]);
                weight += counts[cell];
            }
        }
        return weight == 0 ? OptionalDouble.empty() : OptionalDouble.of(weighted / weight);
    }

    private static double[][] split(int[] cell, double[] values, int cells) {
        double[][] split = new double[cells][];
        for (int c = 0; c < cells; c++) {
            int wanted = c;
            split[c] = java.util.stream.IntStream.range(0, cell.length)
                    .filter(i -> cell[i] == wanted)
                    .mapToDouble(i -> values[i])
                    .sorted()
                    .toArray();
        }
        return split;
    }

    /// z-score of U of `x` over `y`, both sorted and not empty: negative where x tends to be smaller.
    static double zScore(double[] x, double[] y) {
        double u = 0;
        int below = 0;
        int upTo = 0;
        for (double value : x) {
            while (below < y.length && y[below] < value) {
                below++;
            }
            while (upTo < y.length && y[upTo] <= value) {
                upTo++;
            }
            u += 0.5 * (below + upTo);
        }
        double pairs = (double) x.length * y.length;
        return (u - pairs / 2) / Math.sqrt(pairs * (x.length + y.length + 1.0) / 12);
    }
}
