package dev.rote.metrics;

import java.util.Arrays;

/// One block of queries against all references: the f32 pass, then the f64 ranking of what it kept.
///
/// **Why no neighbour is lost.** Write S for the exact sum of squared differences of a pair, F for the value of the f32
/// pass, C for the f64 contract ([SquaredDistance]); u = 2^-24.
///
/// 1. A sum of at most c = 256 elements starts at 0; each element meets a rounded difference (its error enters twice),
/// a
///    square and up to c additions; m = ceil(d/c) partial sums are then added. All terms are non-negative, so
///    F = S (1 + t) + a with |t| <= (c + m + 3) u / (1 - (c + m + 3) u) (Higham, "Accuracy and Stability of Numerical
///    Algorithms", 2002, lemma 3.1), and |a| <= (2d + m) 2^-150 for roundings in the subnormal range (differences
///    that are subnormal are exact).
/// 2. C = S (1 + t') with |t'| <= (d/8 + 6) 2^-53 < u for d below 2^31. Together, with N = c + m + 8,
///    e = N u / (1 - N u) and h = (d + m) 2^-148:   C (1 - e) - h <= F <= C (1 + e) + h.
/// 3. Let T be the k-th smallest F. The k references with F <= T have C <= U = (T + h) / (1 - e), so the k-th smallest
/// C
///    is at most U. Whoever has C <= U, ties included, has F <= V = U (1 + e) + h. Hence {F <= V} contains every
///    reference that is among the k nearest under any tie rule. The spare 4 in N covers the rounding of U and V (f64).
/// 4. Overflow: where V is at most Float.MAX_VALUE, C <= U implies that all partial sums of F are at most V and none
///    overflowed. Where V is larger, its f32 value is +infinity and nothing is ever dropped.
///
/// While references stream by, T is the k-th smallest so far, which only falls; so the kept ones are a superset.
final class CandidateScan {
    /// Dimensions per partial sum: bounds the error, and a panel of 32 references is then 32 KiB, the first-level
    /// cache.
    static final int CHUNK = 256;

    private final Rows queries;
    private final Rows references;
    private final int first;
    private final int count;
    private final int k;
    private final int[] excludeIndex;
    private final DistanceTile tile;

    private final int d;
    private final int groups;
    private final float[] x; // [groups, d, QUERIES], zero where a group is not full
    private final float[] y; // [CHUNK, references of a tile]
    private final float[] sums; // [groups, QUERIES, references of a tile]
    private final Candidates[] kept; // [count]

    CandidateScan(Rows queries, Rows references, int first, int count, int k, int[] excludeIndex, DistanceTile tile) {
        this.queries = queries;
        this.references = references;
        this.first = first;
        this.count = count;
        this.k = k;
        this.excludeIndex = excludeIndex;
        this.tile = tile;
        d = queries.dimension();
        groups = Math.ceilDiv(count, DistanceTile.QUERIES);
        x = new float[Math.multiplyExact(groups * DistanceTile.QUERIES, d)];
        y = new float[CHUNK * tile.references()];
        sums = new float[groups * DistanceTile.QUERIES * tile.references()];
        kept = new Candidates[count];
    }

    /// Writes rows `first .. first + count - 1` of `indices` and `distances`, both `[m, k]`.
    void run(int[] indices, double[] distances) throws InterruptedException {
        packQueries();
        Arrays.setAll(kept, q -> new Candidates(k, d));
        for (int panel = 0; panel < references.count(); panel += tile.references()) {
            Workers.checkInterrupted();
            scan(panel, Math.min(tile.references(), references.count() - panel));
        }
        float[] query = new float[d];
        float[] reference = new float[d];
        for (int q = 0; q < count; q++) {
            Workers.checkInterrupted();
            queries.copy(first + q, 0, d, query, 0);
            rank(q, query, reference).write(first + q, indices, distances);
        }
    }

    private void packQueries() {
        float[] line = new float[d];
        for (int q = 0; q < count; q++) {
            queries.copy(first + q, 0, d, line, 0);
            int at = q / DistanceTile.QUERIES * d * DistanceTile.QUERIES + q % DistanceTile.QUERIES;
            for (int i = 0; i < d; i++) {
                x[at + i * DistanceTile.QUERIES] = line[i];
            }
        }
    }

    private void scan(int panel, int width) {
        Arrays.fill(sums, 0);
        int tileSize = DistanceTile.QUERIES * tile.references();
        for (int from = 0; from < d; from += CHUNK) {
            int length = Math.min(CHUNK, d - from);
            packReferences(panel, width, from, length);
            for (int g = 0; g < groups; g++) {
                tile.accumulate(x, (g * d + from) * DistanceTile.QUERIES, y, length, sums, g * tileSize);
            }
        }
        for (int q = 0; q < count; q++) {
            int excluded = excludeIndex == null ? -1 : excludeIndex[first + q];
            kept[q].offer(sums, q * tile.references(), width, panel, excluded);
        }
    }

    /// Columns beyond `width` keep stale finite values; their sums are not read.
    private void packReferences(int panel, int width, int from, int length) {
        float[] line = new float[length];
        for (int r = 0; r < width; r++) {
            references.copy(panel + r, from, length, line, 0);
            for (int i = 0, at = r; i < length; i++, at += tile.references()) {
                y[at] = line[i];
            }
        }
    }

    private TopK rank(int q, float[] query, float[] reference) {
        TopK best = new TopK(k);
        int remaining = kept[q].remaining();
        for (int j = 0; j < remaining; j++) {
            int index = kept[q].index(j);
            references.copy(index, 0, d, reference, 0);
            best.offer(SquaredDistance.between(query, reference), index);
        }
        return best;
    }
}
