package dev.rote.device.cpu;

import dev.rote.graph.Plan;
import java.lang.foreign.Arena;

/// Scratch memory of a lane. Kernels of a lane run one after the other, so each starts again at the beginning.
///
/// When a kernel wants more than there is, a larger region is added; earlier kernels keep their addresses in the old
/// one.
final class Scratch {
    private final Arena arena;
    private long base;
    private long capacity;
    private long used;
    private long allocated;

    Scratch(Arena arena) {
        this.arena = arena;
        grow(1 << 16);
    }

    /// Begins the scratch area of the next kernel.
    void restart() {
        used = 0;
    }

    long take(long size) {
        long bytes = (size + Plan.ALIGNMENT - 1) / Plan.ALIGNMENT * Plan.ALIGNMENT;
        if (used + bytes > capacity) {
            grow(Math.max(2 * capacity, bytes));
        }
        long address = base + used;
        used += bytes;
        return address;
    }

    /// Bytes of all regions.
    long allocated() {
        return allocated;
    }

    private void grow(long bytes) {
        base = arena.allocate(bytes, Plan.ALIGNMENT).address();
        capacity = bytes;
        used = 0;
        allocated += bytes;
    }
}
