package dev.rote.data;

import dev.rote.errors.DataException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import java.util.zip.ZipFile;

/// Pictures in a folder, in a zip, or one alone; read and decoded when asked for.
final class PictureSource implements DataSource {
    private final String place;
    private final List<String> names;
    private final IntFunction<byte[]> load;
    private final Runnable held;
    private final ReadOptions options;

    private PictureSource(
            String place, List<String> names, IntFunction<byte[]> load, Runnable held, ReadOptions options) {
        this.place = place;
        this.names = names;
        this.load = load;
        this.held = held;
        this.options = options;
    }

    static PictureSource file(Path path, ReadOptions options) {
        return new PictureSource("", List.of(path.toString()), i -> ImageFile.bytes(path, options), () -> {}, options);
    }

    /// All pictures below `folder`, links followed, hidden files left out.
    static PictureSource folder(Path folder, ReadOptions options) {
        List<String> names;
        try (Stream<Path> walk = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            names = pictures(walk.map(path -> folder.relativize(path).toString().replace('\\', '/')));
        } catch (IOException e) {
            throw Opened.failure(folder, e);
        } catch (UncheckedIOException e) {
            throw Opened.failure(folder, e.getCause());
        }
        requireSome(folder, names, folderContents(folder));
        return new PictureSource(
                folder + "/", names, i -> ImageFile.bytes(folder.resolve(names.get(i)), options), () -> {}, options);
    }

    /// All pictures in an open zip, which is closed with this source.
    static PictureSource zip(Path path, ZipFile zip, ReadOptions options) {
        List<String> names =
                pictures(zip.stream().filter(entry -> !entry.isDirectory()).map(entry -> entry.getName()));
        requireSome(path, names, "none");
        String place = path + "!";
        return new PictureSource(
                place,
                names,
                i -> Zips.bytes(place + names.get(i), zip, names.get(i), options),
                () -> Zips.close(path, zip),
                options);
    }

    private static List<String> pictures(Stream<String> names) {
        return names.filter(PictureFormat::named)
                .filter(name -> !name.startsWith(".") && !name.contains("/.") && !name.startsWith("__MACOSX/"))
                .distinct()
                .sorted(NaturalOrder.INSTANCE)
                .toList();
    }

    private static void requireSome(Path path, List<String> names, String found) {
        if (names.isEmpty()) {
            throw DataException.expected(
                    path, "contents", "pictures (png, jpg, bmp, tga, pgm, ppm), CIFAR batches or IDX files", found);
        }
    }

    /// What lies in a folder without pictures: arrays are sources of their own.
    private static String folderContents(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<String> arrays = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".npy") || name.endsWith(".npz"))
                    .sorted(NaturalOrder.INSTANCE)
                    .toList();
            return switch (arrays.size()) {
                case 0 -> "none";
                case 1 -> arrays.getFirst() + "; name that file as the source";
                default ->
                    arrays.size() + " npy and npz files, " + arrays.getFirst()
                            + " the first; name one file as the source";
            };
        } catch (IOException e) {
            throw Opened.failure(folder, e);
        }
    }

    @Override
    public int count() {
        return names.size();
    }

    @Override
    public Frame frame(int i) {
        return ImageFile.frame(name(i), load.apply(i), options);
    }

    @Override
    public Image read(int i) {
        return ImageFile.decode(name(i), load.apply(i), options);
    }

    @Override
    public String name(int i) {
        return place + names.get(Objects.checkIndex(i, names.size()));
    }

    /// The number of the first folder of each name, if all have one and there are at least two.
    @Override
    public Optional<int[]> labels() {
        List<String> folders = new ArrayList<>();
        for (String name : names) {
            int slash = name.indexOf('/');
            if (slash <= 0 || place.isEmpty()) {
                return Optional.empty();
            }
            folders.add(name.substring(0, slash));
        }
        TreeSet<String> different = new TreeSet<>(NaturalOrder.INSTANCE);
        different.addAll(folders);
        List<String> classes = List.copyOf(different);
        return classes.size() < 2
                ? Optional.empty()
                : Optional.of(folders.stream()
                        .mapToInt(folder -> Collections.binarySearch(classes, folder, NaturalOrder.INSTANCE))
                        .toArray());
    }

    @Override
    public void close() {
        held.run();
    }
}
