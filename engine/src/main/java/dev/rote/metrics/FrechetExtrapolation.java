package dev.rote.metrics;

import java.util.Arrays;

/// The Fréchet distance that infinitely many samples would have (Chong & Forsyth 2020, arXiv:1911.07023, section 3.2).
/// To first order the distance of N samples is `FD_infinity + slope / N`; the line is fitted by least squares to 15
/// counts N, evenly spaced from a tenth of the samples (at most 5000) to all of them, each a choice by the seed without
/// replacement. The bias by the finite number of real images stays.
///
/// @param infinity the line at 1/N = 0, with the 95 % interval of the regression: how well a line fits. The sampling
///     error that all points share is that of [FrechetDistance#estimate]
/// @param slope of the distance over 1/N
/// @param counts N of each point
/// @param distances the squared Fréchet distance at each
public record FrechetExtrapolation(Interval infinity, double slope, int[] counts, double[] distances) {
    private static final int POINTS = 15;
    private static final int FEWEST = 5000;

    /// Cost: 15 times that of [FrechetDistance#between].
    ///
    /// @param samples `[n, d]`, 20 or more
    /// @param reference of real images
    /// @throws IllegalArgumentException if there are fewer, the dimensions differ or a value is not finite
    public static FrechetExtrapolation of(Rows samples, FrechetStatistics reference, long seed, int threads)
            throws InterruptedException {
        int n = samples.count();
        if (n < 20) {
            throw new IllegalArgumentException("Fréchet distance at infinity: expected at least 20 samples, got " + n);
        }
        int least = Math.min(FEWEST, n / 10);
        int[] counts = new int[POINTS];
        double[] distances = new double[POINTS];
        for (int i = 0; i < POINTS; i++) {
            counts[i] = least + (int) ((long) (n - least) * i / (POINTS - 1));
            Rows chosen = Subset.of(samples, counts[i], seed + i);
            distances[i] = FrechetDistance.between(FrechetStatistics.of(chosen, threads), reference);
        }
        return fit(counts, distances);
    }

    /// The line through given points, at least 3 with different counts.
    static FrechetExtrapolation fit(int[] counts, double[] distances) {
        int points = counts.length;
        double[] x = Arrays.stream(counts).mapToDouble(count -> 1.0 / count).toArray();
        double meanX = Arrays.stream(x).average().orElseThrow();
        double meanY = Arrays.stream(distances).average().orElseThrow();
        double xx = 0;
        double xy = 0;
        for (int i = 0; i < points; i++) {
            xx += (x[i] - meanX) * (x[i] - meanX);
            xy += (x[i] - meanX) * (distances[i] - meanY);
        }
        double slope = xy / xx;
        double infinity = meanY - slope * meanX;
        double squares = 0;
        for (int i = 0; i < points; i++) {
            double rest = distances[i] - infinity - slope * x[i];
            squares += rest * rest;
        }
        double error = Math.sqrt(squares / (points - 2) * (1.0 / points + meanX * meanX / xx));
        double margin = StudentT.margin(points - 2, 0.95, error);
        return new FrechetExtrapolation(
                new Interval(infinity, infinity - margin, infinity + margin), slope, counts, distances);
    }
}
