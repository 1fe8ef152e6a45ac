package dev.rote.device.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// What a fat binary is made for, read from its headers. The format is not published: these are the fields as nvcc 13
/// writes them, and a test compares them with the targets of the build.
final class FatBinary {
    private static final int MAGIC = 0xba55ed50;
    private static final int PTX = 1;
    private static final int ARCHITECTURE_SPECIFIC = 1 << 20;

    private FatBinary() {}

    /// `sm_90a` for machine code, `compute_80` for PTX; in the file's order.
    ///
    /// @throws IllegalArgumentException if it is no fat binary
    static List<String> targets(byte[] image) {
        ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        if (image.length < 16 || bytes.getInt(0) != MAGIC) {
            throw new IllegalArgumentException("expected a fat binary, found other bytes");
        }
        int end = Math.min(image.length, bytes.getShort(6) + (int) bytes.getLong(8));
        List<String> targets = new ArrayList<>();
        int entry = bytes.getShort(6);
        while (entry + 64 <= end) {
            int architecture = bytes.getInt(entry + 28);
            boolean specific = (bytes.getInt(entry + 40) & ARCHITECTURE_SPECIFIC) != 0;
            boolean ptx = bytes.getShort(entry) == PTX;
            targets.add((ptx ? "compute_" : "sm_") + architecture + (specific ? "a" : ""));
            int size = bytes.getInt(entry + 4) + (int) bytes.getLong(entry + 8);
            if (size <= 0) {
                throw new IllegalArgumentException("expected a fat binary, found an entry of " + size + " bytes");
            }
            entry += size;
        }
        return targets;
    }
}
