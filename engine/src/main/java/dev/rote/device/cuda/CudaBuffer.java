package dev.rote.device.cuda;

import dev.rote.device.OwnedBuffer;
import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;
import jcuda.driver.JCudaDriver;

/// Device memory with a named owner, zeroed.
final class CudaBuffer extends OwnedBuffer {
    private final CudaDevice device;
    private final DeviceAddress address;

    CudaBuffer(CudaDevice device, String owner, DType type, long elements) {
        super(owner, type, elements);
        this.device = device;
        this.address = device.take(owner, bytes());
        clear();
    }

    long address() {
        requireOpen();
        return address.value();
    }

    /// Zeroes all of it, on the stream.
    void clear() {
        device.makeCurrent();
        int result = JCudaDriver.cuMemsetD8Async(address, (byte) 0, Math.max(1, bytes()), device.stream());
        device.check(result, "buffer " + owner());
    }

    @Override
    public void write(long offset, MemorySegment source) {
        requireRange(offset, source.byteSize());
        device.copyIn(address, offset, source, "write to buffer " + owner());
    }

    @Override
    public void read(long offset, MemorySegment target) {
        requireRange(offset, target.byteSize());
        device.copyOut(address, offset, target, "read of buffer " + owner());
    }

    @Override
    protected void release() {
        device.forget(this);
        device.giveBack(address, bytes());
    }
}
