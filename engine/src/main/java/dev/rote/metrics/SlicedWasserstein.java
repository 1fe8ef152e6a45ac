package dev.rote.metrics;

import java.util.Arrays;

/// The sliced Wasserstein distance of order 2 (Bonneel et al. 2015, J. Mathematical Imaging and Vision 51, definition
/// 3; Rabin et al. 2011): the root of the mean, over random directions of length 1, of the squared Wasserstein-2
/// distance between the two sets projected on the direction. In one dimension that distance pairs the sorted
/// values.
///
/// Depends on the count: compare values with equal ones only.
///
/// @param value in the units of the features
/// @param count rows taken of either set
/// @param projections random directions
public record SlicedWasserstein(double value, int count, int projections) {
    /// Rows taken of either set, at most.
    public static final int MOST = 2000;

    /// Directions by default.
    public static final int PROJECTIONS = 1000;

    /// Between up to [#MOST] rows of either set, as many of each, along [#PROJECTIONS] directions; rows and directions
    /// are chosen by the seed.
    public static SlicedWasserstein of(Rows real, Rows samples, long seed, int threads) throws InterruptedException {
        int count = Math.min(MOST, Math.min(real.count(), samples.count()));
        return between(
                Subset.of(real, count, seed), Subset.of(samples, count, seed + 1), PROJECTIONS, seed + 2, threads);
    }

    /// Between all rows of two sets of equal count.
    ///
    /// @throws IllegalArgumentException if counts or dimensions differ, there are no rows, or a value is not finite
    public static SlicedWasserstein between(Rows a, Rows b, int projections, long seed, int threads)
            throws InterruptedException {
        if (a.count() != b.count() || a.dimension() != b.dimension() || a.count() < 1 || projections < 1) {
            throw new IllegalArgumentException(
                    "sliced Wasserstein: expected two sets of equal count and dimension and at"
                            + " least one projection, got [" + a.count() + ", " + a.dimension() + "], [" + b.count()
                            + ", "
                            + b.dimension() + "] and " + projections);
        }
        a.requireFinite("first set");
        b.requireFinite("second set");
        int d = a.dimension();
        int n = a.count();
        double[] squares = new double[projections];
        Workers.run(threads, projections, p -> {
            Workers.checkInterrupted();
            double[] direction = direction(d, new SplitMix64(seed, p));
            double[] x = projected(a, direction);
            double[] y = projected(b, direction);
            double sum = 0;
            for (int i = 0; i < n; i++) {
                sum += (x[i] - y[i]) * (x[i] - y[i]);
            }
            squares[p] = sum / n;
        });
        double sum = 0;
        for (double square : squares) {
            sum += square;
        }
        return new SlicedWasserstein(Math.sqrt(sum / projections), n, projections);
    }

    private static double[] direction(int d, SplitMix64 random) {
        double[] direction = new double[d];
        double squares = 0;
        for (int j = 0; j < d; j++) {
            direction[j] = random.nextGaussian();
            squares += direction[j] * direction[j];
        }
        for (int j = 0; j < d; j++) {
            direction[j] /= Math.sqrt(squares);
        }
        return direction;
    }

    /// Projections in growing order.
    private static double[] projected(Rows rows, double[] direction) {
        float[] line = new float[direction.length];
        double[] values = new double[rows.count()];
        for (int i = 0; i < values.length; i++) {
            rows.copy(i, 0, line.length, line, 0);
            double even = 0;
            double odd = 0;
            int j = 0;
            for (; j + 2 <= line.length; j += 2) {
                even += line[j] * direction[j];
                odd += line[j + 1] * direction[j + 1];
            }
            values[i] = even + odd + (j < line.length ? line[j] * direction[j] : 0);
        }
        Arrays.sort(values);
        return values;
    }
}
