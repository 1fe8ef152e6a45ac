package dev.rote.metrics;

/// The inner kernel of the f32 pass: [#QUERIES] queries against [#references] references, direct differences.
///
/// Layouts are such that lanes are references (no sum across lanes) and every load is contiguous:
/// `x [length, QUERIES]`, `y [length, references]`, `sums [QUERIES, references]`.
sealed interface DistanceTile permits VectorTile, PlainTile {
    /// Queries per tile. 4 x 2 vectors of sums are 8 chains, as many as the latency of the fma needs (4 cycles, 2
    /// ports).
    /// 6 x 2 and 4 x 4 were measured and rejected: the method outgrows the compiler's inlining limits and falls from
    /// 113 to 15 GFLOP/s (one core, AVX-512).
    int QUERIES = 4;

    /// References per tile.
    int references();

    /// `sums[q, r] += t[q, r]` with `t[q, r] = sum over i of (x[i, q] - y[i, r])^2`, i in order, starting at 0. Each
    /// element costs at most three roundings (difference, square, sum), the last addition one.
    void accumulate(float[] x, int xFrom, float[] y, int length, float[] sums, int sumsFrom);

    /// The vector version where the module is present and vectors are wide enough to pay, else plain loops.
    static DistanceTile best() {
        return SimdSupport.AVAILABLE ? new VectorTile() : new PlainTile();
    }
}
