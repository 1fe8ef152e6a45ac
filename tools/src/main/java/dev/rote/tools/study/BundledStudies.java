package dev.rote.tools.study;

import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The studies that come with the program: `tools/studies/**/*.toml`, in the jar under `dev/rote/tools/studies`. One in
/// a sub-folder has the folder in its name: `study1/n-sweep-small`.
public final class BundledStudies {
    private static final String FOLDER = "/dev/rote/tools/studies";
    private static final String ENDING = ".toml";

    private BundledStudies() {}

    /// The names, for the text of `rote study --help`.
    public static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return names().iterator();
        }
    }

    /// Their names, sorted.
    ///
    /// @throws EnvironmentException when the program's own files cannot be read
    public static List<String> names() {
        URL folder = BundledStudies.class.getResource(FOLDER);
        if (folder == null) {
            return List.of();
        }
        try {
            URI uri = folder.toURI();
            if (!uri.getScheme().equals("jar")) {
                return names(Path.of(uri));
            }
            try (FileSystem jar = FileSystems.newFileSystem(jar(uri))) {
                return names(jar.getPath(FOLDER));
            }
        } catch (IOException | URISyntaxException e) {
            throw new EnvironmentException("the bundled studies could not be listed: " + e.getMessage(), e);
        }
    }

    /// The names in a few words: `quickstart, smoke, 38 of study1/...`.
    static String summary(List<String> names) {
        Map<String, Integer> folders = new LinkedHashMap<>();
        for (String name : names) {
            int slash = name.lastIndexOf('/');
            folders.merge(slash < 0 ? name : name.substring(0, slash + 1), 1, Integer::sum);
        }
        return folders.entrySet().stream()
                .map(each ->
                        each.getKey().endsWith("/") ? each.getValue() + " of " + each.getKey() + "..." : each.getKey())
                .collect(Collectors.joining(", "));
    }

    /// The text of one; empty when there is none of this name.
    ///
    /// @throws EnvironmentException when the program's own files cannot be read
    public static Optional<String> text(String name) {
        if (!name.matches("[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")) {
            return Optional.empty();
        }
        try (InputStream in = BundledStudies.class.getResourceAsStream(FOLDER + "/" + name + ENDING)) {
            return in == null ? Optional.empty() : Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new EnvironmentException("the bundled study " + name + " could not be read: " + e.getMessage(), e);
        }
    }

    /// The jar file of `jar:file:/rote.jar!/entry`; opened by its path, it is a file system of our own to close.
    private static Path jar(URI uri) {
        String inner = uri.getRawSchemeSpecificPart();
        return Path.of(URI.create(inner.substring(0, inner.indexOf("!/"))));
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.map(file -> folder.relativize(file).toString().replace('\\', '/'))
                    .filter(file -> file.endsWith(ENDING))
                    .map(file -> file.substring(0, file.length() - ENDING.length()))
                    .sorted()
                    .toList();
        }
    }
}
