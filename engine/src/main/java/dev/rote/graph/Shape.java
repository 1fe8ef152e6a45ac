package dev.rote.graph;

import java.util.Arrays;
import java.util.stream.Collectors;

/// Extents of a dense row-major tensor, the last dimension fastest. Immutable; at least one extent, each at least 1.
public final class Shape {
    private final int[] dims;

    private Shape(int[] dims) {
        this.dims = dims;
    }

    /// @throws IllegalArgumentException if there is no extent, one is below 1 or the element count exceeds 2^62
    public static Shape of(int... dims) {
        if (dims.length == 0) {
            throw new IllegalArgumentException("shape []: at least one extent, [1] for a single number");
        }
        long elements = 1;
        for (int dim : dims) {
            if (dim < 1) {
                throw new IllegalArgumentException(
                        "shape " + Arrays.toString(dims) + ": every extent must be at least 1");
            }
            if (elements > (1L << 62) / dim) {
                throw new IllegalArgumentException("shape " + Arrays.toString(dims) + ": too many elements");
            }
            elements *= dim;
        }
        return new Shape(dims.clone());
    }

    public int rank() {
        return dims.length;
    }

    /// Extent of an axis; negative axes count from the end, so `dim(-1)` is the innermost one.
    public int dim(int axis) {
        return dims[axis < 0 ? dims.length + axis : axis];
    }

    public int last() {
        return dims[dims.length - 1];
    }

    public long elements() {
        return elements(0, dims.length);
    }

    /// Product of the extents of axes `begin` (included) to `end` (excluded).
    public long elements(int begin, int end) {
        long product = 1;
        for (int axis = begin; axis < end; axis++) {
            product *= dims[axis];
        }
        return product;
    }

    /// The same shape with one extent replaced.
    public Shape with(int axis, int extent) {
        int[] copy = dims.clone();
        copy[axis < 0 ? dims.length + axis : axis] = extent;
        return of(copy);
    }

    public int[] toArray() {
        return dims.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    @Override
    public String toString() {
        return Arrays.stream(dims).mapToObj(Integer::toString).collect(Collectors.joining(",", "[", "]"));
    }
}
