package dev.rote.metrics;

import java.util.Arrays;

/// [DistanceTile] in plain loops.
record PlainTile() implements DistanceTile {
    private static final int REFERENCES = 16;

    @Override
    public int references() {
        return REFERENCES;
    }

    @Override
    public void accumulate(float[] x, int xFrom, float[] y, int length, float[] sums, int sumsFrom) {
        float[] t = new float[REFERENCES];
        for (int q = 0; q < QUERIES; q++) {
            Arrays.fill(t, 0);
            for (int i = 0; i < length; i++) {
                float value = x[xFrom + i * QUERIES + q];
                for (int r = 0; r < REFERENCES; r++) {
                    float e = value - y[i * REFERENCES + r];
                    t[r] += e * e;
                }
            }
            for (int r = 0; r < REFERENCES; r++) {
                sums[sumsFrom + q * REFERENCES + r] += t[r];
            }
        }
    }
}
