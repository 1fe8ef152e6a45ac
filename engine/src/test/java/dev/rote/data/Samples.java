package dev.rote.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;

/// Small files of every format, made without the code under test.
final class Samples {
    private Samples() {}

    static byte[] noise(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    static byte[] idx(byte[] values, int... sizes) {
        ByteBuffer header = ByteBuffer.allocate(4 + 4 * sizes.length).putInt(0x800 | sizes.length);
        for (int size : sizes) {
            header.putInt(size);
        }
        return joined(header.array(), values);
    }

    static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gz = new GZIPOutputStream(out)) {
            gz.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    static byte[] npy(String descr, boolean fortran, String shape, byte[] values) {
        String text = "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': ("
                + shape + "), }";
        text += " ".repeat(63 - (text.length() + 10) % 64) + "\n";
        byte[] head = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) text.length(), (byte) (text.length() >> 8)};
        return joined(head, text.getBytes(StandardCharsets.US_ASCII), values);
    }

    static byte[] floats(ByteOrder order, float... values) {
        ByteBuffer b = ByteBuffer.allocate(4 * values.length).order(order);
        b.asFloatBuffer().put(values);
        return b.array();
    }

    static byte[] doubles(ByteOrder order, double... values) {
        ByteBuffer b = ByteBuffer.allocate(8 * values.length).order(order);
        b.asDoubleBuffer().put(values);
        return b.array();
    }

    static byte[] zip(Map<String, byte[]> entries, boolean stored) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> e : entries.entrySet()) {
                ZipEntry entry = new ZipEntry(e.getKey());
                if (stored) {
                    CRC32 crc = new CRC32();
                    crc.update(e.getValue());
                    entry.setMethod(ZipEntry.STORED);
                    entry.setSize(e.getValue().length);
                    entry.setCrc(crc.getValue());
                }
                zip.putNextEntry(entry);
                zip.write(e.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /// A smooth coloured picture with a little noise.
    static BufferedImage picture(int width, int height, int type, long seed) {
        BufferedImage image = new BufferedImage(width, height, type);
        Random random = new Random(seed);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int r = 255 * x / width;
                int g = 255 * y / height;
                int b = random.nextInt(256);
                int a = 255 - 200 * x / width;
                image.setRGB(x, y, a << 24 | r << 16 | g << 8 | b);
            }
        }
        return image;
    }

    static byte[] encoded(BufferedImage image, String format) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, format, out)) {
                throw new IllegalArgumentException(format);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    static byte[] png(int width, int height, long seed) {
        return encoded(picture(width, height, BufferedImage.TYPE_INT_RGB, seed), "png");
    }

    /// Makes the chunk checksums of a damaged PNG right again, so that the damage reaches the decoder.
    static void repairChecksums(byte[] png) {
        ByteBuffer b = ByteBuffer.wrap(png);
        for (int at = 8; at + 12 <= png.length; ) {
            int length = b.getInt(at);
            if (length < 0 || length > png.length - at - 12) {
                return;
            }
            CRC32 crc = new CRC32();
            crc.update(png, at + 4, length + 4);
            b.putInt(at + 8 + length, (int) crc.getValue());
            at += 12 + length;
        }
    }

    /// Uncompressed (type 2) or run-length (type 10) TGA of `[height, width, 3]` red, green, blue; top row first.
    static byte[] tga(byte[] rgb, int width, int height, boolean runs) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {
            0, 0, (byte) (runs ? 10 : 2), 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) width, 0, (byte) height, 0, 24, 0x20
        });
        for (int p = 0; p < width * height; p++) {
            if (runs) {
                out.write(0x80);
            }
            out.write(rgb[3 * p + 2]);
            out.write(rgb[3 * p + 1]);
            out.write(rgb[3 * p]);
        }
        return out.toByteArray();
    }

    static byte[] ppm(byte[] rgb, int width, int height) {
        return joined(
                ("P6\n# made by hand\n" + width + " " + height + "\n255\n").getBytes(StandardCharsets.US_ASCII), rgb);
    }

    static Path write(Path path, byte[] bytes) {
        try {
            Files.createDirectories(path.getParent());
            return Files.write(path, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
