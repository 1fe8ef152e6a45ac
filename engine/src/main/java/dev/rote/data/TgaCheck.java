package dev.rote.data;

import dev.rote.errors.DataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Truevision TGA 2.0: 18 bytes of header, comment, palette, pixels plain or in packets of runs.
final class TgaCheck {
    private TgaCheck() {}

    static void requireComplete(String name, byte[] file) {
        ByteBuffer b = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int paletteBytes = (file[7] + 7) / 8 * (b.getShort(5) & 0xffff);
        int start = 18 + (file[0] & 0xff) + (file[1] == 1 ? Math.max(0, paletteBytes) : 0);
        long pixels = (long) (b.getShort(12) & 0xffff) * (b.getShort(14) & 0xffff);
        int pixelBytes = ((file[16] & 0xff) + 7) / 8;
        if ((file[2] & 8) == 0) {
            PictureFormat.requireLength(name, file, start + pixels * pixelBytes);
        } else {
            packets(name, file, start, pixels, pixelBytes);
        }
    }

    private static void packets(String name, byte[] file, int start, long pixels, int pixelBytes) {
        long at = start;
        for (long done = 0; done < pixels; ) {
            PictureFormat.requireLength(name, file, at + 1);
            int run = (file[(int) at] & 0x7f) + 1;
            at += 1 + (file[(int) at] < 0 ? pixelBytes : (long) run * pixelBytes);
            done += run;
        }
        PictureFormat.requireLength(name, file, at);
        if (pixelBytes == 0) {
            throw DataException.expected(name, "byte 16", "8 to 32 bits in a pixel", "0");
        }
    }
}
