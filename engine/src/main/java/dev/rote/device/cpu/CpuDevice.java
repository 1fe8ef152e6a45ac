package dev.rote.device.cpu;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.NativeFiles;
import dev.rote.device.Program;
import dev.rote.graph.DType;
import dev.rote.graph.Fusion;
import dev.rote.graph.Op;
import dev.rote.graph.Plan;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/// The CPU as a device: one lane per thread. Open one per trainer that shall run on its own threads.
public final class CpuDevice implements Device {
    private final LaneTeam team;
    private final DnnlEngine engine;
    private final Supplier<OptionalLong> free;
    private final AtomicLong allocated = new AtomicLong();
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private CpuDevice(int threads, Supplier<OptionalLong> free) {
        this.free = free;
        this.engine = new DnnlEngine();
        this.team = new LaneTeam("cpu", threads);
    }

    /// Opens the device with its own threads.
    ///
    /// @param threads number of threads; 0 for one per available processor
    /// @throws dev.rote.errors.EnvironmentException if oneDNN cannot be loaded
    public static CpuDevice open(int threads) {
        return open(threads, HostMemory::free);
    }

    /// Opens the device with a word of its own on how much memory is free, as tests want it.
    ///
    /// @param threads number of threads; 0 for one per available processor
    /// @param free what [#freeBytes] answers
    /// @throws dev.rote.errors.EnvironmentException if oneDNN cannot be loaded
    public static CpuDevice open(int threads, Supplier<OptionalLong> free) {
        if (threads < 0) {
            throw new IllegalArgumentException("threads: expected 0 or more, found " + threads);
        }
        return new CpuDevice(threads == 0 ? Runtime.getRuntime().availableProcessors() : threads, free);
    }

    /// The folder to which the native library is unpacked, which may not exist yet.
    public static Path libraryFolder() {
        return NativeFiles.cacheFolder();
    }

    @Override
    public String kind() {
        return "cpu";
    }

    @Override
    public String describe() {
        return "cpu: " + team.size() + (team.size() == 1 ? " thread, " : " threads, ") + engine.describe();
    }

    @Override
    public int lanes(int batch) {
        return Math.max(1, Math.min(batch, team.size()));
    }

    @Override
    public Target target() {
        return CpuTarget.INSTANCE;
    }

    @Override
    public Buffer allocate(String owner, DType type, long elements) {
        requireOpen();
        CpuBuffer buffer = new CpuBuffer(this, owner, type, elements);
        open.add(buffer);
        allocated.addAndGet(buffer.bytes());
        return buffer;
    }

    @Override
    public Program compile(String name, List<Plan> lanes, Map<String, Buffer> bindings) {
        requireOpen();
        requireLanes(name, lanes);
        CpuProgram program = CpuProgram.open(this, engine, team, name, lanes, bindings);
        open.add(program);
        allocated.addAndGet(program.memoryBytes());
        return program;
    }

    @Override
    public Program together(String name, List<Part> parts) {
        requireOpen();
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("program " + name + ": expected at least one part, found none");
        }
        List<CpuProgram> programs = new ArrayList<>();
        boolean complete = false;
        try {
            for (Part part : parts) {
                CpuProgram program = CpuProgram.single(this, engine, team, name, part.plan(), part.bindings());
                open.add(program);
                allocated.addAndGet(program.memoryBytes());
                programs.add(program);
            }
            complete = true;
        } finally {
            if (!complete) {
                programs.forEach(CpuProgram::close);
            }
        }
        return new CpuTogether(team, programs);
    }

    private void requireLanes(String name, List<Plan> lanes) {
        if (lanes.isEmpty() || lanes.size() > team.size()) {
            throw new IllegalArgumentException(
                    "program " + name + ": expected 1 to " + team.size() + " lanes, found " + lanes.size());
        }
    }

    @Override
    public long programBytes(List<Plan> lanes) {
        requireOpen();
        requireLanes("to be measured", lanes);
        return CpuProgram.memoryBytes(engine, team, lanes);
    }

    @Override
    public OptionalLong freeBytes() {
        return free.get();
    }

    @Override
    public long allocatedBytes() {
        return allocated.get();
    }

    void released(AutoCloseable resource, long bytes) {
        open.remove(resource);
        allocated.addAndGet(-bytes);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the device is closed");
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (AutoCloseable resource : new ArrayList<>(open)) {
            switch (resource) {
                case CpuBuffer buffer -> buffer.close();
                case CpuProgram program -> program.close();
                default -> throw new AssertionError(resource);
            }
        }
        team.close();
        engine.close();
    }

    /// What the CPU's kernels join; oneDNN manages its own scratch memory.
    private enum CpuTarget implements Target {
        INSTANCE;

        @Override
        public boolean fuses(Fusion.Pattern pattern) {
            return switch (pattern) {
                case GROUP_NORM_SILU -> true;
                // The library reads images from memory only.
                case UPSAMPLE_CONVOLUTION, CONCAT_READERS -> false;
            };
        }

        @Override
        public long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs) {
            return 0;
        }
    }
}
