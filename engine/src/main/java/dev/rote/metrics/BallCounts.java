package dev.rote.metrics;

/// In how many balls does a point lie? Exact: the answer is that of comparing distances by the contract of
/// [SquaredDistance] with the radii. A pass in f32 ([DistanceTile]) decides all pairs but those within its error bound
/// of the radius ([CandidateScan] proves the bound); these are decided by the contract.
final class BallCounts {
    private static final int CHUNK = CandidateScan.CHUNK;
    private static final int QUERIES = 63 * DistanceTile.QUERIES; // of one task, as in the search

    private final Rows points;
    private final Rows centres;
    private final double[] radii;
    private final DistanceTile tile;
    private final int d;
    private final double relative; // bound of the f32 pass's relative error
    private final double absolute; // and of its absolute error, in the subnormal range

    private BallCounts(Rows points, Rows centres, double[] radii, DistanceTile tile) {
        this.points = points;
        this.centres = centres;
        this.radii = radii;
        this.tile = tile;
        d = points.dimension();
        double roundings = CHUNK + Math.ceilDiv(d, CHUNK) + 8.0;
        relative = 2 * roundings * 0x1p-24;
        absolute = 2.0 * (d + roundings) * 0x1p-148;
    }

    /// For each point the number of centres i with `|point - centre_i| <= radii[i]`.
    ///
    /// @param points `[m, d]`, finite
    /// @param centres `[n, d]`, finite
    /// @param radii `[n]`
    static int[] containing(Rows points, Rows centres, double[] radii, int threads) throws InterruptedException {
        points.requireFinite("points");
        centres.requireFinite("centres");
        int[] counts = new int[points.count()];
        BallCounts balls = new BallCounts(points, centres, radii, DistanceTile.best());
        Workers.run(threads, Math.ceilDiv(points.count(), QUERIES), task -> balls.count(task * QUERIES, counts));
        return counts;
    }

    private void count(int first, int[] counts) throws InterruptedException {
        int count = Math.min(QUERIES, points.count() - first);
        int groups = Math.ceilDiv(count, DistanceTile.QUERIES);
        int width = tile.references();
        float[] x = packedPoints(first, count, groups);
        float[] y = new float[CHUNK * width];
        float[] sums = new float[groups * DistanceTile.QUERIES * width];
        float[] line = new float[CHUNK];
        for (int panel = 0; panel < centres.count(); panel += width) {
            Workers.checkInterrupted();
            int used = Math.min(width, centres.count() - panel);
            java.util.Arrays.fill(sums, 0);
            for (int from = 0; from < d; from += CHUNK) {
                int length = Math.min(CHUNK, d - from);
                for (int r = 0; r < used; r++) {
                    centres.copy(panel + r, from, length, line, 0);
                    for (int i = 0; i < length; i++) {
                        y[i * width + r] = line[i];
                    }
                }
                for (int g = 0; g < groups; g++) {
                    int at = (g * d + from) * DistanceTile.QUERIES;
                    tile.accumulate(x, at, y, length, sums, g * DistanceTile.QUERIES * width);
                }
            }
            for (int q = 0; q < count; q++) {
                for (int r = 0; r < used; r++) {
                    counts[first + q] += isInside(sums[q * width + r], first + q, panel + r) ? 1 : 0;
                }
            }
        }
    }

    private float[] packedPoints(int first, int count, int groups) {
        float[] x = new float[Math.multiplyExact(groups * DistanceTile.QUERIES, d)]; // [groups, d, QUERIES]
        float[] line = new float[d];
        for (int q = 0; q < count; q++) {
            points.copy(first + q, 0, d, line, 0);
            int at = q / DistanceTile.QUERIES * d * DistanceTile.QUERIES + q % DistanceTile.QUERIES;
            for (int i = 0; i < d; i++) {
                x[at + i * DistanceTile.QUERIES] = line[i];
            }
        }
        return x;
    }

    private boolean isInside(float square, int point, int centre) {
        double limit = radii[centre] * radii[centre];
        double slack = relative * limit + absolute;
        if (square < limit - slack) {
            return true;
        }
        if (square > limit + slack && square < Float.POSITIVE_INFINITY) {
            return false;
        }
        float[] a = new float[d];
        float[] b = new float[d];
        points.copy(point, 0, d, a, 0);
        centres.copy(centre, 0, d, b, 0);
        return Math.sqrt(SquaredDistance.between(a, b)) <= radii[centre];
    }
}
