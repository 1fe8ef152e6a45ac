package dev.rote.tools.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// NVIDIA's libraries on this machine, newest first. This version computes without them; who wants to compare with them
/// can see which there are.
final class VendorLibraries {
    private static final Map<String, List<String>> FILES = Map.of(
            "cuBLAS", List.of("libcublas.so.13", "libcublas.so.12"),
            "cuDNN", List.of("libcudnn.so.9", "libcudnn.so.8"));
    private static final List<String> USUAL = List.of(
            "/usr/local/cuda/lib64",
            "/usr/local/cuda/targets/x86_64-linux/lib",
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib64",
            "/usr/lib");

    private VendorLibraries() {}

    /// Every library with its place, or that it was not found.
    static String describe() {
        String path = System.getenv().getOrDefault("LD_LIBRARY_PATH", "");
        Stream<String> asked = Stream.of(path.split(":")).filter(folder -> !folder.isEmpty());
        return describe(Stream.concat(asked, USUAL.stream()).map(Path::of).toList());
    }

    /// @param folders to look in, in this order
    static String describe(List<Path> folders) {
        return Stream.of("cuBLAS", "cuDNN")
                .map(name -> name + " "
                        + find(FILES.get(name), folders).map(Path::toString).orElse("not found"))
                .collect(Collectors.joining(", "));
    }

    private static Optional<Path> find(List<String> files, List<Path> folders) {
        return files.stream()
                .flatMap(file -> folders.stream().map(folder -> folder.resolve(file)))
                .filter(Files::exists)
                .findFirst();
    }
}
