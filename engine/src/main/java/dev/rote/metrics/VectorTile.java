package dev.rote.metrics;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// [DistanceTile] with the Vector API: two vectors of references, eight sums in registers.
record VectorTile() implements DistanceTile {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    @Override
    public int references() {
        return 2 * LANES;
    }

    @Override
    public void accumulate(float[] x, int xFrom, float[] y, int length, float[] sums, int sumsFrom) {
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector a0 = zero, a1 = zero, b0 = zero, b1 = zero, c0 = zero, c1 = zero, d0 = zero, d1 = zero;
        for (int i = 0; i < length; i++) {
            int atX = xFrom + i * QUERIES;
            int atY = i * 2 * LANES;
            FloatVector y0 = FloatVector.fromArray(SPECIES, y, atY);
            FloatVector y1 = FloatVector.fromArray(SPECIES, y, atY + LANES);
            FloatVector q = FloatVector.broadcast(SPECIES, x[atX]);
            a0 = squared(q.sub(y0), a0);
            a1 = squared(q.sub(y1), a1);
            q = FloatVector.broadcast(SPECIES, x[atX + 1]);
            b0 = squared(q.sub(y0), b0);
            b1 = squared(q.sub(y1), b1);
            q = FloatVector.broadcast(SPECIES, x[atX + 2]);
            c0 = squared(q.sub(y0), c0);
            c1 = squared(q.sub(y1), c1);
            q = FloatVector.broadcast(SPECIES, x[atX + 3]);
            d0 = squared(q.sub(y0), d0);
            d1 = squared(q.sub(y1), d1);
        }
        add(a0, a1, sums, sumsFrom);
        add(b0, b1, sums, sumsFrom + 2 * LANES);
        add(c0, c1, sums, sumsFrom + 4 * LANES);
        add(d0, d1, sums, sumsFrom + 6 * LANES);
    }

    private static FloatVector squared(FloatVector difference, FloatVector sum) {
        return difference.fma(difference, sum);
    }

    private static void add(FloatVector t0, FloatVector t1, float[] sums, int at) {
        FloatVector.fromArray(SPECIES, sums, at).add(t0).intoArray(sums, at);
        FloatVector.fromArray(SPECIES, sums, at + LANES).add(t1).intoArray(sums, at + LANES);
    }
}
