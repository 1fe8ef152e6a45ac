package dev.rote.data;

import dev.rote.errors.DataException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// Walks the chunks of a PNG (ISO/IEC 15948): length, type, data, CRC-32 of type and data, until `IEND`.
final class PngCheck {
    /// Below this, what the data may unpack to is not worth counting.
    private static final long HARMLESS = 1L << 27;
    /// Deflate never expands more than this.
    private static final long MAX_EXPANSION = 1032;

    private PngCheck() {}

    static void requireComplete(String name, byte[] file, long maxUnpacked) {
        ByteBuffer b = ByteBuffer.wrap(file);
        List<ByteBuffer> data = new ArrayList<>();
        int at = 8;
        while (true) {
            if (at + 12L > file.length) {
                throw DataException.expected(name, "byte " + at, "another PNG chunk", "the end of the file");
            }
            long length = b.getInt(at) & 0xffffffffL;
            String type = new String(file, at + 4, 4, StandardCharsets.ISO_8859_1);
            if (length > file.length - at - 12) {
                long most = file.length - at - 12L;
                throw DataException.expected(name, "byte " + at, "a chunk of at most " + most + " bytes", length + "");
            }
            CRC32 crc = new CRC32();
            crc.update(file, at + 4, (int) length + 4);
            if ((int) crc.getValue() != b.getInt(at + 8 + (int) length)) {
                throw new DataException(name + ": byte " + at + ": damaged PNG: the checksum of chunk "
                        + type.replaceAll("[^A-Za-z]", "?") + " is wrong");
            }
            if (type.equals("IDAT")) {
                data.add(b.slice(at + 8, (int) length));
            }
            if (type.equals("IEND")) {
                requireHarmless(name, data, maxUnpacked);
                return;
            }
            at += 12 + (int) length;
        }
    }

    /// Counts what large image data unpack to, before the decoder allocates it.
    private static void requireHarmless(String name, List<ByteBuffer> data, long maxUnpacked) {
        long packed = data.stream().mapToLong(ByteBuffer::remaining).sum();
        if (packed * MAX_EXPANSION <= Math.max(HARMLESS, maxUnpacked)) {
            return;
        }
        Inflater inflater = new Inflater();
        try {
            byte[] out = new byte[1 << 16];
            long unpacked = 0;
            for (ByteBuffer part : data) {
                inflater.setInput(part);
                for (int n = inflater.inflate(out); n > 0; n = inflater.inflate(out)) {
                    unpacked += n;
                    if (unpacked > maxUnpacked) {
                        throw DataException.expected(
                                name, "image data", "at most " + maxUnpacked + " bytes unpacked", "more");
                    }
                }
            }
        } catch (DataFormatException e) {
            throw new DataException(name + ": damaged PNG: " + e.getMessage(), e);
        } finally {
            inflater.end();
        }
    }
}
