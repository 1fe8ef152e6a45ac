package dev.rote.device.cuda;

import dev.rote.errors.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The stand-in for the CUDA driver: `native/standin`, in which the kernels, compiled by a host compiler, run on the
/// CPU. For tests. It is used only when it was loaded by name before the first use of JCuda.
public final class StandIn {
    /// Path of the library as a system property. Nothing else makes a process use the stand-in.
    public static final String PROPERTY = "rote.standin";

    private static final class Loaded {
        private static final Optional<StandIn> INSTANCE =
                Optional.ofNullable(System.getProperty(PROPERTY)).map(path -> new StandIn(Path.of(path)));
    }

    /// Bytes of a text that the library returns; more than it ever has.
    private static final long TEXT_LIMIT = 1 << 20;

    private final MethodHandle set;
    private final MethodHandle fail;
    private final MethodHandle fault;
    private final MethodHandle kernels;
    private final MethodHandle record;

    private StandIn(Path library) {
        if (!Files.isRegularFile(library)) {
            throw new DeviceException(PROPERTY + ": expected the stand-in for the CUDA driver, found no file " + library
                    + " (native/standin/build.sh makes it)");
        }
        // JCuda's library asks for libcuda.so.1; the dynamic loader finds this one by its soname.
        System.load(library.toAbsolutePath().toString());
        SymbolLookup symbols = SymbolLookup.loaderLookup();
        this.set = link(symbols, "rote_standin_set", ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
        this.fail = Linker.nativeLinker()
                .downcallHandle(
                        symbols.find("rote_standin_fail").orElseThrow(),
                        FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        this.fault = link(symbols, "rote_standin_fault", ValueLayout.ADDRESS);
        this.kernels = link(symbols, "rote_standin_kernels", ValueLayout.ADDRESS);
        this.record = link(symbols, "rote_standin_record", ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
    }

    /// The stand-in of this process, loaded at the first call; empty if [#PROPERTY] does not ask for it.
    ///
    /// @throws DeviceException if the property names no file
    public static Optional<StandIn> loaded() {
        return Loaded.INSTANCE;
    }

    /// Order of threads, blocks, streams and independent nodes of a graph. A result that depends on it is a race.
    public void descending(boolean descending) {
        set("order", descending ? 1 : 0);
    }

    /// Sets `workers`, `memory`, `driver`, `devices` or `capability`; see native/standin/device.h.
    ///
    /// @throws IllegalArgumentException if there is no such setting
    public void set(String setting, long value) {
        try (Arena arena = Arena.ofConfined()) {
            if ((int) set.invokeExact(arena.allocateFrom(setting), value) == 0) {
                throw new IllegalArgumentException("stand-in: there is no setting " + setting);
            }
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// Lets one call of the driver fail, after `after` good ones.
    ///
    /// @param call name as in the driver API, without its version
    /// @param result a `CUresult`; a kernel's fault leaves the device lost
    public void fail(String call, long after, int result) {
        try (Arena arena = Arena.ofConfined()) {
            fail.invokeExact(arena.allocateFrom(call), after, result);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// What a fault was, with kernel, block and thread; empty if the device is well.
    public String fault() {
        return text(fault);
    }

    /// The argument struct of every kernel: `bytes`, then `name:offset:bytes:kind` of its fields, kind `p` or `v`.
    public Map<String, Layout> layouts() {
        Map<String, Layout> layouts = new LinkedHashMap<>();
        text(kernels).lines().forEach(line -> {
            List<String> words = List.of(line.split(" "));
            layouts.put(
                    words.get(0),
                    new Layout(
                            Integer.parseInt(words.get(1)),
                            Integer.parseInt(words.get(2)),
                            words.subList(3, words.size())));
        });
        return layouts;
    }

    /// An argument struct as the compiler of the kernel laid it out.
    ///
    /// @param bytes of the struct
    /// @param threads most threads of a block
    /// @param fields `name:offset:bytes:kind`, kind `p` for a pointer, `v` for a number
    public record Layout(int bytes, int threads, List<String> fields) {}

    /// Writes what the device does from now on into a file that `replay` repeats under AddressSanitizer.
    ///
    /// @throws DeviceException if the file cannot be written
    public void record(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            if ((int) record.invokeExact(arena.allocateFrom(file.toString())) == 0) {
                throw new DeviceException("stand-in: cannot write " + file);
            }
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// Ends the record.
    public void stopRecording() {
        try {
            int ignored = (int) record.invokeExact(MemorySegment.NULL);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    private static MethodHandle link(
            SymbolLookup symbols,
            String name,
            java.lang.foreign.MemoryLayout result,
            java.lang.foreign.MemoryLayout... arguments) {
        return Linker.nativeLinker()
                .downcallHandle(symbols.find(name).orElseThrow(), FunctionDescriptor.of(result, arguments));
    }

    private static String text(MethodHandle handle) {
        try {
            return ((MemorySegment) handle.invokeExact())
                    .reinterpret(TEXT_LIMIT)
                    .getString(0);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    private static RuntimeException rethrown(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException known ? known : new DeviceException("stand-in: " + e.getMessage(), e);
    }
}
