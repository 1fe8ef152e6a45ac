package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.LANES;

import jdk.incubator.vector.FloatVector;

/// Products of small matrices on the heap, `c[m,n] (+)= sum_k a[m,k] b[k,n]`, where n runs along the vectors.
///
/// Every step of an inner loop is by a constant: only then does the compiler drop the checks of bounds, which take a
/// third of the time otherwise. A *strip* is a matrix whose rows are two vectors long ([#PAIR] floats). Four rows
/// of a by a strip make eight multiply-adds against six loads.
final class PanelProduct {
    /// Floats in a row of a strip.
    static final int PAIR = 2 * LANES;

    /// Rows that the loops take at a time.
    static final int ROWS = 4;

    /// The same of [#narrow].
    static final int NARROW_ROWS = 8;

    private PanelProduct() {}

    /// `c = a b` with strips b and c and four rows of a side by side, as [PanelMoves#fours] lays them.
    ///
    /// @param a [rows / 4, depth, 4] from element `aFrom` on
    /// @param rows a multiple of [#ROWS]
    static void rows(float[] a, int aFrom, float[] b, int bAt, float[] c, int rows, int depth) {
        for (int m = 0; m < rows; m += ROWS) {
            FloatVector c00 = FloatVector.zero(F);
            FloatVector c01 = c00;
            FloatVector c10 = c00;
            FloatVector c11 = c00;
            FloatVector c20 = c00;
            FloatVector c21 = c00;
            FloatVector c30 = c00;
            FloatVector c31 = c00;
            int first = aFrom + m * depth;
            for (int k = 0; k < depth; k++) {
                FloatVector b0 = FloatVector.fromArray(F, b, bAt + k * PAIR);
                FloatVector b1 = FloatVector.fromArray(F, b, bAt + k * PAIR + LANES);
                FloatVector a0 = FloatVector.broadcast(F, a[first + ROWS * k]);
                c00 = a0.fma(b0, c00);
                c01 = a0.fma(b1, c01);
                FloatVector a1 = FloatVector.broadcast(F, a[first + ROWS * k + 1]);
                c10 = a1.fma(b0, c10);
                c11 = a1.fma(b1, c11);
                FloatVector a2 = FloatVector.broadcast(F, a[first + ROWS * k + 2]);
                c20 = a2.fma(b0, c20);
                c21 = a2.fma(b1, c21);
                FloatVector a3 = FloatVector.broadcast(F, a[first + ROWS * k + 3]);
                c30 = a3.fma(b0, c30);
                c31 = a3.fma(b1, c31);
            }
            int at = m * PAIR;
            c00.intoArray(c, at);
            c01.intoArray(c, at + LANES);
            c10.intoArray(c, at + PAIR);
            c11.intoArray(c, at + PAIR + LANES);
            c20.intoArray(c, at + 2 * PAIR);
            c21.intoArray(c, at + 2 * PAIR + LANES);
            c30.intoArray(c, at + 3 * PAIR);
            c31.intoArray(c, at + 3 * PAIR + LANES);
        }
    }

    /// `c += a b` with strips b and c and four rows of a side by side, as [PanelMoves#byDepth] lays them.
    ///
    /// @param a [rows / 4, depth, 4] from element `aFrom` on
    /// @param rows a multiple of [#ROWS]
    static void add(float[] a, int aFrom, float[] b, float[] c, int rows, int depth) {
        for (int m = 0; m < rows; m += ROWS) {
            int at = m * PAIR;
            FloatVector c00 = FloatVector.fromArray(F, c, at);
            FloatVector c01 = FloatVector.fromArray(F, c, at + LANES);
            FloatVector c10 = FloatVector.fromArray(F, c, at + PAIR);
            FloatVector c11 = FloatVector.fromArray(F, c, at + PAIR + LANES);
            FloatVector c20 = FloatVector.fromArray(F, c, at + 2 * PAIR);
            FloatVector c21 = FloatVector.fromArray(F, c, at + 2 * PAIR + LANES);
            FloatVector c30 = FloatVector.fromArray(F, c, at + 3 * PAIR);
            FloatVector c31 = FloatVector.fromArray(F, c, at + 3 * PAIR + LANES);
            int first = aFrom + m * depth;
            for (int k = 0; k < depth; k++) {
                FloatVector b0 = FloatVector.fromArray(F, b, k * PAIR);
                FloatVector b1 = FloatVector.fromArray(F, b, k * PAIR + LANES);
                FloatVector a0 = FloatVector.broadcast(F, a[first + ROWS * k]);
                c00 = a0.fma(b0, c00);
                c01 = a0.fma(b1, c01);
                FloatVector a1 = FloatVector.broadcast(F, a[first + ROWS * k + 1]);
                c10 = a1.fma(b0, c10);
                c11 = a1.fma(b1, c11);
                FloatVector a2 = FloatVector.broadcast(F, a[first + ROWS * k + 2]);
                c20 = a2.fma(b0, c20);
                c21 = a2.fma(b1, c21);
                FloatVector a3 = FloatVector.broadcast(F, a[first + ROWS * k + 3]);
                c30 = a3.fma(b0, c30);
                c31 = a3.fma(b1, c31);
            }
            c00.intoArray(c, at);
            c01.intoArray(c, at + LANES);
            c10.intoArray(c, at + PAIR);
            c11.intoArray(c, at + PAIR + LANES);
            c20.intoArray(c, at + 2 * PAIR);
            c21.intoArray(c, at + 2 * PAIR + LANES);
            c30.intoArray(c, at + 3 * PAIR);
            c31.intoArray(c, at + 3 * PAIR + LANES);
        }
    }

    /// `c += a b` with a strip a, and rows of b and c one vector long.
    ///
    /// @param rows a multiple of [#NARROW_ROWS]
    static void narrow(float[] a, float[] b, int bAt, float[] c, int cFrom, int rows) {
        for (int m = 0; m < rows; m += NARROW_ROWS) {
            int at = cFrom + m * LANES;
            FloatVector c0 = FloatVector.fromArray(F, c, at);
            FloatVector c1 = FloatVector.fromArray(F, c, at + LANES);
            FloatVector c2 = FloatVector.fromArray(F, c, at + 2 * LANES);
            FloatVector c3 = FloatVector.fromArray(F, c, at + 3 * LANES);
            FloatVector c4 = FloatVector.fromArray(F, c, at + 4 * LANES);
            FloatVector c5 = FloatVector.fromArray(F, c, at + 5 * LANES);
            FloatVector c6 = FloatVector.fromArray(F, c, at + 6 * LANES);
            FloatVector c7 = FloatVector.fromArray(F, c, at + 7 * LANES);
            int first = m * PAIR;
            for (int k = 0; k < PAIR; k++) {
                FloatVector row = FloatVector.fromArray(F, b, bAt + k * LANES);
                c0 = row.fma(FloatVector.broadcast(F, a[first + k]), c0);
                c1 = row.fma(FloatVector.broadcast(F, a[first + PAIR + k]), c1);
                c2 = row.fma(FloatVector.broadcast(F, a[first + 2 * PAIR + k]), c2);
                c3 = row.fma(FloatVector.broadcast(F, a[first + 3 * PAIR + k]), c3);
                c4 = row.fma(FloatVector.broadcast(F, a[first + 4 * PAIR + k]), c4);
                c5 = row.fma(FloatVector.broadcast(F, a[first + 5 * PAIR + k]), c5);
                c6 = row.fma(FloatVector.broadcast(F, a[first + 6 * PAIR + k]), c6);
                c7 = row.fma(FloatVector.broadcast(F, a[first + 7 * PAIR + k]), c7);
            }
            c0.intoArray(c, at);
            c1.intoArray(c, at + LANES);
            c2.intoArray(c, at + 2 * LANES);
            c3.intoArray(c, at + 3 * LANES);
            c4.intoArray(c, at + 4 * LANES);
            c5.intoArray(c, at + 5 * LANES);
            c6.intoArray(c, at + 6 * LANES);
            c7.intoArray(c, at + 7 * LANES);
        }
    }
}
