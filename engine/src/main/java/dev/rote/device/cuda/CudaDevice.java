package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.errors.DeviceException;
import dev.rote.graph.DType;
import dev.rote.graph.Plan;
import dev.rote.graph.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/// One GPU as a device: one lane, one context, one stream on which programs and copies follow each other.
///
/// A failure inside a kernel is reported by the next call that waits (a read, a write) or by the next launch.
public final class CudaDevice implements Device {
    private static final int NON_BLOCKING = 1;
    private static final int STAGING_BYTES = 1 << 20;

    private final boolean tf32;
    private final CUdevice device = new CUdevice();
    private final CUcontext context = new CUcontext();
    private final CUstream stream = new CUstream();
    private final Pointer staging = new Pointer();
    private final Kernels kernels;
    private final AtomicLong allocated = new AtomicLong();
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private CudaDevice(int ordinal, boolean tf32) {
        this.tf32 = tf32;
        Driver.check(JCudaDriver.cuDeviceGet(device, ordinal), "GPU " + ordinal);
        Driver.check(JCudaDriver.cuCtxCreate(context, 0, device), "context on GPU " + ordinal);
        boolean complete = false;
        try {
            Driver.check(JCudaDriver.cuStreamCreate(stream, NON_BLOCKING), "stream on GPU " + ordinal);
            Driver.check(JCudaDriver.cuMemHostAlloc(staging, STAGING_BYTES, 0), "pinned memory");
            kernels = new Kernels(new KernelImage());
            complete = true;
        } finally {
            if (!complete) {
                JCudaDriver.cuCtxDestroy(context);
            }
        }
    }

    /// Opens a GPU.
    ///
    /// @param ordinal its number, from 0
    /// @throws dev.rote.errors.EnvironmentException if there is no driver or no GPU
    public static CudaDevice open(int ordinal) {
        return open(ordinal, false);
    }

    /// Opens a GPU.
    ///
    /// @param ordinal its number, from 0
    /// @param tf32 whether products of f32 tensors may round their factors to 10 bits of mantissa
    /// @throws dev.rote.errors.EnvironmentException if there is no driver or no GPU
    public static CudaDevice open(int ordinal, boolean tf32) {
        Driver.initialize();
        return new CudaDevice(ordinal, tf32);
    }

    @Override
    public String kind() {
        return "cuda";
    }

    @Override
    public String describe() {
        byte[] name = new byte[256];
        Driver.check(JCudaDriver.cuDeviceGetName(name, name.length, device), "name of the GPU");
        int major = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
        int minor = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        return "cuda: " + text(name) + ", compute capability " + major + "." + minor + (tf32 ? ", tf32" : "");
    }

    private static String text(byte[] bytes) {
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return new String(bytes, 0, length, java.nio.charset.StandardCharsets.UTF_8);
    }

    private int attribute(int which) {
        int[] value = new int[1];
        Driver.check(JCudaDriver.cuDeviceGetAttribute(value, which, device), "attribute " + which + " of the GPU");
        return value[0];
    }

    @Override
    public int lanes(int batch) {
        return 1;
    }

    @Override
    public Target target() {
        return CudaTarget.INSTANCE;
    }

    @Override
    public Buffer allocate(String owner, DType type, long elements) {
        CudaBuffer buffer = new CudaBuffer(this, owner, type, elements);
        open.add(buffer);
        return buffer;
    }

    @Override
    public Program compile(String name, List<Plan> lanes, Map<String, Buffer> bindings) {
        if (lanes.size() != 1) {
            throw new IllegalArgumentException("program " + name + ": expected 1 lane, found " + lanes.size());
        }
        CudaProgram program = new CudaProgram(this, name, lanes.getFirst(), bindings);
        open.add(program);
        return program;
    }

    @Override
    public long allocatedBytes() {
        return allocated.get();
    }

    boolean tf32() {
        return tf32;
    }

    CUstream stream() {
        return stream;
    }

    Kernels kernels() {
        return kernels;
    }

    /// Memory of the device, not zeroed.
    DeviceAddress take(String owner, long bytes) {
        makeCurrent();
        DeviceAddress address = new DeviceAddress();
        int result = JCudaDriver.cuMemAlloc(address, Math.max(1, bytes));
        if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
            long[] free = new long[1];
            long[] total = new long[1];
            JCudaDriver.cuMemGetInfo(free, total);
            throw new DeviceException(
                    "cuda: no memory for " + owner + ": needs " + bytes + " bytes, " + free[0] + " are free");
        }
        Driver.check(result, "memory for " + owner);
        allocated.addAndGet(bytes);
        return address;
    }

    void giveBack(DeviceAddress address, long bytes) {
        if (!closed) {
            makeCurrent();
            Driver.check(JCudaDriver.cuMemFree(address), "release of memory");
        }
        allocated.addAndGet(-bytes);
    }

    void forget(AutoCloseable resource) {
        open.remove(resource);
    }

    /// Contexts are per thread; every public entry comes through here.
    ///
    /// @throws IllegalStateException if the device is closed
    void makeCurrent() {
        if (closed) {
            throw new IllegalStateException("the device is closed");
        }
        Driver.check(JCudaDriver.cuCtxSetCurrent(context), "context");
    }

    void synchronize(String what) {
        Driver.check(JCudaDriver.cuStreamSynchronize(stream), what);
    }

    /// Copies through pinned memory, a piece at a time; waits for what was started before.
    synchronized void copyIn(DeviceAddress to, long offset, java.lang.foreign.MemorySegment source, String what) {
        makeCurrent();
        java.nio.ByteBuffer pinned = staging.getByteBuffer(0, STAGING_BYTES);
        for (long done = 0; done < source.byteSize(); done += STAGING_BYTES) {
            int piece = (int) Math.min(STAGING_BYTES, source.byteSize() - done);
            java.lang.foreign.MemorySegment.ofBuffer(pinned).asSlice(0, piece).copyFrom(source.asSlice(done, piece));
            Driver.check(JCudaDriver.cuMemcpyHtoDAsync(to.withByteOffset(offset + done), staging, piece, stream), what);
            synchronize(what);
        }
    }

    synchronized void copyOut(DeviceAddress from, long offset, java.lang.foreign.MemorySegment target, String what) {
        makeCurrent();
        java.nio.ByteBuffer pinned = staging.getByteBuffer(0, STAGING_BYTES);
        for (long done = 0; done < target.byteSize(); done += STAGING_BYTES) {
            int piece = (int) Math.min(STAGING_BYTES, target.byteSize() - done);
            Driver.check(
                    JCudaDriver.cuMemcpyDtoHAsync(staging, from.withByteOffset(offset + done), piece, stream), what);
            synchronize(what);
            target.asSlice(done, piece)
                    .copyFrom(java.lang.foreign.MemorySegment.ofBuffer(pinned).asSlice(0, piece));
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        for (AutoCloseable resource : new ArrayList<>(open)) {
            switch (resource) {
                case CudaBuffer buffer -> buffer.close();
                case CudaProgram program -> program.close();
                default -> throw new AssertionError(resource);
            }
        }
        makeCurrent();
        kernels.close();
        JCudaDriver.cuMemFreeHost(staging);
        JCudaDriver.cuStreamDestroy(stream);
        closed = true;
        JCudaDriver.cuCtxDestroy(context);
    }
}
