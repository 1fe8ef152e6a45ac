package dev.rote.storage;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Writes one protocol buffer message: each field is a key, `field << 3 | wire type`, and its value. Wire types used:
/// 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes; all little-endian.
final class ProtoWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    ProtoWriter varint(int field, long value) {
        raw((long) field << 3);
        raw(value);
        return this;
    }

    ProtoWriter fixed64(int field, double value) {
        raw((long) field << 3 | 1);
        littleEndian(Double.doubleToRawLongBits(value), 8);
        return this;
    }

    ProtoWriter fixed32(int field, float value) {
        raw((long) field << 3 | 5);
        littleEndian(Float.floatToRawIntBits(value), 4);
        return this;
    }

    ProtoWriter bytes(int field, byte[] value) {
        raw((long) field << 3 | 2);
        raw(value.length);
        out.writeBytes(value);
        return this;
    }

    ProtoWriter text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    ProtoWriter message(int field, ProtoWriter value) {
        return bytes(field, value.toBytes());
    }

    byte[] toBytes() {
        return out.toByteArray();
    }

    private void raw(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    private void littleEndian(long bits, int count) {
        for (int i = 0; i < count; i++) {
            out.write((int) (bits >>> 8 * i));
        }
    }
}
