package dev.rote.data;

import dev.rote.errors.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.ZipFile;

/// NumPy's archive: a zip of [Npy] files. The images are the array that `?key=NAME` names, or the only one that can be
/// images, or the first there is of [#USUAL]. Labels are the array named like the images with `labels` for `images`
/// or `y` for `x`, otherwise `labels` or `y`, if there is one with a class number for each image.
final class Npz {
    private static final List<String> USUAL = List.of("images", "x_train", "train_images", "arr_0");
    private static final String ENDING = ".npy";

    private Npz() {}

    static boolean holds(ZipFile zip) {
        return zip.stream().anyMatch(entry -> entry.getName().endsWith(ENDING));
    }

    static ArraySource open(ZipFile zip, SourceName name, ReadOptions options) {
        name.allow(Set.of("key", "layout", "range"));
        Path path = name.path();
        Map<String, Npy> arrays = new TreeMap<>(NaturalOrder.INSTANCE);
        zip.stream()
                .map(entry -> entry.getName())
                .filter(entry -> entry.endsWith(ENDING))
                .forEach(entry -> {
                    String key = entry.substring(0, entry.length() - ENDING.length());
                    arrays.put(key, header(path, zip, key));
                });
        String key = images(name, arrays);
        return Opener.guarded(arena -> {
            ArrayPart part = arrays.get(key).images(load(arrays.get(key), zip, key, options, arena), name);
            int[] labels = labels(key, arrays)
                    .map(found ->
                            arrays.get(found).labels(load(arrays.get(found), zip, found, options, arena), part.count()))
                    .orElse(null);
            return new ArraySource(arena, List.of(part), labels);
        });
    }

    private static Npy header(Path path, ZipFile zip, String key) {
        String place = path + "!" + key + ENDING;
        try (InputStream in = Zips.stream(zip, key + ENDING)) {
            return Npy.header(place, MemorySegment.ofArray(in.readNBytes(1 << 16)));
        } catch (IOException e) {
            throw Opened.failure(place, e);
        }
    }

    private static MemorySegment load(Npy npy, ZipFile zip, String key, ReadOptions options, Arena arena) {
        return Opened.inflate(
                npy.path(),
                () -> Zips.stream(zip, key + ENDING),
                options.maxInflatedBytes(),
                head -> Npy.header(npy.path(), head).end(),
                arena);
    }

    private static String images(SourceName name, Map<String, Npy> arrays) {
        String wanted = name.query().get("key");
        if (wanted != null) {
            if (!arrays.containsKey(wanted)) {
                throw DataException.expected(name.text(), "key", "one of " + arrays.keySet(), wanted);
            }
            return wanted;
        }
        List<String> possible = arrays.keySet().stream()
                .filter(key -> arrays.get(key).imageLike())
                .toList();
        if (possible.size() == 1) {
            return possible.getFirst();
        }
        return USUAL.stream()
                .filter(possible::contains)
                .findFirst()
                .orElseThrow(() -> DataException.expected(
                        name.path(),
                        "arrays",
                        "one array of images, or ?key=NAME after the path",
                        possible.size() + " among " + arrays.keySet()));
    }

    private static Optional<String> labels(String images, Map<String, Npy> arrays) {
        long count = arrays.get(images).shape()[0];
        return List.of(images.replace("images", "labels"), images.replace("x", "y"), "labels", "y").stream()
                .filter(key -> !key.equals(images) && arrays.containsKey(key))
                .filter(key -> arrays.get(key).labelLike(count))
                .findFirst();
    }
}
