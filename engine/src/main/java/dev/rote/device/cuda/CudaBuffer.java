package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;
import jcuda.driver.JCudaDriver;

/// Device memory with a named owner, zeroed.
final class CudaBuffer implements Buffer {
    private final CudaDevice device;
    private final String owner;
    private final DType type;
    private final long elements;
    private final DeviceAddress address;
    private boolean closed;

    CudaBuffer(CudaDevice device, String owner, DType type, long elements) {
        this.device = device;
        this.owner = owner;
        this.type = type;
        this.elements = elements;
        this.address = device.take(owner, bytes());
        device.check(JCudaDriver.cuMemsetD8Async(address, (byte) 0, Math.max(1, bytes()), device.stream()), owner);
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
        return address.value();
    }

    @Override
    public void write(long offset, MemorySegment source) {
        requireRange(offset, source.byteSize());
        device.copyIn(address, offset, source, "write to buffer " + owner);
    }

    @Override
    public void read(long offset, MemorySegment target) {
        requireRange(offset, target.byteSize());
        device.copyOut(address, offset, target, "read of buffer " + owner);
    }

    private void requireRange(long offset, long size) {
        requireOpen();
        if (offset < 0 || size > bytes() - offset) {
            throw new IllegalArgumentException("buffer " + owner + ": expected a range inside its " + bytes()
                    + " bytes, found " + size + " bytes at " + offset);
        }
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
            device.forget(this);
            device.giveBack(address, bytes());
        }
    }
}
