package dev.rote.device.cpu;

import dev.rote.graph.Plan;

/// Scratch memory of a lane. Kernels of a lane run one after the other, so each starts again at the beginning.
///
/// When a kernel wants more than there is, a larger region is added; earlier kernels keep their addresses in the old
/// one.
final class Scratch {
    private final Space space;
    private long base;
    private long capacity;
    private long used;

    Scratch(Space space) {
        this.space = space;
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

    private void grow(long bytes) {
        base = space.take(bytes);
        capacity = bytes;
        used = 0;
    }
}
