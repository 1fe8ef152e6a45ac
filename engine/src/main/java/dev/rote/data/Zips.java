package dev.rote.data;

import dev.rote.errors.DataException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/// Zip files, with the checksums compared (the platform's reader does not).
final class Zips {
    private Zips() {}

    static ZipFile open(Path path) {
        try {
            return new ZipFile(path.toFile());
        } catch (IOException e) {
            throw Opened.failure(path, e);
        } catch (IllegalArgumentException e) {
            throw new DataException(path + ": damaged zip: " + e.getMessage(), e);
        }
    }

    static void close(Object path, ZipFile zip) {
        try {
            zip.close();
        } catch (IOException e) {
            throw Opened.failure(path, e);
        }
    }

    /// A picture file's bytes.
    static byte[] bytes(String name, ZipFile zip, String entry, ReadOptions options) {
        try (InputStream in = stream(zip, entry)) {
            return ImageFile.limited(name, in, options);
        } catch (IOException e) {
            throw Opened.failure(name, e);
        }
    }

    /// An entry's bytes; the end of the stream fails if the checksum is wrong.
    static InputStream stream(ZipFile zip, String name) throws IOException {
        ZipEntry entry = zip.getEntry(name);
        InputStream in = entry == null ? null : zip.getInputStream(entry);
        if (in == null) {
            throw new ZipException("entry " + name + " is missing");
        }
        return new Checked(in, entry.getCrc());
    }

    private static final class Checked extends FilterInputStream {
        private final CRC32 crc = new CRC32();
        private final long expected;

        Checked(InputStream in, long expected) {
            super(in);
            this.expected = expected;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int n = super.read(target, offset, length);
            if (n > 0) {
                crc.update(target, offset, n);
            } else if (n < 0 && crc.getValue() != expected) {
                throw new ZipException("checksum: expected " + Long.toHexString(expected) + ", found "
                        + Long.toHexString(crc.getValue()));
            }
            return n;
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
