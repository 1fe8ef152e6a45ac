package dev.rote.device.cpu;

import dev.rote.device.OwnedBuffer;
import dev.rote.errors.DeviceException;
import dev.rote.graph.DType;
import dev.rote.graph.Plan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Native memory with a named owner, 64-byte aligned, zeroed.
final class CpuBuffer extends OwnedBuffer {
    private final CpuDevice device;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;

    CpuBuffer(CpuDevice device, String owner, DType type, long elements) {
        super(owner, type, elements);
        this.device = device;
        try {
            this.segment = arena.allocate(Math.max(1, elements * type.bytes()), Plan.ALIGNMENT);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw new DeviceException("cpu: cannot allocate " + elements * type.bytes() + " bytes for " + owner, e);
        }
    }

    long address() {
        requireOpen();
        return segment.address();
    }

    @Override
    public void write(long offset, MemorySegment source) {
        MemorySegment.copy(source, 0, range(offset, source.byteSize()), 0, source.byteSize());
    }

    @Override
    public void read(long offset, MemorySegment target) {
        MemorySegment.copy(range(offset, target.byteSize()), 0, target, 0, target.byteSize());
    }

    private MemorySegment range(long offset, long size) {
        requireRange(offset, size);
        return segment.asSlice(offset, size);
    }

    @Override
    protected void release() {
        device.released(this, bytes());
        arena.close();
    }
}
