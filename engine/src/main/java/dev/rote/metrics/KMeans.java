package dev.rote.metrics;

import java.util.Arrays;

/// Lloyd's k-means (Lloyd 1982) from a k-means++ start (Arthur & Vassilvitskii 2007). The same bits for the same seed,
/// whatever the number of threads.
///
/// @param centres `[cells, d]`
record KMeans(Rows centres) {
    private static final int ITERATIONS = 50;

    /// Ends when no row changes its cell, after 50 rounds at the latest. A cell that lost all its rows keeps its
    /// centre.
    ///
    /// @param rows at least `cells` of them
    static KMeans fit(Rows rows, int cells, long seed, int threads) throws InterruptedException {
        int d = rows.dimension();
        float[] centres = start(rows, cells, seed, threads);
        int[] before = new int[0];
        for (int round = 0; round < ITERATIONS; round++) {
            int[] now = new KMeans(Rows.of(centres, d)).cells(rows, threads);
            if (Arrays.equals(before, now)) {
                break;
            }
            centres = means(rows, now, centres, cells);
            before = now;
        }
        return new KMeans(Rows.of(centres, d));
    }

    /// The cell of each row: the nearest centre, the smaller number where two are as near.
    int[] cells(Rows rows, int threads) throws InterruptedException {
        return NearestNeighbours.search(rows, centres, 1, threads).indices();
    }

    /// Each further centre is a row, drawn with probability proportional to its squared distance to those before.
    private static float[] start(Rows rows, int cells, long seed, int threads) throws InterruptedException {
        int n = rows.count();
        int d = rows.dimension();
        SplitMix64 random = new SplitMix64(seed);
        float[] centres = new float[cells * d];
        double[] squares = new double[n];
        Arrays.fill(squares, Double.POSITIVE_INFINITY);
        int chosen = random.nextInt(n);
        for (int cell = 0; cell < cells; cell++) {
            rows.copy(chosen, 0, d, centres, cell * d);
            Rows centre = Rows.of(Arrays.copyOfRange(centres, cell * d, (cell + 1) * d), d);
            double[] distances =
                    NearestNeighbours.search(rows, centre, 1, threads).distances();
            double total = 0;
            for (int i = 0; i < n; i++) {
                squares[i] = Math.min(squares[i], distances[i] * distances[i]);
                total += squares[i];
            }
            double left = random.nextDouble() * total;
            chosen = 0;
            while (chosen < n - 1 && left >= squares[chosen]) {
                left -= squares[chosen++];
            }
        }
        return centres;
    }

    private static float[] means(Rows rows, int[] cell, float[] before, int cells) {
        int d = rows.dimension();
        double[] sums = new double[cells * d];
        int[] counts = new int[cells];
        float[] line = new float[d];
        for (int i = 0; i < cell.length; i++) {
            rows.copy(i, 0, d, line, 0);
            counts[cell[i]]++;
            for (int j = 0; j < d; j++) {
                sums[cell[i] * d + j] += line[j];
            }
        }
        float[] means = before.clone();
        for (int j = 0; j < means.length; j++) {
            means[j] = counts[j / d] == 0 ? before[j] : (float) (sums[j] / counts[j / d]);
        }
        return means;
    }
}
