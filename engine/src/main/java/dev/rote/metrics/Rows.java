package dev.rote.metrics;

import dev.rote.device.Vectors;
import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A matrix of f32 rows, `values [count, dimension]`, row-major without gaps, native byte order, in a Java array or
/// anywhere else in memory (a mapped file, a device's host buffer). The segment is read, never written or closed.
///
/// @param values at least `count * dimension` floats; need not be aligned
/// @param count number of rows, 0 or more
/// @param dimension floats per row, 1 or more
public record Rows(MemorySegment values, int count, int dimension) {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt BITS = ValueLayout.JAVA_INT_UNALIGNED;

    /// Bits of the smallest number that is not finite.
    private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

    public Rows {
        if (count < 0 || dimension < 1) {
            throw new IllegalArgumentException(
                    "rows: expected count >= 0 and dimension >= 1, got [" + count + ", " + dimension + "]");
        }
        long needed = (long) count * dimension * Float.BYTES;
        if (values.byteSize() < needed) {
            throw new IllegalArgumentException("rows [" + count + ", " + dimension + "]: expected at least " + needed
                    + " bytes, got " + values.byteSize());
        }
    }

    /// `values.length / dimension` rows over the array itself.
    ///
    /// @throws IllegalArgumentException if the length is no multiple of `dimension`
    public static Rows of(float[] values, int dimension) {
        if (dimension < 1 || values.length % dimension != 0) {
            throw new IllegalArgumentException(
                    "rows: length " + values.length + " is not a multiple of the dimension " + dimension);
        }
        return new Rows(MemorySegment.ofArray(values), values.length / dimension, dimension);
    }

    /// The value in `row` and `column`.
    public float at(int row, int column) {
        return values.get(FLOAT, offset(row, column));
    }

    /// Rows `first .. first + rows - 1`, as a view.
    public Rows slice(int first, int rows) {
        if (first < 0 || rows < 0 || first > count - rows) {
            throw new IllegalArgumentException(
                    "slice: rows " + first + " to " + ((long) first + rows) + " of a matrix with " + count);
        }
        return new Rows(values.asSlice(offset(first, 0), (long) rows * dimension * Float.BYTES), rows, dimension);
    }

    /// Copies `length` values of `row`, starting at `column`, to `target[from ..]`.
    void copy(int row, int column, int length, float[] target, int from) {
        MemorySegment.copy(values, FLOAT, offset(row, column), target, from, length);
    }

    /// @throws IllegalArgumentException that names the first value that is NaN or infinite
    void requireFinite(String what) {
        int[] line = new int[dimension];
        for (int row = 0; row < count; row++) {
            MemorySegment.copy(values, BITS, offset(row, 0), line, 0, dimension);
            if (largest(line) < INFINITY) {
                continue;
            }
            for (int column = 0; column < dimension; column++) {
                if (!Float.isFinite(at(row, column))) {
                    throw new IllegalArgumentException(what + ": row " + row + ", column " + column
                            + ": expected a finite value, found " + at(row, column));
                }
            }
        }
    }

    /// The largest of absolute values in bits: their order is that of the numbers, with NaN above infinity.
    private static int largest(int[] line) {
        int largest = 0;
        for (int bits : line) {
            largest = Math.max(largest, bits & Integer.MAX_VALUE);
        }
        return largest;
    }

    Vectors vectors() {
        return new Vectors(values, count, dimension, DType.F32);
    }

    private long offset(int row, int column) {
        return ((long) row * dimension + column) * Float.BYTES;
    }
}
