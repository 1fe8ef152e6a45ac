package dev.rote.storage;

import dev.rote.errors.DataException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// An open safetensors file: see [SafeTensors] for the format. Segments that it gave out die with [#close()]. May be
/// read
/// from several threads.
public final class SafeTensorsFile implements AutoCloseable {
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Where a tensor lies.
    ///
    /// @param shape dimensions, none for a scalar
    /// @param begin first byte, counted from the start of the data section
    /// @param end   byte after the last one
    public record Entry(String name, TensorType type, long[] shape, long begin, long end) {
        public Entry {
            shape = shape.clone();
        }

        @Override
        public long[] shape() {
            return shape.clone();
        }

        /// Number of elements.
        public long elements() {
            return (end - begin) / type.bytes();
        }
    }

    private final Path path;
    private final Arena arena;
    private final MemorySegment data;
    private final SafeTensorsHeader header;

    /// Takes over `arena`, which owns `file`, unless it throws.
    SafeTensorsFile(Path path, MemorySegment file, Arena arena) {
        this.path = path;
        this.arena = arena;
        long size = file.byteSize();
        if (size < 8) {
            throw DataException.expected(path, "byte 0", "an 8-byte header length", "a file of " + size + " bytes");
        }
        long length = file.get(LENGTH, 0);
        long limit = Math.min(size - 8, SafeTensors.MAX_HEADER_BYTES);
        if (length < 2 || length > limit) {
            throw DataException.expected(
                    path, "byte 0", "a header length of 2 to " + limit, Long.toUnsignedString(length));
        }
        this.data = file.asSlice(8 + length);
        this.header = SafeTensorsHeader.read(path, file.asSlice(8, length), data.byteSize());
    }

    /// All tensors by name, in the order of their data.
    public Map<String, Entry> entries() {
        return header.entries();
    }

    /// The strings of `__metadata__`, empty if there are none.
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /// Place and shape of one tensor.
    ///
    /// @throws DataException if the file has no such tensor
    public Entry entry(String name) {
        Entry entry = header.entries().get(name);
        if (entry == null) {
            throw DataException.expected(
                    path, "header", "a tensor named " + name, header.entries().size() + " tensors, not this one");
        }
        return entry;
    }

    /// The bytes of a tensor, read-only, little-endian, not copied and perhaps not aligned.
    ///
    /// @throws DataException if the file has no such tensor
    public MemorySegment data(String name) {
        Entry entry = entry(name);
        return data.asSlice(entry.begin(), entry.end() - entry.begin()).asReadOnly();
    }

    /// A copy of a tensor as floats, last dimension fastest. F32, F16, BF16, I16, I8, U8 and BOOL (0 or 1) come out
    /// exactly;
    /// F64, I64 and I32 are rounded to the nearest float.
    ///
    /// @throws DataException if the file has no such tensor, or it has 2^31 - 8 elements or more
    public float[] floats(String name) {
        Entry entry = entry(name);
        if (entry.elements() > Integer.MAX_VALUE - 8) {
            throw DataException.expected(path, "tensor " + name, "fewer than 2^31 - 8 elements", entry.elements() + "");
        }
        float[] values = new float[(int) entry.elements()];
        entry.type().toFloats(data(name), values);
        return values;
    }

    /// Reads all data and compares them with the hash in the metadata.
    ///
    /// @return false if the file has no hash
    /// @throws DataException if the data are not those that were written
    public boolean verifyHash() {
        String expected = header.metadata().get(SafeTensors.HASH_KEY);
        if (expected == null) {
            return false;
        }
        String found = DataHash.of(List.of(data));
        if (!found.equals(expected)) {
            throw DataException.expected(path, "data section", "SHA-256 " + expected, found);
        }
        return true;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
