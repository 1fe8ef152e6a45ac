package dev.rote.device.cpu;

import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;

/// Unpacks oneDNN and its OpenMP runtime from the class path to a cache folder and loads them, once per process.
///
/// The folder is the system property `rote.native.cache`, else `.cache/rote` in the user's home, else the temporary
/// folder.
final class DnnlLibrary {
    private static final String VERSION = "3.11";

    /// The initialisation of this holder class loads the libraries; it happens once, and fails once for all.
    private static final class Loaded {
        private static final MethodHandle SET_THREADS;
        private static final MethodHandle GET_THREADS;

        static {
            String platform = platform();
            Path folder = cacheFolder().resolve("dnnl-" + VERSION + "-" + platform);
            List<String> libraries = libraries(platform);
            SymbolLookup threads = null;
            for (String library : libraries) {
                Path file = unpack("/org/bytedeco/dnnl/" + platform + "/" + library, folder.resolve(library));
                System.load(file.toString());
                if (threads == null) {
                    threads = SymbolLookup.loaderLookup();
                }
            }
            Linker linker = Linker.nativeLinker();
            SET_THREADS = linker.downcallHandle(
                    threads.findOrThrow("omp_set_num_threads"), FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT));
            GET_THREADS = linker.downcallHandle(
                    threads.findOrThrow("omp_get_max_threads"), FunctionDescriptor.of(ValueLayout.JAVA_INT));
        }
    }

    private DnnlLibrary() {}

    /// Loads the libraries if that has not happened yet.
    ///
    /// @throws EnvironmentException if they are not on the class path, or cannot be unpacked or loaded
    static void load() {
        threads();
    }

    /// How many OpenMP threads a oneDNN call of this Java thread uses.
    static int threads() {
        try {
            return (int) Loaded.GET_THREADS.invokeExact();
        } catch (ExceptionInInitializerError | NoClassDefFoundError e) {
            throw unavailable(e);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Sets how many OpenMP threads a oneDNN call of this Java thread uses.
    static void setThreads(int threads) {
        try {
            Loaded.SET_THREADS.invokeExact(threads);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static EnvironmentException unavailable(Throwable e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return cause instanceof EnvironmentException known
                ? known
                : new EnvironmentException("oneDNN " + VERSION + " could not be loaded: " + cause.getMessage(), cause);
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String machine = System.getProperty("os.arch");
        boolean arm = machine.equals("aarch64");
        if (os.contains("linux")) {
            return arm ? "linux-arm64" : "linux-x86_64";
        }
        if (os.contains("mac")) {
            return arm ? "macosx-arm64" : "macosx-x86_64";
        }
        return "windows-x86_64";
    }

    /// The files to load, dependencies first.
    private static List<String> libraries(String platform) {
        if (platform.startsWith("linux")) {
            return List.of("libgomp.so.1", "libdnnl.so.3");
        }
        return platform.startsWith("mac")
                ? List.of("libomp.dylib", "libdnnl.3.dylib")
                : List.of("libomp140.x86_64.dll", "dnnl.dll");
    }

    static Path cacheFolder() {
        String chosen = System.getProperty("rote.native.cache");
        if (chosen != null) {
            return Path.of(chosen);
        }
        Path home = Path.of(System.getProperty("user.home"));
        return Files.isWritable(home)
                ? home.resolve(".cache").resolve("rote")
                : Path.of(System.getProperty("java.io.tmpdir")).resolve("rote");
    }

    private static Path unpack(String resource, Path target) {
        try (InputStream in = DnnlLibrary.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new EnvironmentException("oneDNN: " + resource + " is not on the class path; is there a build of"
                        + " org.bytedeco:dnnl for this platform?");
            }
            if (Files.isRegularFile(target)) {
                return target;
            }
            Files.createDirectories(target.getParent());
            // Whole or not at all: another process may be unpacking the same file.
            Path partial = Files.createTempFile(
                    target.getParent(), target.getFileName().toString(), ".part");
            Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            return target;
        } catch (IOException e) {
            throw new EnvironmentException(
                    "oneDNN: cannot unpack " + resource + " to " + target + ": " + e.getMessage(), e);
        }
    }
}
