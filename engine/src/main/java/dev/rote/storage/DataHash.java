package dev.rote.storage;

import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// SHA-256 over memory, in hexadecimal.
final class DataHash {
    private static final long CHUNK = 1 << 26;

    private DataHash() {}

    /// Hash of the segments one after the other.
    static String of(List<MemorySegment> segments) {
        MessageDigest digest = sha256();
        for (MemorySegment segment : segments) {
            for (long at = 0; at < segment.byteSize(); at += CHUNK) {
                long size = Math.min(CHUNK, segment.byteSize() - at);
                digest.update(segment.asSlice(at, size).asByteBuffer());
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
