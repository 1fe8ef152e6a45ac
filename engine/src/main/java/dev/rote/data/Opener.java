package dev.rote.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.rote.errors.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.ZipFile;

/// Decides what a source is, and the size checks that all array readers share.
final class Opener {
    private static final String BUILTIN = "builtin:";
    private static final byte[] GZIP = {0x1f, (byte) 0x8b};

    private Opener() {}

    static DataSource open(String source, ReadOptions options) {
        if (source.startsWith(BUILTIN)) {
            return builtin(source, options);
        }
        if (source.startsWith(RawArray.PREFIX)) {
            return RawArray.open(source);
        }
        SourceName name = SourceName.parse(source);
        if (Files.isDirectory(name.path())) {
            name.allow(Set.of());
            return folder(name.path(), options);
        }
        requireFile(name.path());
        return file(name, options);
    }

    private static DataSource file(SourceName name, ReadOptions options) {
        Path path = name.path();
        byte[] head = head(path);
        MemorySegment bytes = MemorySegment.ofArray(head);
        if (startsWith(bytes, Npy.MAGIC)) {
            return npy(name);
        }
        if (startsWith(bytes, new byte[] {'P', 'K'})) {
            return zip(name, options);
        }
        if (startsWith(bytes, GZIP) || startsWith(bytes, new byte[] {0, 0, 8}) && !endsWith(path, ".tga", ".bin")) {
            name.allow(Set.of("labels"));
            String labels = name.query().get("labels");
            return Idx.open(List.of(path), labels == null ? null : Path.of(labels), options);
        }
        name.allow(Set.of());
        if (PictureFormat.of(path.toString(), head).isPresent() && !endsWith(path, ".bin")) {
            return PictureSource.file(path, options);
        }
        if (endsWith(path, ".bin")) {
            return Cifar.open(List.of(path));
        }
        throw DataException.expected(
                path,
                "byte 0",
                "an IDX, CIFAR (.bin), npy, npz, zip, PNG, JPEG, BMP, TGA, PGM or PPM file",
                hex(bytes, 8));
    }

    private static DataSource npy(SourceName name) {
        name.allow(Set.of("layout", "range"));
        return guarded(arena -> {
            MemorySegment bytes = Opened.map(name.path(), arena);
            Npy npy = Npy.header(name.path().toString(), bytes);
            return new ArraySource(arena, List.of(npy.images(bytes, name)), null);
        });
    }

    private static DataSource zip(SourceName name, ReadOptions options) {
        ZipFile zip = Zips.open(name.path());
        boolean kept = false;
        try {
            if (Npz.holds(zip)) {
                return Npz.open(zip, name, options);
            }
            name.allow(Set.of());
            DataSource pictures = PictureSource.zip(name.path(), zip, options);
            kept = true;
            return pictures;
        } finally {
            if (!kept) {
                Zips.close(name.path(), zip);
            }
        }
    }

    private static DataSource folder(Path folder, ReadOptions options) {
        List<Path> files = children(folder);
        List<Path> batches = trainingFirst(files.stream().filter(Cifar::named));
        if (!batches.isEmpty()) {
            return Cifar.open(batches);
        }
        List<Path> arrays = trainingFirst(files.stream().filter(Idx::named).filter(file -> !hasUnpacked(file)));
        return arrays.isEmpty() ? PictureSource.folder(folder, options) : Idx.open(arrays, null, options);
    }

    /// True for `X.gz` beside `X`: the same images, which would count twice.
    private static boolean hasUnpacked(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".gz") && Files.exists(file.resolveSibling(name.substring(0, name.length() - 3)));
    }

    /// Natural order, but files of test data, by their names, last.
    private static List<Path> trainingFirst(Stream<Path> files) {
        return files.sorted(Comparator.comparing((Path file) -> {
                            String name = file.getFileName().toString();
                            return name.startsWith("test") || name.startsWith("t10k");
                        })
                        .thenComparing(file -> file.getFileName().toString(), NaturalOrder.INSTANCE))
                .toList();
    }

    private static List<Path> children(Path folder) {
        try (Stream<Path> list = Files.list(folder)) {
            return list.filter(Files::isRegularFile).toList();
        } catch (IOException e) {
            throw Opened.failure(folder, e);
        } catch (UncheckedIOException e) {
            throw Opened.failure(folder, e.getCause());
        }
    }

    /// Fails unless `path` is a regular file (a pipe could block for ever).
    static void requireFile(Path path) {
        if (!Files.exists(path)) {
            throw new DataException(path + ": no such file or folder");
        }
        if (!Files.isRegularFile(path)) {
            throw new DataException(path + ": expected a file, found something else");
        }
    }

    private static boolean endsWith(Path path, String... endings) {
        String name = path.toString().toLowerCase(Locale.ROOT);
        return Stream.of(endings).anyMatch(name::endsWith);
    }

    private static DataSource builtin(String source, ReadOptions options) {
        Optional<Mixture> mixture = Mixture.of(source);
        if (mixture.isPresent()) {
            return new MixtureSource(source, mixture.get());
        }
        if (!source.equals("builtin:fashion-mnist")) {
            throw DataException.expected(
                    source,
                    "name",
                    "builtin:fashion-mnist, builtin:gaussian-mixture or builtin:student-mixture",
                    source);
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
        requireFile(file);
        return startsWith(MemorySegment.ofArray(head(file)), GZIP);
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
