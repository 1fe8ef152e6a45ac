package dev.rote.metrics;

/// The definition of correct for every nearest-neighbour search: all pairs, one after the other, by
/// [SquaredDistance]. Slow; the tests compare [NearestNeighbours] and the kernels with it bit for bit.
public final class NearestNeighboursReference {
    private NearestNeighboursReference() {}

    /// The `k` nearest of `references [n, d]` for each of `queries [m, d]`, where query i ignores reference
    /// `excludeIndex[i]` (-1: none; a null array: none at all).
    ///
    /// @throws IllegalArgumentException as [NearestNeighbours#search(Rows, Rows, int, int[], int)]
    public static Neighbours search(Rows queries, Rows references, int k, int[] excludeIndex) {
        NearestNeighbours.check(queries, references, k, excludeIndex);
        int d = queries.dimension();
        int[] indices = new int[queries.count() * k];
        double[] distances = new double[queries.count() * k];
        float[] x = new float[d];
        float[] y = new float[d];
        for (int q = 0; q < queries.count(); q++) {
            queries.copy(q, 0, d, x, 0);
            TopK best = new TopK(k);
            for (int r = 0; r < references.count(); r++) {
                if (excludeIndex == null || excludeIndex[q] != r) {
                    references.copy(r, 0, d, y, 0);
                    best.offer(SquaredDistance.plain(x, y), r);
                }
            }
            best.write(q, indices, distances);
        }
        return new Neighbours(queries.count(), k, indices, distances);
    }
}
