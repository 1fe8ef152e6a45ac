package dev.rote.metrics;

import java.lang.foreign.MemorySegment;

/// A part of a set of rows, chosen by a seed without replacement: the same on every machine.
public final class Subset {
    private Subset() {}

    /// The numbers 0 .. count - 1 in an order that the seed decides (Fisher & Yates; Durstenfeld 1964).
    public static int[] permutation(int count, long seed) {
        SplitMix64 random = new SplitMix64(seed);
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    /// `count` of the rows, or all of them, unchanged, where there are no more.
    public static Rows of(Rows rows, int count, long seed) {
        return rows.count() <= count ? rows : rows(rows, permutation(rows.count(), seed), 0, count);
    }

    /// Copies of rows `indices[first .. first + count - 1]`, in that order.
    public static Rows rows(Rows rows, int[] indices, int first, int count) {
        int d = rows.dimension();
        float[] chosen = new float[Math.multiplyExact(count, d)];
        for (int i = 0; i < count; i++) {
            rows.copy(indices[first + i], 0, d, chosen, i * d);
        }
        return new Rows(MemorySegment.ofArray(chosen), count, d);
    }
}
