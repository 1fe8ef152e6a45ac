package dev.rote.device.cuda;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// The folders in which NVIDIA's libraries usually are. Folders that cannot be read have none.
final class VendorFolders {
    private static final List<String> CUDA =
            List.of("usr/local/cuda*/lib64", "usr/local/cuda*/targets/x86_64-linux/lib");
    private static final List<String> SYSTEM =
            List.of("usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib", "lib/x86_64-linux-gnu", "lib64");
    /// Where Python itself is: of the system, of its version managers and environments.
    private static final List<String> PYTHON = List.of("usr", "usr/local", "opt/*");

    private static final List<String> PYTHON_OF_USER = List.of(".local", ".pyenv/versions/*", "*conda*", "miniforge*");
    private static final String PACKAGES = "lib*/python3*/*-packages/nvidia/*/lib";

    private VendorFolders() {}

    /// @param environment of the process
    /// @param root of the file system
    /// @return existing folders, in the order in which they are asked
    static List<Path> of(Map<String, String> environment, Path root) {
        Set<Path> folders = new LinkedHashSet<>(split(environment.getOrDefault("LD_LIBRARY_PATH", "")));
        configured(root.resolve("etc/ld.so.conf"), root, folders, 0);
        Stream.concat(CUDA.stream(), SYSTEM.stream()).forEach(pattern -> folders.addAll(matches(root, pattern)));
        pythons(environment, root).forEach(python -> folders.addAll(matches(python, PACKAGES)));
        return folders.stream().filter(Files::isDirectory).toList();
    }

    /// Folders with colons between them.
    static List<Path> split(String text) {
        return Stream.of(text.split(":"))
                .filter(folder -> !folder.isBlank())
                .map(Path::of)
                .toList();
    }

    /// Folders that ldconfig is told to search, from its file and those which that includes.
    private static void configured(Path file, Path root, Set<Path> folders, int depth) {
        if (depth > 4 || !Files.isReadable(file)) {
            return;
        }
        try (Stream<String> lines = Files.lines(file)) {
            for (String line : lines.map(String::strip).toList()) {
                if (line.startsWith("include ")) {
                    String pattern = line.substring("include ".length()).strip().replaceFirst("^/", "");
                    matches(root, pattern).forEach(next -> configured(next, root, folders, depth + 1));
                } else if (line.startsWith("/")) {
                    folders.add(root.resolve(line.substring(1)));
                }
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            return; // such a file names no folders
        }
    }

    private static List<Path> pythons(Map<String, String> environment, Path root) {
        List<Path> pythons = new ArrayList<>();
        Stream.of("VIRTUAL_ENV", "CONDA_PREFIX")
                .flatMap(name -> split(environment.getOrDefault(name, "")).stream())
                .forEach(pythons::add);
        for (Path folder : split(environment.getOrDefault("PATH", ""))) {
            Path python = folder.resolve("python3");
            if (folder.getNameCount() > 0 && Files.exists(python)) {
                pythons.add(folder.toAbsolutePath().getParent());
                pythons.add(real(python).getParent().getParent());
            }
        }
        PYTHON.forEach(pattern -> pythons.addAll(matches(root, pattern)));
        for (Path home : split(environment.getOrDefault("HOME", ""))) {
            PYTHON_OF_USER.forEach(pattern -> pythons.addAll(matches(home, pattern)));
        }
        return pythons;
    }

    private static Path real(Path file) {
        try {
            return file.toRealPath();
        } catch (IOException e) {
            return file.toAbsolutePath();
        }
    }

    /// Files under a folder whose names match a path of patterns; of several, the last in the alphabet first.
    static List<Path> matches(Path folder, String pattern) {
        List<Path> found = List.of(folder);
        for (String name : pattern.split("/")) {
            PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + name);
            found = found.stream()
                    .flatMap(each ->
                            name.contains("*") ? children(each, matcher).stream() : Stream.of(each.resolve(name)))
                    .filter(Files::exists)
                    .toList();
        }
        return found;
    }

    private static List<Path> children(Path folder, PathMatcher matcher) {
        List<Path> children = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
                all.forEach(child -> {
                    if (matcher.matches(child.getFileName())) {
                        children.add(child);
                    }
                });
            } catch (IOException | DirectoryIteratorException e) {
                return List.of(); // not ours to read
            }
        }
        children.sort(Comparator.reverseOrder());
        return children;
    }
}
