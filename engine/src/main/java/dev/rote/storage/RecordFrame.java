package dev.rote.storage;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// The frame of a TFRecord file, little-endian throughout:
///
/// | offset | size | meaning |
/// |---|---|---|
/// | 0 | 8 | n, unsigned: bytes of the record |
/// | 8 | 4 | masked CRC-32C of the eight bytes before |
/// | 12 | n | the record |
/// | 12 + n | 4 | masked CRC-32C of the record |
///
/// Masked: rotated right by 15 bits, plus 0xa282ead8, so that a record may itself hold such sums.
final class RecordFrame {
    static final int HEADER_BYTES = 12;
    static final int FOOTER_BYTES = 4;

    private RecordFrame() {}

    /// The record in its frame.
    static ByteBuffer frame(byte[] record) {
        ByteBuffer framed = ByteBuffer.allocate(Math.addExact(record.length, HEADER_BYTES + FOOTER_BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        framed.putLong(record.length);
        framed.putInt(maskedSum(framed.duplicate().flip()));
        framed.put(record);
        framed.putInt(maskedSum(ByteBuffer.wrap(record)));
        return framed.flip();
    }

    static int maskedSum(ByteBuffer bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes);
        return Integer.rotateRight((int) sum.getValue(), 15) + 0xa282ead8;
    }
}
