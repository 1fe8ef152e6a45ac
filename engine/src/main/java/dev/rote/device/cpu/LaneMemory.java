package dev.rote.device.cpu;

import dev.rote.device.Buffer;
import dev.rote.errors.DeviceException;
import dev.rote.graph.DType;
import dev.rote.graph.Plan;
import dev.rote.graph.Value;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import java.util.Map;

/// Where the values of one lane lie: arena, locals and constants of its own, externals in bound buffers.
final class LaneMemory implements AutoCloseable {
    private final Plan plan;
    private final Arena arena = Arena.ofShared();
    private final Map<Value, Long> roots = new IdentityHashMap<>();
    private final Scratch scratch;
    private final long arenaAddress;
    private long bytes;

    LaneMemory(String program, Plan plan, Map<String, Buffer> bindings) {
        this.plan = plan;
        try {
            arenaAddress = allocate(plan.arenaBytes()).address();
            scratch = new Scratch(arena);
            for (Value value : plan.graph().externals().values()) {
                roots.put(value, bound(program, value, bindings.get(value.name())));
            }
            for (Value value : plan.graph().values()) {
                if (!value.isView() && value.lifetime() == Value.Lifetime.LOCAL) {
                    roots.put(value, allocate(value.type().bytes()).address());
                }
            }
            plan.graph().constants().forEach((value, data) -> roots.put(value, constant(value, data)));
        } catch (OutOfMemoryError e) {
            arena.close();
            throw new DeviceException("program " + program + ": cannot allocate " + plan.arenaBytes() + " bytes", e);
        } catch (IllegalArgumentException e) {
            arena.close();
            throw e;
        }
    }

    Scratch scratch() {
        return scratch;
    }

    /// Address of the first element of a value.
    long address(Value value) {
        if (plan.isInArena(value)) {
            return arenaAddress + plan.arenaOffset(value);
        }
        return roots.get(value.root()) + value.byteOffset();
    }

    long bytes() {
        return bytes + scratch.allocated();
    }

    private MemorySegment allocate(long size) {
        bytes += size;
        return arena.allocate(Math.max(1, size), Plan.ALIGNMENT);
    }

    private static long bound(String program, Value value, Buffer buffer) {
        String place = "program " + program + ": external " + value;
        if (!(buffer instanceof CpuBuffer cpu)) {
            throw new IllegalArgumentException(place + ": expected a bound CPU buffer, found " + buffer);
        }
        if (cpu.type() != value.dtype() || cpu.elements() < value.elements()) {
            throw new IllegalArgumentException(
                    place + ": the bound buffer has " + cpu.elements() + " elements of " + cpu.type());
        }
        return cpu.address();
    }

    private long constant(Value value, float[] data) {
        MemorySegment segment = allocate(value.type().bytes());
        for (int i = 0; i < data.length; i++) {
            long at = segment.address() + (long) i * value.dtype().bytes();
            switch (value.dtype()) {
                case F32 -> Memory.setFloat(at, data[i]);
                case I32 -> Memory.setInt(at, (int) data[i]);
                case BF16 -> Memory.ALL.set(java.lang.foreign.ValueLayout.JAVA_SHORT, at, Memory.toBf16(data[i]));
                case U8 -> Memory.ALL.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at, (byte) (int) data[i]);
            }
        }
        if (value.dtype() == DType.I32 && data.length > 0 && data[0] != (int) data[0]) {
            throw new IllegalArgumentException("constant " + value + ": expected whole numbers, found " + data[0]);
        }
        return segment.address();
    }

    @Override
    public void close() {
        arena.close();
    }
}
