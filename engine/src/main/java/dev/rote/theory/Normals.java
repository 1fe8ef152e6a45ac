package dev.rote.theory;

import dev.rote.device.linalg.Matrix;
import dev.rote.random.Purpose;
import dev.rote.random.RandomFill;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Matrices of independent standard normals, as functions of (seed, stream, row, column).
final class Normals {
    /// What a sequence of numbers is for: the step of [Purpose#SYNTHETIC].
    enum Stream {
        FEATURES,
        DATA,
        OMEGA,
        NOISE,
        SCALE,
        TEST_DATA,
        TEST_NOISE,
        TEST_SCALE
    }

    private Normals() {}

    /// Rows `first .. first + rows - 1` of an endless matrix with so many columns.
    static Matrix matrix(long first, int rows, int columns, long seed, Stream stream) {
        Matrix matrix = new Matrix(rows, columns);
        double[] row = new double[columns];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment drawn = arena.allocate((long) columns * Float.BYTES, 64);
            for (int i = 0; i < rows; i++) {
                RandomFill.fillNormal(drawn, columns, seed, stream.ordinal(), Purpose.SYNTHETIC, (first + i) * columns);
                for (int j = 0; j < columns; j++) {
                    row[j] = drawn.getAtIndex(ValueLayout.JAVA_FLOAT, j);
                }
                matrix.setRow(i, row);
            }
        }
        return matrix;
    }
}
