package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// The library that answers to the name of cuBLAS 12 (native/vendor), in front of a cuBLAS 13.
@ExtendWith(AnyDriver.class)
class CublasForwardTest {
    private static final String SONAME = "libcublas.so.12";
    private static final int NOT_SUPPORTED = 15;

    @BeforeAll
    static void load() {
        OnVendorLibraries.find();
        Assumptions.assumeTrue(
                VendorLibraries.here().cublas().orElseThrow().endsWith("libcublas.so.13"),
                "cuBLAS 12 is not forwarded");
        VendorLibraries.load();
    }

    private static MemorySegment call(MethodHandle handle, Object... arguments) throws Throwable {
        return (MemorySegment) handle.invokeWithArguments(arguments);
    }

    /// As the dynamic loader finds a symbol of a version for JCublas.
    private static MemorySegment function(String name) throws Throwable {
        Linker linker = Linker.nativeLinker();
        SymbolLookup system = linker.defaultLookup();
        MethodHandle open = linker.downcallHandle(
                system.find("dlopen").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        MethodHandle find = linker.downcallHandle(
                system.find("dlvsym").orElseThrow(),
                FunctionDescriptor.of(
                        ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            int lazy = 1;
            MemorySegment library = call(open, arena.allocateFrom(SONAME), lazy);
            assertThat(library).as(SONAME).isNotEqualTo(MemorySegment.NULL);
            return call(find, library, arena.allocateFrom(name), arena.allocateFrom(SONAME));
        }
    }

    private static List<String> symbols() throws IOException {
        return Files.readAllLines(Path.of("../native/vendor/cublas-symbols.txt"));
    }

    @Test
    void everyFunctionThatJCublasImportsIsThereInItsVersion() throws Throwable {
        Assumptions.assumeTrue(Files.exists(Path.of("../native/vendor")), "the sources are not here");
        assertThat(symbols()).hasSizeGreaterThan(400).contains("cublasGemmEx", "cublasCreate_v2");
        for (String name : symbols()) {
            assertThat(function(name)).as(name).isNotEqualTo(MemorySegment.NULL);
        }
        assertThat(function("bind")).as("what is its own").isEqualTo(MemorySegment.NULL);
    }

    @Test
    void aCallArrivesWithItsArgumentsAndItsResultComesBack() throws Throwable {
        MethodHandle version = Linker.nativeLinker()
                .downcallHandle(
                        function("cublasGetVersion_v2"),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        Assumptions.assumeFalse(AnyDriver.isGpu(), "a handle is needed there");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(ValueLayout.JAVA_INT);
            assertThat((int) version.invokeExact(MemorySegment.NULL, found)).isZero();
            assertThat(found.get(ValueLayout.JAVA_INT, 0)).isEqualTo(130_000);
        }
    }

    @Test
    void whatTheNewerLibraryLacksIsRefused() throws Throwable {
        Assumptions.assumeFalse(AnyDriver.isGpu(), "NVIDIA's lacks nothing");
        MethodHandle lacking = Linker.nativeLinker()
                .downcallHandle(function("cublasSgemm_v2"), FunctionDescriptor.of(ValueLayout.JAVA_INT));
        assertThat((int) lacking.invokeExact()).isEqualTo(NOT_SUPPORTED);
    }
}
