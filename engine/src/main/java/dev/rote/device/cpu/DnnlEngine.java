package dev.rote.device.cpu;

import static dev.rote.bindings.dnnl.Dnnl.*;

import dev.rote.bindings.dnnl.Dnnl;
import dev.rote.errors.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The oneDNN engine of a device.
final class DnnlEngine implements AutoCloseable {
    private final MemorySegment engine;

    DnnlEngine() {
        DnnlLibrary.load();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            check("engine", dnnl_engine_create(out, dnnl_cpu(), 0));
            engine = out.get(ValueLayout.ADDRESS, 0);
        }
    }

    MemorySegment handle() {
        return engine;
    }

    String describe() {
        MemorySegment version = dnnl_version().reinterpret(32);
        return "oneDNN " + version.get(ValueLayout.JAVA_INT, 0) + "." + version.get(ValueLayout.JAVA_INT, 4) + "."
                + version.get(ValueLayout.JAVA_INT, 8) + " isa 0x" + Integer.toHexString(dnnl_get_effective_cpu_isa())
                + ", Java vectors of " + Memory.F.vectorBitSize() + " bits";
    }

    /// @throws DeviceException naming the operation and the status unless the status is success
    static void check(String operation, int status) {
        if (status != Dnnl.dnnl_success()) {
            throw new DeviceException(operation + ": oneDNN answered status " + status
                    + (status == 1 ? " (out of memory)" : status == 3 ? " (unimplemented)" : ""));
        }
    }

    @Override
    public void close() {
        check("engine", dnnl_engine_destroy(engine));
    }
}
