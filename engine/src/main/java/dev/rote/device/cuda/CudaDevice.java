package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.NearestSearch;
import dev.rote.device.Program;
import dev.rote.device.Vectors;
import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import dev.rote.graph.DType;
import dev.rote.graph.Plan;
import dev.rote.graph.Target;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/// One GPU as a device: one lane, one stream on which programs and copies follow each other. Inside a program a second
/// stream takes what need not be waited for ([Streams]).
///
/// All devices of a process on one GPU share its primary context, so that the kernels of small runs side by side run at
/// the same time; contexts of their own would take turns. The price: a fault in one run's kernel ends the others too.
///
/// A failure inside a kernel is reported by the next call that waits (a read, a write) or by the next launch.
public final class CudaDevice implements Device {
    private static final int NON_BLOCKING = 1;
    private static final int STAGING_BYTES = 1 << 20;
    private static final int OLDEST_MAJOR = 8; // asynchronous copies, bf16 and TF32 on tensor cores

    private final boolean tf32;
    private final boolean portable;
    private final CUdevice device = new CUdevice();
    private final CUcontext context = new CUcontext();
    private final StreamHandle stream = new StreamHandle();
    private final StreamHandle sideStream = new StreamHandle();
    private final Pointer staging = new Pointer();
    private final Kernels kernels;
    private final Optional<VendorOperations> vendor;
    private final AtomicLong allocated = new AtomicLong();
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();
    private volatile boolean lost;
    private volatile boolean closed;

    /// @param portable whether kernels for one compute capability alone are left out
    /// @param notices where vendor operations are wanted: is told what those refuse
    private CudaDevice(int ordinal, boolean tf32, boolean portable, Optional<Consumer<String>> notices) {
        this.tf32 = tf32;
        this.portable = portable;
        Driver.check(JCudaDriver.cuDeviceGet(device, ordinal), "GPU " + ordinal);
        requireCapability();
        Driver.check(JCudaDriver.cuDevicePrimaryCtxRetain(context, device), "context on GPU " + ordinal);
        boolean complete = false;
        try {
            Driver.check(JCudaDriver.cuCtxSetCurrent(context), "context on GPU " + ordinal);
            Driver.check(JCudaDriver.cuStreamCreate(stream, NON_BLOCKING), "stream on GPU " + ordinal);
            Driver.check(JCudaDriver.cuStreamCreate(sideStream, NON_BLOCKING), "stream on GPU " + ordinal);
            Driver.check(JCudaDriver.cuMemHostAlloc(staging, STAGING_BYTES, 0), "pinned memory");
            kernels = new Kernels(new KernelImage());
            vendor = notices.map(told -> VendorOperations.open(this, told));
            complete = true;
        } finally {
            if (!complete) {
                JCudaDriver.cuDevicePrimaryCtxRelease(device);
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
        return new CudaDevice(ordinal, tf32, false, Optional.empty());
    }

    /// Opens a GPU whose kernels are those that every device has, to test them where others would be taken.
    static CudaDevice openPortable(int ordinal) {
        Driver.initialize();
        return new CudaDevice(ordinal, false, true, Optional.empty());
    }

    /// Opens a GPU on which NVIDIA's libraries compute products (cuBLAS) and convolutions (cuDNN), to compare with.
    ///
    /// @param ordinal its number, from 0
    /// @param tf32 whether products of f32 tensors may round their factors to 10 bits of mantissa
    /// @param notices is told once, in a sentence, of operations that the libraries refuse and our kernels compute
    /// @throws dev.rote.errors.EnvironmentException if there is no driver or no GPU, or a library is missing: where it
    /// was looked for
    public static CudaDevice openWithVendor(int ordinal, boolean tf32, Consumer<String> notices) {
        VendorLibraries.load();
        Driver.initialize();
        return new CudaDevice(ordinal, tf32, false, Optional.of(notices));
    }

    /// How many kernels this build has, and for which targets.
    ///
    /// @throws dev.rote.errors.EnvironmentException if it has none
    public static String describeKernels() {
        return new KernelImage().describe();
    }

    @Override
    public String kind() {
        return "cuda";
    }

    private void requireCapability() {
        if (major() < OLDEST_MAJOR) {
            throw new EnvironmentException("device \"cuda\": expected a GPU of compute capability " + OLDEST_MAJOR
                    + ".0 or newer, found " + name() + " of " + major() + "." + minor());
        }
    }

    @Override
    public String describe() {
        return "cuda: " + name() + ", compute capability " + major() + "." + minor() + (tf32 ? ", tf32" : "")
                + vendor.map(theirs -> ", products and convolutions by " + theirs.describe())
                        .orElse("");
    }

    private String name() {
        byte[] name = new byte[256];
        Driver.check(JCudaDriver.cuDeviceGetName(name, name.length, device), "name of the GPU");
        return text(name);
    }

    int major() {
        return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    }

    int minor() {
        return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    }

    TensorCores tensorCores() {
        return new TensorCores(tf32, !portable && major() == 9 && minor() == 0);
    }

    private static String text(byte[] bytes) {
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    int attribute(int which) {
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
        return vendor.<Target>map(VendorTarget::new).orElse(CudaTarget.INSTANCE);
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
        return together(name, List.of(new Part(lanes.getFirst(), bindings)));
    }

    @Override
    public Program together(String name, List<Part> parts) {
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("program " + name + ": expected at least one part, found none");
        }
        CudaProgram program = new CudaProgram(this, name, parts);
        open.add(program);
        return program;
    }

    @Override
    public Optional<NearestSearch> nearestSearch(Vectors references) {
        CudaNearestSearch search = CudaNearestSearch.open(this, references);
        open.add(search);
        return Optional.of(search);
    }

    @Override
    public long nearestSearchBytes(int references, int dimension, int queries) {
        return CudaNearestSearch.bytes(references, dimension, queries);
    }

    @Override
    public long programBytes(List<Plan> lanes) {
        return lanes.stream().mapToLong(CudaMemory::bytes).sum();
    }

    @Override
    public OptionalLong freeBytes() {
        makeCurrent();
        long[] free = new long[1];
        Driver.check(JCudaDriver.cuMemGetInfo(free, new long[1]), "free memory of the GPU");
        return OptionalLong.of(free[0]);
    }

    @Override
    public long allocatedBytes() {
        return allocated.get();
    }

    boolean tf32() {
        return tf32;
    }

    Optional<VendorOperations> vendor() {
        return vendor;
    }

    StreamHandle stream() {
        return stream;
    }

    /// Used while a program is captured only.
    StreamHandle sideStream() {
        return sideStream;
    }

    Kernels kernels() {
        return kernels;
    }

    /// Puts one kernel on the stream, outside of a program.
    void launch(KernelLaunch launch) {
        makeCurrent();
        kernels.prepare(launch);
        kernels.launch(launch, stream);
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
            throw new DeviceException("device \"cuda\": no memory for " + owner + ": needs " + bytes + " bytes, "
                    + free[0] + " are free");
        }
        Driver.check(result, "memory for " + owner);
        allocated.addAndGet(bytes);
        return address;
    }

    void giveBack(DeviceAddress address, long bytes) {
        if (!closed) {
            makeCurrent();
            int result = JCudaDriver.cuMemFree(address);
            if (!lost) { // what a lost device held is gone, and its fault was reported
                check(result, "release of memory");
            }
        }
        allocated.addAndGet(-bytes);
    }

    void forget(AutoCloseable resource) {
        open.remove(resource);
    }

    /// As [Driver#check(int, String)], and remembers that the device is lost after a fault in a kernel.
    void check(int result, String operation) {
        lost = lost || Driver.isFault(result);
        Driver.check(result, operation);
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
        check(JCudaDriver.cuStreamSynchronize(stream), what);
    }

    /// Copies through pinned memory, a piece at a time; waits for what was started before.
    synchronized void copyIn(DeviceAddress to, long offset, MemorySegment source, String what) {
        makeCurrent();
        ByteBuffer pinned = staging.getByteBuffer(0, STAGING_BYTES);
        for (long done = 0; done < source.byteSize(); done += STAGING_BYTES) {
            int piece = (int) Math.min(STAGING_BYTES, source.byteSize() - done);
            MemorySegment.ofBuffer(pinned).asSlice(0, piece).copyFrom(source.asSlice(done, piece));
            check(JCudaDriver.cuMemcpyHtoDAsync(to.withByteOffset(offset + done), staging, piece, stream), what);
            synchronize(what);
        }
    }

    synchronized void copyOut(DeviceAddress from, long offset, MemorySegment target, String what) {
        makeCurrent();
        ByteBuffer pinned = staging.getByteBuffer(0, STAGING_BYTES);
        for (long done = 0; done < target.byteSize(); done += STAGING_BYTES) {
            int piece = (int) Math.min(STAGING_BYTES, target.byteSize() - done);
            check(JCudaDriver.cuMemcpyDtoHAsync(staging, from.withByteOffset(offset + done), piece, stream), what);
            synchronize(what);
            target.asSlice(done, piece).copyFrom(MemorySegment.ofBuffer(pinned).asSlice(0, piece));
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        for (AutoCloseable resource : new ArrayList<>(open)) {
            switch (resource) {
                case CudaNearestSearch search -> search.close();
                case CudaBuffer buffer -> buffer.close();
                case CudaProgram program -> program.close();
                default -> throw new AssertionError(resource);
            }
        }
        makeCurrent();
        vendor.ifPresent(VendorOperations::close);
        kernels.close();
        JCudaDriver.cuMemFreeHost(staging);
        JCudaDriver.cuStreamDestroy(sideStream);
        JCudaDriver.cuStreamDestroy(stream);
        closed = true;
        JCudaDriver.cuDevicePrimaryCtxRelease(device);
    }
}
