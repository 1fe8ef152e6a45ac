package dev.rote.metrics;

import java.util.Arrays;

/// The references that one query may still need, by their f32 squares. The bound is derived in [CandidateScan].
final class Candidates {
    private final double relative; // e
    private final double absolute; // h
    private final float[] smallest; // the k smallest f32 squares so far, ascending, +inf where there are fewer
    private float bound = Float.POSITIVE_INFINITY; // V, rounded up
    private int[] indices;
    private float[] squares;
    private int size;

    Candidates(int k, int d) {
        int partial = Math.ceilDiv(d, CandidateScan.CHUNK);
        double roundings = (Math.min(d, CandidateScan.CHUNK) + partial + 8) * 0x1p-24;
        relative = roundings / (1 - roundings);
        absolute = ((double) d + partial) * 0x1p-148;
        smallest = new float[k];
        Arrays.fill(smallest, Float.POSITIVE_INFINITY);
        indices = new int[4 * k + 24];
        squares = new float[indices.length];
    }

    /// Reference `firstIndex + r` has the f32 square `sums[from + r]`, r = 0 .. width - 1.
    void offer(float[] sums, int from, int width, int firstIndex, int excluded) {
        for (int r = 0; r < width; r++) {
            if (sums[from + r] <= bound && firstIndex + r != excluded) {
                add(firstIndex + r, sums[from + r]);
            }
        }
    }

    /// Drops what a later, lower bound has ruled out; the number that is left.
    int remaining() {
        compact();
        return size;
    }

    int index(int position) {
        return indices[position];
    }

    private void add(int index, float square) {
        if (size == indices.length) {
            makeRoom();
        }
        indices[size] = index;
        squares[size++] = square;
        int k = smallest.length;
        if (square >= smallest[k - 1]) {
            return;
        }
        int at = k - 1;
        for (; at > 0 && smallest[at - 1] > square; at--) {
            smallest[at] = smallest[at - 1];
        }
        smallest[at] = square;
        bound = upperBound(smallest[k - 1]);
    }

    private float upperBound(float kthSmallest) {
        double contract = (kthSmallest + absolute) / (1 - relative);
        double f32 = contract * (1 + relative) + absolute;
        float rounded = (float) f32;
        return rounded < f32 ? Math.nextUp(rounded) : rounded;
    }

    private void makeRoom() {
        compact();
        if (size > indices.length / 2) {
            indices = Arrays.copyOf(indices, 2 * indices.length);
            squares = Arrays.copyOf(squares, indices.length);
        }
    }

    private void compact() {
        int left = 0;
        for (int j = 0; j < size; j++) {
            if (squares[j] <= bound) {
                indices[left] = indices[j];
                squares[left++] = squares[j];
            }
        }
        size = left;
    }
}
