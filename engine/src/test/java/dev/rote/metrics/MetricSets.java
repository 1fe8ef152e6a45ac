package dev.rote.metrics;

import java.util.Arrays;

/// Sets of rows that tests and `golden/sample_metrics.py` build alike.
final class MetricSets {
    private MetricSets() {}

    /// `rows(kind, count, d)` of the script.
    static float[] values(int kind, int count, int d) {
        float[] values = new float[count * d];
        for (int at = 0; at < values.length; at++) {
            long i = at / d;
            long j = at % d;
            long v = (i * 7919 + j * 104729 + kind * 1299709L + i * i * 31 + i * j * 17) % 1009;
            values[at] = (float) (v / 1009.0);
        }
        return values;
    }

    static Rows training() {
        return Rows.of(values(0, 80, 6), 6);
    }

    /// Set 2 scaled by 3/4, its first eight rows copies of every tenth training row.
    static Rows samples() {
        float[] values = values(2, 50, 6);
        for (int at = 0; at < values.length; at++) {
            values[at] *= 0.75f;
        }
        float[] training = values(0, 80, 6);
        for (int copy = 0; copy < 8; copy++) {
            System.arraycopy(training, copy * 10 * 6, values, copy * 6, 6);
        }
        return Rows.of(values, 6);
    }

    /// Independent Gaussian values.
    static Rows gaussian(int count, int d, long seed) {
        SplitMix64 random = new SplitMix64(seed);
        float[] values = new float[count * d];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Rows.of(values, d);
    }

    /// First distances of a search.
    static double[] nearest(Rows queries, Rows references) throws InterruptedException {
        return NearestNeighbours.search(queries, references, 1, 1).distances();
    }

    /// Rows of `first`, then rows of `second`.
    static Rows joined(Rows first, Rows second) {
        float[] a = copy(first);
        float[] b = copy(second);
        float[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return Rows.of(both, first.dimension());
    }

    static float[] copy(Rows rows) {
        float[] values = new float[rows.count() * rows.dimension()];
        for (int i = 0; i < values.length; i++) {
            values[i] = rows.at(i / rows.dimension(), i % rows.dimension());
        }
        return values;
    }
}
