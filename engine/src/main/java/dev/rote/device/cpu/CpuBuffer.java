package dev.rote.device.cpu;

import dev.rote.device.Buffer;
import dev.rote.errors.DeviceException;
import dev.rote.graph.DType;
import dev.rote.graph.Plan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Native memory with a named owner, 64-byte aligned, zeroed.
final class CpuBuffer implements Buffer {
    private final CpuDevice device;
    private final String owner;
    private final DType type;
    private final long elements;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private boolean closed;

    CpuBuffer(CpuDevice device, String owner, DType type, long elements) {
        this.device = device;
        this.owner = owner;
        this.type = type;
        this.elements = elements;
        try {
            this.segment = arena.allocate(Math.max(1, elements * type.bytes()), Plan.ALIGNMENT);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw new DeviceException("cpu: cannot allocate " + elements * type.bytes() + " bytes for " + owner, e);
        }
    }

    @Override
    public DType type() {
        return type;
    }

    @Override
    public long elements() {
        return elements;
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
        requireOpen();
        if (offset < 0 || size > bytes() - offset) {
            throw new IllegalArgumentException("buffer " + owner + ": expected a range inside its " + bytes()
                    + " bytes, found " + size + " bytes at " + offset);
        }
        return segment.asSlice(offset, size);
    }

    /// @throws IllegalStateException if the buffer is closed
    void requireOpen() {
        if (closed) {
            throw new IllegalStateException("buffer " + owner + " is closed");
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.released(this, bytes());
            arena.close();
        }
    }
}
