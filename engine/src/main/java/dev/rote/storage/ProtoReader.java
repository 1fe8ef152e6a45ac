package dev.rote.storage;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Walks the fields of one protocol buffer message. After [#next()] exactly one of the readers, or [#skip()], is
/// called for the field. See [ProtoWriter] for the wire format.
final class ProtoReader {
    /// The message is not what the wire format allows. `position` counts from the start of the message.
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(long position, String expected) {
            super("byte " + position + " of a message: expected " + expected + ", found something else");
        }
    }

    private final MemorySegment message;
    private long position;
    private int wireType;

    ProtoReader(MemorySegment message) {
        this.message = message;
    }

    /// The next field's number, or 0 at the end of the message.
    int next() throws Malformed {
        if (position == message.byteSize()) {
            return 0;
        }
        long key = rawVarint();
        wireType = (int) (key & 7);
        if (key >>> 3 == 0 || key >>> 3 > 0x1fffffff) {
            throw new Malformed(position, "a field number of 1 to 2^29 - 1");
        }
        return (int) (key >>> 3);
    }

    long varint() throws Malformed {
        expect(0);
        return rawVarint();
    }

    double fixed64() throws Malformed {
        expect(1);
        return message.get(TensorType.DOUBLE, advance(8));
    }

    float fixed32() throws Malformed {
        expect(5);
        return message.get(TensorType.FLOAT, advance(4));
    }

    MemorySegment bytes() throws Malformed {
        expect(2);
        long length = rawVarint();
        return message.asSlice(advance(length), length);
    }

    String text() throws Malformed {
        return new String(bytes().toArray(ValueLayout.JAVA_BYTE), java.nio.charset.StandardCharsets.UTF_8);
    }

    ProtoReader message() throws Malformed {
        return new ProtoReader(bytes());
    }

    void skip() throws Malformed {
        switch (wireType) {
            case 0 -> rawVarint();
            case 1 -> advance(8);
            case 2 -> bytes();
            case 5 -> advance(4);
            default -> throw new Malformed(position, "wire type 0, 1, 2 or 5");
        }
    }

    private void expect(int type) throws Malformed {
        if (wireType != type) {
            throw new Malformed(position, "wire type " + type);
        }
    }

    private long advance(long bytes) throws Malformed {
        if (bytes < 0 || bytes > message.byteSize() - position) {
            throw new Malformed(position, "a value that ends with its message");
        }
        position += bytes;
        return position - bytes;
    }

    private long rawVarint() throws Malformed {
        long value = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            byte next = message.get(ValueLayout.JAVA_BYTE, advance(1));
            value |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new Malformed(position, "a varint of at most 10 bytes");
    }
}
