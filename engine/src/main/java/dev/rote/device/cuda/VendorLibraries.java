package dev.rote.device.cuda;

import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// NVIDIA's cuBLAS and cuDNN on this machine, newest first. They are loaded once in a process, and only where somebody
/// asks for vendor operations.
///
/// JCublas asks for the soname of cuBLAS 12. Where there is cuBLAS 13, a library of ours answers to that name and hands
/// the calls on (native/vendor).
public final class VendorLibraries {
    /// A system property and an environment variable that name folders, with colons between, to look in first.
    public static final String PROPERTY = "rote.vendor";

    public static final String VARIABLE = "ROTE_VENDOR_LIBRARIES";

    private static final String FORWARD = "/dev/rote/vendor/linux-x86_64/libcublas.so.12";
    private static final List<String> CUBLAS = List.of("libcublas.so.13", "libcublas.so.12");
    private static final List<String> CUDNN = List.of("libcudnn.so.9");

    private static final class Loaded {
        private static final Optional<String> FAILURE = load(here());

        /// In the order in which they need each other; the dynamic loader then finds them by their sonames.
        private static Optional<String> load(VendorLibraries found) {
            try {
                Path cublas = found.cublas.orElseThrow();
                Path light =
                        cublas.resolveSibling(cublas.getFileName().toString().replace("cublas", "cublasLt"));
                if (Files.exists(light)) {
                    System.load(light.toString());
                }
                System.load(cublas.toString());
                if (cublas.endsWith(CUBLAS.getFirst())) {
                    loadForward();
                }
                System.load(found.cudnn.orElseThrow().toString());
                return Optional.empty();
            } catch (UnsatisfiedLinkError | IOException e) {
                return Optional.of(String.valueOf(e.getMessage()));
            }
        }

        private static void loadForward() throws IOException {
            try (InputStream library = VendorLibraries.class.getResourceAsStream(FORWARD)) {
                if (library == null) {
                    throw new IOException("this build has no library that lets JCublas run on cuBLAS 13; it needs gcc");
                }
                Path file = Files.createTempFile("libcublas-forward", ".so");
                try {
                    Files.write(file, library.readAllBytes());
                    System.load(file.toString());
                } finally {
                    Files.delete(file); // mapped by now
                }
            }
        }
    }

    private final List<String> places;
    private final Optional<Path> cublas;
    private final Optional<Path> cudnn;

    private VendorLibraries(List<String> places, List<Path> folders) {
        this.places = places;
        this.cublas = first(CUBLAS, folders);
        this.cudnn = first(CUDNN, folders);
    }

    /// What this process would use: on the stand-in for the driver only what is named, as no library of NVIDIA's runs
    /// there.
    public static VendorLibraries here() {
        String named = System.getProperty(PROPERTY, System.getenv().getOrDefault(VARIABLE, ""));
        if (StandIn.loaded().isPresent()) {
            return new VendorLibraries(
                    List.of(PROPERTY + ", the only place beside the stand-in for the driver"),
                    VendorFolders.split(named));
        }
        return search(named, System.getenv(), Path.of("/"));
    }

    /// @param named folders to look in first, with colons between
    /// @param root of the file system
    static VendorLibraries search(String named, Map<String, String> environment, Path root) {
        List<Path> folders = new ArrayList<>(VendorFolders.split(named));
        folders.addAll(VendorFolders.of(environment, root));
        return new VendorLibraries(
                List.of(
                        VARIABLE + (named.isEmpty() ? " (names none)" : " (" + named + ")"),
                        "LD_LIBRARY_PATH",
                        "the folders of ld.so.conf",
                        "/usr/local/cuda*",
                        "the folders of the system",
                        "nvidia/*/lib of Python's packages"),
                folders);
    }

    private static Optional<Path> first(List<String> files, List<Path> folders) {
        return files.stream()
                .flatMap(file -> folders.stream().map(folder -> folder.resolve(file)))
                .filter(Files::isRegularFile)
                .map(Path::toAbsolutePath)
                .findFirst();
    }

    /// Where cuBLAS is.
    public Optional<Path> cublas() {
        return cublas;
    }

    /// Where cuDNN is.
    public Optional<Path> cudnn() {
        return cudnn;
    }

    /// Every library with its place, or that it was not found.
    public String describe() {
        return "cuBLAS " + cublas.map(Path::toString).orElse("not found") + ", cuDNN "
                + cudnn.map(Path::toString).orElse("not found");
    }

    /// @throws EnvironmentException if one is missing: which, and where it was looked for
    public VendorLibraries require() {
        List<String> missing = Stream.of(
                        cublas.isPresent() ? "" : "cuBLAS (" + String.join(" or ", CUBLAS) + ")",
                        cudnn.isPresent() ? "" : "cuDNN (" + String.join(" or ", CUDNN) + ")")
                .filter(text -> !text.isEmpty())
                .toList();
        if (!missing.isEmpty()) {
            throw new EnvironmentException("kernels \"vendor\": found no " + String.join(" and no ", missing)
                    + "; looked in " + String.join(", ", places));
        }
        return this;
    }

    /// Loads what [#here] found.
    ///
    /// @throws EnvironmentException if one is missing or does not load
    static void load() {
        here().require();
        if (Loaded.FAILURE.isPresent()) {
            throw new EnvironmentException("kernels \"vendor\": NVIDIA's libraries cannot be loaded: "
                    + Loaded.FAILURE.get().replaceAll("\\s+", " "));
        }
    }
}
