package dev.rote.storage;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// A named tensor to be written: its bytes are little-endian, last dimension fastest, and are not copied.
///
/// @param shape dimensions, none for a scalar
public record Tensor(String name, TensorType type, long[] shape, MemorySegment data) {
    /// @throws IllegalArgumentException if the name is that of the metadata, a dimension is negative, or `data` is
    ///   not as
    ///                                  large as type and shape say
    public Tensor {
        if (name.equals(SafeTensorsHeader.METADATA)) {
            throw new IllegalArgumentException("name: " + name + " is reserved");
        }
        shape = shape.clone();
        long elements = elements(shape);
        if (elements < 0 || elements > Long.MAX_VALUE / type.bytes() || elements * type.bytes() != data.byteSize()) {
            throw new IllegalArgumentException("data of " + name + ": expected " + type + Arrays.toString(shape)
                    + ", found " + data.byteSize() + " bytes");
        }
        if (data.heapBase().isPresent() && !(data.heapBase().get() instanceof byte[])) {
            data = MemorySegment.ofArray(data.toArray(ValueLayout.JAVA_BYTE)); // a channel takes byte memory only
        }
    }

    /// A tensor of 32-bit floats.
    ///
    /// @throws IllegalArgumentException if `values` has not as many elements as the shape says
    public static Tensor ofFloats(String name, float[] values, long... shape) {
        MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, Float.BYTES)]);
        MemorySegment.copy(values, 0, data, TensorType.FLOAT, 0, values.length);
        return new Tensor(name, TensorType.F32, shape, data);
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    /// Product of the dimensions, or -1 if one is negative or the product is no long.
    static long elements(long[] shape) {
        long elements = 1;
        boolean empty = false;
        for (long dimension : shape) {
            if (dimension < 0) {
                return -1;
            }
            empty |= dimension == 0;
        }
        for (long dimension : shape) {
            if (!empty && elements > Long.MAX_VALUE / dimension) {
                return -1;
            }
            elements *= dimension;
        }
        return empty ? 0 : elements;
    }
}
