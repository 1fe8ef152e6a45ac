package dev.rote.device;

import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Vectors in host memory, `values [count, dimension]`, row-major without gaps. The segment is read, never written or
/// closed.
///
/// @param values at least `count * dimension` values; need not be aligned
/// @param count number of vectors, 0 or more
/// @param dimension values per vector, 1 or more
/// @param type F32 or U8
public record Vectors(MemorySegment values, int count, int dimension, DType type) {
    public Vectors {
        if (type != DType.F32 && type != DType.U8) {
            throw new IllegalArgumentException("vectors: expected values of F32 or U8, found " + type);
        }
        if (count < 0 || dimension < 1 || values.byteSize() < (long) count * dimension * type.bytes()) {
            throw new IllegalArgumentException("vectors [" + count + ", " + dimension + "] of " + type
                    + ": expected count >= 0, dimension >= 1 and as many values, found " + values.byteSize()
                    + " bytes");
        }
    }

    /// Bytes of vectors `first .. first + vectors - 1`.
    public MemorySegment slice(int first, int vectors) {
        return values.asSlice(first * rowBytes(), vectors * rowBytes());
    }

    /// Bytes of one vector.
    public long rowBytes() {
        return (long) dimension * type.bytes();
    }

    /// @param what of the vectors, for the message
    /// @throws IllegalArgumentException that names the first value that is NaN or infinite
    public void requireFinite(String what) {
        for (long i = 0; type == DType.F32 && i < (long) count * dimension; i++) {
            float value = values.get(ValueLayout.JAVA_FLOAT_UNALIGNED, i * Float.BYTES);
            if (!Float.isFinite(value)) {
                throw new IllegalArgumentException(what + ": row " + i / dimension + ", column " + i % dimension
                        + ": expected a finite value, found " + value);
            }
        }
    }
}
