package dev.rote.nn;

import dev.rote.graph.Shape;

/// One parameter: what it is called, its shape, and where it lies.
///
/// @param name as in weight files
/// @param shape internal: [K,R,S,C] filters, [K,C] matrices, vectors
/// @param form how files hold it
/// @param trainable false for tables that are in files but not trained
/// @param matrix true if the bf16 policy reads it from the bf16 copy
/// @param init how it starts
/// @param offset first element in the flat buffer `parameters`, or `frozen` if it is not trained
public record ParameterSpec(
        String name, Shape shape, FileForm form, boolean trainable, boolean matrix, Init init, long offset) {
    public Shape fileShape() {
        return form.fileShape(shape);
    }

    public long elements() {
        return shape.elements();
    }

    /// The values of this parameter in a flat buffer, in the order of files.
    public float[] toFile(float[] flat) {
        int[] positions = form.filePositions(shape);
        float[] file = new float[positions.length];
        for (int i = 0; i < positions.length; i++) {
            file[positions[i]] = flat[(int) offset + i];
        }
        return file;
    }

    /// Writes values in the order of files to this parameter's place in a flat buffer.
    ///
    /// @throws IllegalArgumentException if `file` has another number of elements
    public void fromFile(float[] file, float[] flat) {
        int[] positions = form.filePositions(shape);
        if (file.length != positions.length) {
            throw new IllegalArgumentException(
                    name + ": expected " + positions.length + " elements, found " + file.length);
        }
        for (int i = 0; i < positions.length; i++) {
            flat[(int) offset + i] = file[positions[i]];
        }
    }

    @Override
    public String toString() {
        return name + shape;
    }
}
