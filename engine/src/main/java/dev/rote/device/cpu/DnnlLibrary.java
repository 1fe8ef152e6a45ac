package dev.rote.device.cpu;

import dev.rote.device.NativeFiles;
import dev.rote.errors.EnvironmentException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/// Unpacks oneDNN and its OpenMP runtime from the class path ([NativeFiles]) and loads them, once per process.
final class DnnlLibrary {
    private static final String VERSION = "3.11";

    /// The initialisation of this holder class loads the libraries; it happens once, and fails once for all.
    private static final class Loaded {
        private static final MethodHandle SET_THREADS;
        private static final MethodHandle GET_THREADS;

        static {
            NativeFiles files = NativeFiles.ofPreset("oneDNN", "dnnl", VERSION);
            SymbolLookup threads = null;
            for (String library : libraries(NativeFiles.platform())) {
                System.load(files.unpacked(library).toString());
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

    /// The files to load, dependencies first.
    private static List<String> libraries(String platform) {
        if (platform.startsWith("linux")) {
            return List.of("libgomp.so.1", "libdnnl.so.3");
        }
        return platform.startsWith("mac")
                ? List.of("libomp.dylib", "libdnnl.3.dylib")
                : List.of("libomp140.x86_64.dll", "dnnl.dll");
    }
}
