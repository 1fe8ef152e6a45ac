package dev.rote.reference;

import dev.rote.graph.Shape;

/// A row-major array with its shape. The array is the tensor itself: who changes it changes the tensor.
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record Tensor(Shape shape, double[] data) {
    int dim(int axis) {
        return shape.dim(axis);
    }

    int last() {
        return shape.last();
    }

    int size() {
        return data.length;
    }

    /// How many rows of the innermost dimension there are.
    int rows() {
        return data.length / last();
    }

    /// How many pixels an image of [N,...,C] has: the product of all extents between the first and the last.
    int pixels() {
        return data.length / (dim(0) * last());
    }

    double at(int index) {
        return data[index];
    }

    double only() {
        return data[0];
    }
}
