package dev.rote.data;

import dev.rote.errors.DataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// The picture formats that are decoded, known by their first bytes (TGA has no mark, so its name must end in `.tga`).
///
/// The decoder fills up what is missing from a damaged file and says nothing; so each format is first checked here for
/// being complete: PNG by its checksums, JPEG by its end mark, the others by their length.
enum PictureFormat {
    PNG,
    JPEG,
    BMP,
    TGA,
    PNM;

    private static final byte[] PNG_MARK = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    static Optional<PictureFormat> of(String name, byte[] head) {
        if (startsWith(head, PNG_MARK)) {
            return Optional.of(PNG);
        }
        if (startsWith(head, new byte[] {(byte) 0xff, (byte) 0xd8, (byte) 0xff})) {
            return Optional.of(JPEG);
        }
        if (startsWith(head, new byte[] {'B', 'M'})) {
            return Optional.of(BMP);
        }
        if (head.length > 2 && head[0] == 'P' && (head[1] == '5' || head[1] == '6') && head[2] <= ' ') {
            return Optional.of(PNM);
        }
        return name.toLowerCase(Locale.ROOT).endsWith(".tga") && tga(head) ? Optional.of(TGA) : Optional.empty();
    }

    /// True for a name that says it is a picture.
    static boolean named(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        for (String ending : new String[] {".png", ".jpg", ".jpeg", ".bmp", ".tga", ".pgm", ".ppm", ".pnm"}) {
            if (lower.endsWith(ending)) {
                return true;
            }
        }
        return false;
    }

    private static boolean startsWith(byte[] bytes, byte[] mark) {
        return bytes.length >= mark.length && Arrays.equals(bytes, 0, mark.length, mark, 0, mark.length);
    }

    private static boolean tga(byte[] h) {
        return h.length >= 18
                && (h[1] & 0xfe) == 0
                && (h[2] & 0xf7) >= 1
                && (h[2] & 0xf7) <= 3
                && h[3] == 0
                && h[4] == 0
                && (h[17] & 0xc0) == 0;
    }

    /// Fails if `file` is not complete. For PNG, `maxUnpacked` bounds the bytes that its data may unpack to.
    void requireComplete(String name, byte[] file, long maxUnpacked) {
        switch (this) {
            case PNG -> PngCheck.requireComplete(name, file, maxUnpacked);
            case JPEG -> JpegCheck.requireComplete(name, file);
            case BMP -> bmp(name, file);
            case TGA -> TgaCheck.requireComplete(name, file);
            case PNM -> pnm(name, file);
        }
    }

    private static void bmp(String name, byte[] file) {
        ByteBuffer b = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        requireLength(name, file, 34);
        boolean old = b.getInt(14) == 12;
        long width = old ? b.getShort(18) & 0xffff : Math.abs((long) b.getInt(18));
        long height = old ? b.getShort(20) & 0xffff : Math.abs((long) b.getInt(22));
        int bits = b.getShort(old ? 24 : 28) & 0xffff;
        int packing = old ? 0 : b.getInt(30);
        if (packing != 0 && packing != 3) {
            throw DataException.expected(name, "byte 30", "an uncompressed BMP (0 or 3)", packing + "");
        }
        long row = (width * bits + 31) / 32 * 4;
        requireLength(name, file, (b.getInt(10) & 0xffffffffL) + row * height);
    }

    /// `P5` or `P6`, width, height, 255 with white space and `#` comments between, one white space, then the pixels.
    private static void pnm(String name, byte[] file) {
        int at = 2;
        long[] numbers = new long[3];
        for (int k = 0; k < 3; k++) {
            while (at < file.length && (file[at] <= ' ' || file[at] == '#')) {
                boolean comment = file[at] == '#';
                while (comment && at < file.length && file[at] != '\n' && file[at] != '\r') {
                    at++;
                }
                at += comment ? 0 : 1;
            }
            int start = at;
            while (at < file.length && file[at] >= '0' && file[at] <= '9' && at - start < 9) {
                numbers[k] = 10 * numbers[k] + file[at++] - '0';
            }
            if (at == start) {
                throw DataException.expected(name, "byte " + at, "a number of the PNM header", "something else");
            }
        }
        if (numbers[2] != 255) {
            throw DataException.expected(name, "byte " + at, "255 as the largest PNM value", numbers[2] + "");
        }
        requireLength(name, file, at + 1 + numbers[0] * numbers[1] * (file[1] == '6' ? 3 : 1));
    }

    static void requireLength(String name, byte[] file, long length) {
        if (file.length < length) {
            throw DataException.expected(name, "size", "at least " + length + " bytes", file.length + "");
        }
    }
}
