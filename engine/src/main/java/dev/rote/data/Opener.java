package dev.rote.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.rote.errors.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// Decides what a source is, and the size checks that all array readers share.
final class Opener {
    private static final String BUILTIN = "builtin:";

    private Opener() {}

    static DataSource open(String source, ReadOptions options) {
        if (source.startsWith(BUILTIN)) {
            return builtin(source, options);
        }
        SourceName name = SourceName.parse(source);
        if (!Files.exists(name.path())) {
            throw new DataException(name.path() + ": no such file or folder");
        }
        MemorySegment head = MemorySegment.ofArray(head(name.path()));
        if (startsWith(head, Npy.MAGIC)) {
            name.allow(Set.of("layout", "range"));
            return guarded(arena -> {
                MemorySegment bytes = Opened.map(name.path(), arena);
                Npy npy = Npy.header(name.path().toString(), bytes);
                return new ArraySource(arena, List.of(npy.images(bytes, name)), null);
            });
        }
        if (gzipped(name.path()) || startsWith(head, new byte[] {0, 0, 8})) {
            name.allow(Set.of("labels"));
            String labels = name.query().get("labels");
            return Idx.open(List.of(name.path()), labels == null ? null : Path.of(labels), options);
        }
        throw DataException.expected(
                name.path(), "byte 0", "an IDX, CIFAR, npy, npz, zip, PNG, JPEG, BMP, TGA or PNM file", hex(head, 8));
    }

    private static DataSource builtin(String source, ReadOptions options) {
        if (!source.equals("builtin:fashion-mnist")) {
            throw DataException.expected(source, "name", "builtin:fashion-mnist", source);
        }
        return Idx.open(
                source,
                () -> resource("fashion-mnist/t10k-images-idx3-ubyte.gz"),
                source + " labels",
                () -> resource("fashion-mnist/t10k-labels-idx1-ubyte.gz"),
                options);
    }

    private static InputStream resource(String name) {
        InputStream in = Opener.class.getResourceAsStream(name);
        if (in == null) {
            throw new AssertionError("resource missing from the jar: " + name);
        }
        return in;
    }

    /// Builds a source in an arena that is closed if that fails.
    static ArraySource guarded(Function<Arena, ArraySource> build) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            ArraySource source = build.apply(arena);
            opened = true;
            return source;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    static boolean gzipped(Path file) {
        byte[] head = head(file);
        return head.length >= 2 && head[0] == 0x1f && head[1] == (byte) 0x8b;
    }

    private static byte[] head(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(32);
        } catch (IOException e) {
            throw Opened.failure(file, e);
        }
    }

    static boolean startsWith(MemorySegment bytes, byte[] mark) {
        return bytes.byteSize() >= mark.length
                && bytes.asSlice(0, mark.length).mismatch(MemorySegment.ofArray(mark)) < 0;
    }

    /// The first `most` bytes in hex, or "nothing".
    static String hex(MemorySegment bytes, int most) {
        byte[] head = bytes.asSlice(0, Math.min(most, bytes.byteSize())).toArray(JAVA_BYTE);
        return head.length == 0 ? "nothing" : HexFormat.ofDelimiter(" ").formatHex(head);
    }

    /// `a * b` of two numbers that are not negative.
    static long product(String path, String position, long a, long b) {
        if (Math.multiplyHigh(a, b) != 0 || a * b < 0 || a * b > 1L << 60) {
            throw DataException.expected(path, position, "fewer than 2^60 bytes of values", a + " x " + b);
        }
        return a * b;
    }

    static Extent extent(String path, String position, long height, long width, long channels) {
        boolean fits = height > 0
                && width > 0
                && channels > 0
                && height <= Integer.MAX_VALUE
                && width <= Integer.MAX_VALUE
                && channels <= 1 << 16
                && (double) height * width * channels <= Integer.MAX_VALUE - 8;
        if (!fits) {
            throw DataException.expected(
                    path, position, "images of 1 to 2^31 values", height + " x " + width + " x " + channels);
        }
        return new Extent((int) height, (int) width, (int) channels);
    }

    static int count(String path, String position, long count) {
        if (count <= 0 || count > Integer.MAX_VALUE - 8) {
            throw DataException.expected(path, position, "1 to 2^31 images", count + "");
        }
        return (int) count;
    }
}
