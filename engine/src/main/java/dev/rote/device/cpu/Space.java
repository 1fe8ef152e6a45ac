package dev.rote.device.cpu;

import dev.rote.graph.Plan;
import java.lang.foreign.Arena;

/// Where the memory of one lane comes from: the machine, or a mere count of what would be taken, by which a
/// program is measured before it is made. Addresses of a counted space are never read or written.
final class Space implements AutoCloseable {
    private final Arena arena;
    private long bytes;

    private Space(Arena arena) {
        this.arena = arena;
    }

    static Space real() {
        return new Space(Arena.ofShared());
    }

    static Space counted() {
        return new Space(null);
    }

    boolean isReal() {
        return arena != null;
    }

    /// Zeroed memory, 64-byte aligned.
    ///
    /// @return its address
    /// @throws OutOfMemoryError if the machine has not that much
    long take(long size) {
        long address =
                isReal() ? arena.allocate(Math.max(1, size), Plan.ALIGNMENT).address() : Plan.ALIGNMENT;
        bytes += size;
        return address;
    }

    /// Bytes taken.
    long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        if (isReal()) {
            arena.close();
        }
    }
}
