package dev.rote.device;

import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;

/// Memory on a device. Reading and writing wait for the programs that were started before.
public interface Buffer extends AutoCloseable {
    DType type();

    long elements();

    /// Copies bytes from host memory; `offset` and the segment's size are in bytes.
    ///
    /// @throws IllegalArgumentException if the range is outside the buffer
    /// @throws IllegalStateException if the buffer is closed
    void write(long offset, MemorySegment source);

    /// Copies bytes to host memory; `offset` and the segment's size are in bytes.
    ///
    /// @throws IllegalArgumentException if the range is outside the buffer
    /// @throws IllegalStateException if the buffer is closed
    void read(long offset, MemorySegment target);

    default long bytes() {
        return elements() * type().bytes();
    }

    /// Writes floats from the first element on (f32 buffers).
    default void writeFloats(float[] source) {
        write(0, MemorySegment.ofArray(source));
    }

    /// All elements of an f32 buffer.
    default float[] readFloats() {
        float[] target = new float[Math.toIntExact(elements())];
        read(0, MemorySegment.ofArray(target));
        return target;
    }

    /// Writes integers from the first element on (i32 buffers).
    default void writeInts(int... source) {
        write(0, MemorySegment.ofArray(source));
    }

    /// All elements of an i32 buffer.
    default int[] readInts() {
        int[] target = new int[Math.toIntExact(elements())];
        read(0, MemorySegment.ofArray(target));
        return target;
    }

    @Override
    void close();
}
