package dev.rote.device.linalg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A dense f64 matrix in native memory, row-major without gaps; freed when nobody holds it any more.
public final class Matrix {
    private static final ValueLayout.OfDouble VALUE = ValueLayout.JAVA_DOUBLE;

    private final int rows;
    private final int columns;
    private final MemorySegment values;

    /// A matrix of zeros.
    ///
    /// @throws IllegalArgumentException unless both sizes are at least 1
    public Matrix(int rows, int columns) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException("matrix: expected at least 1 x 1, found " + rows + " x " + columns);
        }
        this.rows = rows;
        this.columns = columns;
        this.values = Arena.ofAuto().allocate((long) rows * columns * Double.BYTES, 64);
    }

    /// A copy of `values`, `[rows, columns]` row-major.
    public static Matrix of(int rows, int columns, double... values) {
        Matrix matrix = new Matrix(rows, columns);
        if (values.length != rows * columns) {
            throw new IllegalArgumentException(
                    "matrix: expected " + rows + " x " + columns + " values, found " + values.length);
        }
        MemorySegment.copy(values, 0, matrix.values, VALUE, 0, values.length);
        return matrix;
    }

    public int rows() {
        return rows;
    }

    public int columns() {
        return columns;
    }

    public double get(int row, int column) {
        return values.getAtIndex(VALUE, (long) row * columns + column);
    }

    public void set(int row, int column, double value) {
        values.setAtIndex(VALUE, (long) row * columns + column, value);
    }

    public void add(int row, int column, double value) {
        set(row, column, get(row, column) + value);
    }

    /// A copy of one row.
    public double[] row(int row) {
        double[] copy = new double[columns];
        MemorySegment.copy(values, VALUE, (long) row * columns * Double.BYTES, copy, 0, columns);
        return copy;
    }

    /// Writes one row, `source [columns]`.
    public void setRow(int row, double[] source) {
        MemorySegment.copy(source, 0, values, VALUE, (long) row * columns * Double.BYTES, columns);
    }

    /// Multiplies every element.
    public void scale(double factor) {
        for (long i = 0; i < (long) rows * columns; i++) {
            values.setAtIndex(VALUE, i, factor * values.getAtIndex(VALUE, i));
        }
    }

    public Matrix copy() {
        Matrix copy = new Matrix(rows, columns);
        copy.values.copyFrom(values);
        return copy;
    }

    MemorySegment values() {
        return values;
    }

    @Override
    public String toString() {
        return "matrix " + rows + " x " + columns;
    }
}
