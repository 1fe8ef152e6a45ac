package dev.rote.tools.theory;

import dev.rote.config.ConfigTree;
import dev.rote.config.Nearest;
import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The computations that come with the program: `tools/theory/*.toml`, in the jar under `dev/rote/tools/theory/files`.
final class BundledTheory {
    private static final String FOLDER = "/dev/rote/tools/theory/files/";

    /// Each has a twin of the paper's size, `NAME-full`.
    private static final List<String> SMALL = List.of(
            "spectrum", "covariances", "dynamics", "times", "variance", "minimum", "descent", "adam", "map", "tails");

    private BundledTheory() {}

    static List<String> names() {
        return SMALL.stream().flatMap(name -> Stream.of(name, name + "-full")).toList();
    }

    /// The file of a path, or a bundled one. A bundled name wins; `./spectrum` is the file of that name.
    ///
    /// @throws DataException when there is neither, or it is not TOML
    static ConfigTree tree(String nameOrPath) {
        if (names().contains(nameOrPath)) {
            return ConfigTree.parse(text(nameOrPath), "theory " + nameOrPath);
        }
        if (isFile(nameOrPath)) {
            return ConfigTree.read(Path.of(nameOrPath));
        }
        String nearest = Nearest.to(nameOrPath, names())
                .map(n -> " (did you mean " + n + "?)")
                .orElse("");
        throw new DataException(nameOrPath + ": expected a file or a bundled computation" + nearest
                + ", found neither; bundled are: " + String.join(", ", names()));
    }

    private static String text(String name) {
        try (InputStream in = BundledTheory.class.getResourceAsStream(FOLDER + name + ".toml")) {
            if (in == null) {
                throw new AssertionError("the bundled computation " + name + " is missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new EnvironmentException(
                    "the bundled computation " + name + " could not be read: " + e.getMessage(), e);
        }
    }

    private static boolean isFile(String path) {
        try {
            return Files.exists(Path.of(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
