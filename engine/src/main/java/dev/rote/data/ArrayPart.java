package dev.rote.data;

import dev.rote.errors.DataException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/// `count` images inside `bytes`: value `(n, h, w, c)` is at `offset + n*N + h*H + w*W + c*C` with the byte strides
/// `N H W C`. `low` and `high` are the float values of black and white.
record ArrayPart(
        String path,
        MemorySegment bytes,
        long offset,
        int count,
        Extent extent,
        Strides strides,
        Type type,
        ByteOrder order,
        double low,
        double high) {
    /// How a value is stored.
    enum Type {
        U8(1),
        F16(2),
        F32(4),
        F64(8);

        final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }
    }

    /// Byte distances between neighbours.
    record Strides(long n, long h, long w, long c) {
        /// Images in a row, channels innermost, `record` bytes from one image to the next.
        static Strides nhwc(long record, Extent e, int valueBytes) {
            return new Strides(
                    record, (long) e.width() * e.channels() * valueBytes, (long) e.channels() * valueBytes, valueBytes);
        }

        /// Images in a row, one plane per channel.
        static Strides nchw(long record, Extent e, int valueBytes) {
            return new Strides(
                    record, (long) e.width() * valueBytes, valueBytes, (long) e.height() * e.width() * valueBytes);
        }

        /// True when the bytes of one image are in the order we want.
        boolean packed(Extent e) {
            return c == 1 && w == e.channels() && h == (long) e.width() * e.channels();
        }
    }

    ArrayPart {
        long last = offset
                + (count - 1L) * strides.n()
                + (extent.height() - 1L) * strides.h()
                + (extent.width() - 1L) * strides.w()
                + (extent.channels() - 1L) * strides.c()
                + type.bytes;
        if (count > 0 && last > bytes.byteSize()) {
            throw DataException.expected(path, "size", "at least " + last + " bytes", bytes.byteSize() + "");
        }
    }

    /// 8-bit images.
    static ArrayPart bytes(String path, MemorySegment bytes, long offset, int count, Extent extent, Strides strides) {
        return new ArrayPart(path, bytes, offset, count, extent, strides, Type.U8, ByteOrder.LITTLE_ENDIAN, 0, 255);
    }

    long address(int n, int h, int w, int c) {
        return offset + n * strides.n() + h * strides.h() + w * strides.w() + c * strides.c();
    }
}
