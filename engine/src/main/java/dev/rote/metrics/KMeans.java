package dev.rote.metrics;

import java.util.Arrays;

/// Lloyd's k-means (Lloyd 1982) from a k-means++ start (Arthur & Vassilvitskii 2007). The same bits for the same seed,
/// whatever the number of threads.
///
/// @param centres `[cells, d]`
record KMeans(Rows centres) {
    private static final int ITERATIONS = 50;

    /// Rows of one task.
    private static final int BLOCK = 256;

    /// Columns of one task: a block of rows' columns stays in the second-level cache.
    private static final int COLUMNS = 256;

    /// Ends when no row changes its cell, after 50 rounds at the latest. A cell that lost all its rows keeps its
    /// centre.
    ///
    /// @param rows at least `cells` of them
    /// @throws IllegalArgumentException if a value is not finite
    static KMeans fit(Rows rows, int cells, long seed, int threads) throws InterruptedException {
        rows.requireFinite("rows");
        int d = rows.dimension();
        float[] centres = start(rows, cells, seed, threads);
        int[] before = new int[0];
        for (int round = 0; round < ITERATIONS; round++) {
            int[] now = nearest(rows, Rows.of(centres, d), threads).cells();
            if (Arrays.equals(before, now)) {
                break;
            }
            centres = means(rows, now, centres, cells, threads);
            before = now;
        }
        return new KMeans(Rows.of(centres, d));
    }

    /// The cell of each row: the nearest centre, the smaller number where two are as near.
    ///
    /// @throws IllegalArgumentException if the dimensions differ or a value is not finite
    int[] cells(Rows rows, int threads) throws InterruptedException {
        if (rows.dimension() != centres.dimension()) {
            throw new IllegalArgumentException(
                    "k-means: expected rows of " + centres.dimension() + " values, got " + rows.dimension());
        }
        rows.requireFinite("rows");
        return nearest(rows, centres, threads).cells();
    }

    /// @param cells of each row the nearest centre
    /// @param squares and its squared distance
    private record Nearest(int[] cells, double[] squares) {}

    /// By the contract of [SquaredDistance] alone: centres are too few for a first pass to save anything.
    private static Nearest nearest(Rows rows, Rows centres, int threads) throws InterruptedException {
        int n = rows.count();
        int d = rows.dimension();
        float[][] lines = new float[centres.count()][d];
        for (int cell = 0; cell < lines.length; cell++) {
            centres.copy(cell, 0, d, lines[cell], 0);
        }
        Nearest found = new Nearest(new int[n], new double[n]);
        Workers.run(threads, Math.ceilDiv(n, BLOCK), task -> {
            float[] row = new float[d];
            for (int i = task * BLOCK; i < Math.min(n, (task + 1) * BLOCK); i++) {
                rows.copy(i, 0, d, row, 0);
                double least = Double.POSITIVE_INFINITY;
                for (int cell = 0; cell < lines.length; cell++) {
                    double square = SquaredDistance.between(row, lines[cell]);
                    if (square < least) {
                        least = square;
                        found.cells[i] = cell;
                    }
                }
                found.squares[i] = least;
            }
        });
        return found;
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
            double[] found = nearest(rows, centre, threads).squares();
            double total = 0;
            for (int i = 0; i < n; i++) {
                double distance = Math.sqrt(found[i]);
                squares[i] = Math.min(squares[i], distance * distance);
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

    /// Each column is summed over the rows in order, whoever sums it.
    private static float[] means(Rows rows, int[] cell, float[] before, int cells, int threads)
            throws InterruptedException {
        int d = rows.dimension();
        int[] counts = new int[cells];
        for (int each : cell) {
            counts[each]++;
        }
        float[] means = before.clone();
        Workers.run(threads, Math.ceilDiv(d, COLUMNS), task -> {
            int from = task * COLUMNS;
            int width = Math.min(COLUMNS, d - from);
            double[] sums = new double[cells * width];
            float[] line = new float[width];
            for (int i = 0; i < cell.length; i++) {
                rows.copy(i, from, width, line, 0);
                int at = cell[i] * width;
                for (int j = 0; j < width; j++) {
                    sums[at + j] += line[j];
                }
            }
            for (int c = 0; c < cells; c++) {
                for (int j = 0; j < width && counts[c] > 0; j++) {
                    means[c * d + from + j] = (float) (sums[c * width + j] / counts[c]);
                }
            }
        });
        return means;
    }
}
