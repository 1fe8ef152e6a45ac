package dev.rote.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.rote.errors.DataException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/// IDX, the format of MNIST, plain or gzipped. All integers are big-endian:
///
/// | offset | size | meaning |
/// |---|---|---|
/// | 0 | 2 | zero |
/// | 2 | 1 | type of a value: 8 for unsigned bytes, the only one read here |
/// | 3 | 1 | dimensions d: 3 for `[N,H,W]`, 4 for `[N,H,W,C]`, 1 for labels |
/// | 4 | 4 d | sizes |
/// | 4 + 4 d | product of sizes | values, last dimension fastest |
final class Idx {
    private static final int TYPE_U8 = 8;

    private Idx() {}

    /// True for file names like those of MNIST's images.
    static boolean named(Path file) {
        return file.getFileName().toString().matches(".*images.*idx[34].*");
    }

    /// The files' images one after the other; `labels` (or, if null, the files named alike) beside them.
    static ArraySource open(List<Path> files, Path labels, ReadOptions options) {
        return Opener.guarded(arena -> {
            List<ArrayPart> parts = new ArrayList<>();
            List<byte[]> classes = new ArrayList<>();
            for (Path file : files) {
                ArrayPart part = images(file.toString(), load(file, 3, options, arena));
                parts.add(part);
                Path beside = labels != null ? labels : labelsOf(file);
                if (beside != null) {
                    classes.add(labels(beside.toString(), load(beside, 1, options, arena), part.count()));
                }
            }
            return new ArraySource(arena, parts, classes.size() == files.size() ? joined(classes) : null);
        });
    }

    /// Gzipped images and labels that come as streams.
    static ArraySource open(
            String path, Opened.Opening images, String labelPath, Opened.Opening labels, ReadOptions options) {
        return Opener.guarded(arena -> {
            ArrayPart part = images(path, inflate(path, images, 3, options, arena));
            byte[] classes = labels(labelPath, inflate(labelPath, labels, 1, options, arena), part.count());
            return new ArraySource(arena, List.of(part), joined(List.of(classes)));
        });
    }

    private static MemorySegment load(Path file, int dimensions, ReadOptions options, Arena arena) {
        return Opener.gzipped(file)
                ? inflate(file.toString(), () -> buffered(file), dimensions, options, arena)
                : Opened.map(file, arena);
    }

    private static InputStream buffered(Path file) throws IOException {
        return new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    }

    private static MemorySegment inflate(
            String path, Opened.Opening opening, int dimensions, ReadOptions options, Arena arena) {
        return Opened.inflate(
                path,
                () -> unzipped(opening.open()),
                options.maxInflatedBytes(),
                head -> header(path, head, dimensions).end(),
                arena);
    }

    /// Closes `packed` also when it is no gzip stream.
    private static InputStream unzipped(InputStream packed) throws IOException {
        try {
            return new GZIPInputStream(packed, 1 << 16);
        } catch (IOException e) {
            packed.close();
            throw e;
        }
    }

    private record Header(long[] sizes, long start, long end) {}

    /// Reads the header; `dimensions` is 1 for labels and 3 for images, which may also have 4.
    private static Header header(String path, MemorySegment head, int dimensions) {
        if (head.byteSize() < 4) {
            throw DataException.expected(path, "size", "an IDX header of 4 bytes or more", head.byteSize() + "");
        }
        int magic = big(head, 0);
        int d = magic & 0xff;
        boolean known = magic >>> 8 == TYPE_U8 && (d == dimensions || dimensions == 3 && d == 4);
        if (!known) {
            String wanted = dimensions == 1 ? "labels (00 00 08 01)" : "8-bit images (00 00 08 03 or 00 00 08 04)";
            throw DataException.expected(path, "byte 0", "IDX " + wanted, Opener.hex(head, 4));
        }
        if (head.byteSize() < 4 + 4L * d) {
            throw DataException.expected(
                    path, "size", "an IDX header of " + (4 + 4 * d) + " bytes", head.byteSize() + "");
        }
        long[] sizes = new long[d];
        long values = 1;
        for (int k = 0; k < d; k++) {
            sizes[k] = big(head, 4 + 4L * k) & 0xffffffffL;
            values = Opener.product(path, "byte " + (4 + 4 * k), values, sizes[k]);
        }
        return new Header(sizes, 4 + 4L * d, 4 + 4L * d + values);
    }

    private static Header checked(String path, MemorySegment bytes, int dimensions) {
        Header header = header(path, bytes, dimensions);
        if (header.end() != bytes.byteSize()) {
            throw DataException.expected(
                    path, "size", header.end() + " bytes as the header says", bytes.byteSize() + "");
        }
        return header;
    }

    private static ArrayPart images(String path, MemorySegment bytes) {
        Header header = checked(path, bytes, 3);
        long[] s = header.sizes();
        Extent extent = Opener.extent(path, "byte 8", s[1], s[2], s.length == 4 ? s[3] : 1);
        int count = Opener.count(path, "byte 4", s[0]);
        return ArrayPart.bytes(
                path, bytes, header.start(), count, extent, ArrayPart.Strides.nhwc(extent.size(), extent, 1));
    }

    private static byte[] labels(String path, MemorySegment bytes, int images) {
        Header header = checked(path, bytes, 1);
        if (header.sizes()[0] != images) {
            throw DataException.expected(
                    path, "byte 4", "a label for each of " + images + " images", header.sizes()[0] + "");
        }
        return bytes.asSlice(header.start()).toArray(JAVA_BYTE);
    }

    private static int[] joined(List<byte[]> classes) {
        int[] all = new int[classes.stream().mapToInt(c -> c.length).sum()];
        int k = 0;
        for (byte[] part : classes) {
            for (byte label : part) {
                all[k++] = label & 0xff;
            }
        }
        return all;
    }

    /// The label file that belongs to an image file by its name, or null.
    private static Path labelsOf(Path images) {
        String name = images.getFileName().toString();
        String other = name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1");
        if (other.equals(name)) {
            return null;
        }
        String plain = other.endsWith(".gz") ? other.substring(0, other.length() - 3) : other;
        for (String candidate : List.of(other, plain, plain + ".gz")) {
            Path path = images.resolveSibling(candidate);
            if (Files.isRegularFile(path)) {
                return path;
            }
        }
        return null;
    }

    private static int big(MemorySegment bytes, long at) {
        return bytes.get(JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), at);
    }
}
