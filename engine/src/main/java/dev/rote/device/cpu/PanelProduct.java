package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.LANES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Product of small matrices on the heap, `c[m,n] (+)= sum_k a[k,m] b[k,n]`: n runs along the vectors, a is read number
/// by number and so may have any strides.
///
/// Four rows by two vectors at a time: per k eight multiply-adds against six loads, so arithmetic is the limit.
///
/// @param aStep from one k to the next
/// @param aRow from one m to the next
/// @param rows a multiple of 4
/// @param columns a multiple of two vectors
record PanelProduct(
        float[] a,
        int aStep,
        int aRow,
        float[] b,
        int bStep,
        float[] c,
        int cRow,
        int rows,
        int columns,
        int depth,
        boolean accumulate) {
    /// Rows that the loop takes at a time.
    static final int ROWS = 4;

    /// Floats that the loop takes at a time along n.
    static final int COLUMNS = 2 * LANES;

    /// Runs it with a and b beginning at these elements.
    void run(int aFrom, int bFrom) {
        if (!accumulate) {
            Arrays.fill(c, 0, rows * cRow, 0);
        }
        for (int m = 0; m < rows; m += ROWS) {
            int aAt = aFrom + m * aRow;
            for (int n = 0; n < columns; n += COLUMNS) {
                int cAt = m * cRow + n;
                add(a, aAt, aStep, aRow, b, bFrom + n, bStep, c, cAt, cRow, depth);
            }
        }
    }

    private static void add(
            float[] a,
            int aAt,
            int aStep,
            int aRow,
            float[] b,
            int bAt,
            int bStep,
            float[] c,
            int cAt,
            int cRow,
            int depth) {
        FloatVector c00 = FloatVector.fromArray(F, c, cAt);
        FloatVector c01 = FloatVector.fromArray(F, c, cAt + LANES);
        FloatVector c10 = FloatVector.fromArray(F, c, cAt + cRow);
        FloatVector c11 = FloatVector.fromArray(F, c, cAt + cRow + LANES);
        FloatVector c20 = FloatVector.fromArray(F, c, cAt + 2 * cRow);
        FloatVector c21 = FloatVector.fromArray(F, c, cAt + 2 * cRow + LANES);
        FloatVector c30 = FloatVector.fromArray(F, c, cAt + 3 * cRow);
        FloatVector c31 = FloatVector.fromArray(F, c, cAt + 3 * cRow + LANES);
        for (int k = 0; k < depth; k++) {
            FloatVector b0 = FloatVector.fromArray(F, b, bAt + k * bStep);
            FloatVector b1 = FloatVector.fromArray(F, b, bAt + k * bStep + LANES);
            int at = aAt + k * aStep;
            FloatVector a0 = FloatVector.broadcast(F, a[at]);
            c00 = a0.fma(b0, c00);
            c01 = a0.fma(b1, c01);
            FloatVector a1 = FloatVector.broadcast(F, a[at + aRow]);
            c10 = a1.fma(b0, c10);
            c11 = a1.fma(b1, c11);
            FloatVector a2 = FloatVector.broadcast(F, a[at + 2 * aRow]);
            c20 = a2.fma(b0, c20);
            c21 = a2.fma(b1, c21);
            FloatVector a3 = FloatVector.broadcast(F, a[at + 3 * aRow]);
            c30 = a3.fma(b0, c30);
            c31 = a3.fma(b1, c31);
        }
        c00.intoArray(c, cAt);
        c01.intoArray(c, cAt + LANES);
        c10.intoArray(c, cAt + cRow);
        c11.intoArray(c, cAt + cRow + LANES);
        c20.intoArray(c, cAt + 2 * cRow);
        c21.intoArray(c, cAt + 2 * cRow + LANES);
        c30.intoArray(c, cAt + 3 * cRow);
        c31.intoArray(c, cAt + 3 * cRow + LANES);
    }
}
