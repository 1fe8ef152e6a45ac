package dev.rote.metrics;

import java.util.Arrays;

/// Exact nearest neighbours in Euclidean distance. The result is, bit for bit, that of
/// [NearestNeighboursReference]: squares by the contract of [SquaredDistance], ties to the smaller index; it does not
/// depend on the machine or the number of threads.
///
/// How: a blocked f32 pass of direct differences ([CandidateScan]) keeps, with a proven error bound, every reference
/// that can be among the k nearest; those few are ranked by the f64 contract.
///
/// Cost: 3 m n d flops in f32; memory beside the inputs is about 256 query rows per thread.
public final class NearestNeighbours {
    /// Largest number of neighbours per query.
    public static final int MAX_K = 64;

    private NearestNeighbours() {}

    /// The `k` nearest of `references [n, d]` for each of `queries [m, d]`.
    ///
    /// @throws IllegalArgumentException if the dimensions differ, k is not in 1 .. 64, n is below k, `threads` is below
    ///     1, or a value is NaN or infinite (row and column are named)
    /// @throws InterruptedException if the calling thread is interrupted; all workers have stopped by then
    public static Neighbours search(Rows queries, Rows references, int k, int threads) throws InterruptedException {
        return search(queries, references, k, null, threads);
    }

    /// The `k` nearest others of each row in its own set `[n, d]`.
    ///
    /// @throws IllegalArgumentException as [#search(Rows, Rows, int, int[], int)]; n must be above k
    public static Neighbours searchItself(Rows set, int k, int threads) throws InterruptedException {
        int[] own = new int[set.count()];
        Arrays.setAll(own, i -> i);
        return search(set, set, k, own, threads);
    }

    /// As [#search(Rows, Rows, int, int)], but query i ignores reference `excludeIndex[i]` (-1: ignores none; a null
    /// array: nobody ignores any).
    ///
    /// @param excludeIndex `[m]` or null
    public static Neighbours search(Rows queries, Rows references, int k, int[] excludeIndex, int threads)
            throws InterruptedException {
        return search(queries, references, k, excludeIndex, threads, DistanceTile.best());
    }

    static Neighbours search(Rows queries, Rows references, int k, int[] excludeIndex, int threads, DistanceTile tile)
            throws InterruptedException {
        try (Workers workers = new Workers(threads)) {
            return search(queries, references, k, excludeIndex, workers, tile);
        }
    }

    static Neighbours search(
            Rows queries, Rows references, int k, int[] excludeIndex, Workers workers, DistanceTile tile)
            throws InterruptedException {
        check(queries, references, k, excludeIndex);
        int m = queries.count();
        int[] indices = new int[m * k];
        double[] distances = new double[m * k];
        int block = blockSize(m, workers.threads());
        workers.run(Math.ceilDiv(m, block), task -> {
            int first = task * block;
            int count = Math.min(block, m - first);
            new CandidateScan(queries, references, first, count, k, excludeIndex, tile).run(indices, distances);
        });
        return new Neighbours(m, k, indices, distances);
    }

    /// 252 queries: their slice of 256 dimensions (252 KiB) stays in the second-level cache while a panel of references
    /// is packed once for all of them. Fewer if otherwise a thread would have nothing to do.
    private static int blockSize(int queries, int threads) {
        int share = Math.ceilDiv(Math.max(queries, 1), threads);
        int rounded = Math.ceilDiv(share, DistanceTile.QUERIES) * DistanceTile.QUERIES;
        return Math.min(252, rounded);
    }

    static void check(Rows queries, Rows references, int k, int[] excludeIndex) {
        if (queries.dimension() != references.dimension()) {
            throw new IllegalArgumentException("nearest neighbours: queries have dimension " + queries.dimension()
                    + ", references " + references.dimension());
        }
        if (k < 1 || k > MAX_K) {
            throw new IllegalArgumentException("nearest neighbours: expected k in 1 .. " + MAX_K + ", got " + k);
        }
        if (excludeIndex != null && excludeIndex.length != queries.count()) {
            throw new IllegalArgumentException("nearest neighbours: excludeIndex has " + excludeIndex.length
                    + " entries for " + queries.count() + " queries");
        }
        boolean excludes =
                excludeIndex != null && Arrays.stream(excludeIndex).anyMatch(i -> i >= 0 && i < references.count());
        int available = references.count() - (excludes ? 1 : 0);
        if (available < k) {
            throw new IllegalArgumentException("nearest neighbours: k = " + k + " needs at least " + k
                    + " references per query, got " + available + (excludes ? " besides the excluded one" : ""));
        }
        if ((long) queries.count() * k > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("nearest neighbours: " + queries.count() + " queries times k = " + k
                    + " does not fit in one result; search in parts");
        }
        queries.requireFinite("queries");
        if (!references.equals(queries)) {
            references.requireFinite("references");
        }
    }
}
