package dev.rote.metrics;

import dev.rote.device.Vectors;
import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A matrix of 8-bit rows, `values [count, dimension]`, row-major without gaps: images as files hold them. Distances
/// are those of the integers 0 to 255, and exact: they are sums of integers.
///
/// @param values at least `count * dimension` bytes; read, never written or closed
/// @param count number of rows, 0 or more
/// @param dimension bytes per row, 1 or more
public record Pixels(MemorySegment values, int count, int dimension) {
    public Pixels {
        if (count < 0 || dimension < 1 || values.byteSize() < (long) count * dimension) {
            throw new IllegalArgumentException("pixels [" + count + ", " + dimension
                    + "]: expected count >= 0, dimension >= 1 and as many bytes, got " + values.byteSize() + " bytes");
        }
    }

    /// `values.length / dimension` rows over the array itself.
    ///
    /// @throws IllegalArgumentException if the length is no multiple of `dimension`
    public static Pixels of(byte[] values, int dimension) {
        if (dimension < 1 || values.length % dimension != 0) {
            throw new IllegalArgumentException(
                    "pixels: length " + values.length + " is not a multiple of the dimension " + dimension);
        }
        return new Pixels(MemorySegment.ofArray(values), values.length / dimension, dimension);
    }

    /// The same integers as floats, copied.
    public Rows rows() {
        float[] floats = new float[Math.multiplyExact(count, dimension)];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = Byte.toUnsignedInt(values.get(ValueLayout.JAVA_BYTE, i));
        }
        return Rows.of(floats, dimension);
    }

    Vectors vectors() {
        return new Vectors(values, count, dimension, DType.U8);
    }
}
