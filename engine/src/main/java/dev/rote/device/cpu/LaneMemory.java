package dev.rote.device.cpu;

import dev.rote.device.Buffer;
import dev.rote.device.Owned;
import dev.rote.errors.DeviceException;
import dev.rote.graph.DType;
import dev.rote.graph.Plan;
import dev.rote.graph.Value;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.ToLongFunction;

/// Where the values of one lane lie: arena, locals and constants of its own, externals in bound buffers.
final class LaneMemory implements AutoCloseable {
    private final Plan plan;
    private final Space space;
    private final Map<Value, Long> roots = new IdentityHashMap<>();
    private final Scratch scratch;
    private final long arenaAddress;

    /// Allocates what the plan needs.
    ///
    /// @throws DeviceException if the memory cannot be had
    /// @throws IllegalArgumentException if a binding is missing or does not fit
    static LaneMemory allocate(String program, Plan plan, Map<String, Buffer> bindings) {
        return Owned.opening(owned -> {
            Space space = owned.add(Space.real(), Space::close);
            try {
                return new LaneMemory(plan, space, value -> bound(program, value, bindings.get(value.name())));
            } catch (OutOfMemoryError e) {
                throw new DeviceException(
                        "program " + program + ": cannot allocate " + plan.arenaBytes() + " bytes", e);
            }
        });
    }

    /// Counts what [#allocate] would allocate.
    static LaneMemory count(Plan plan) {
        return new LaneMemory(plan, Space.counted(), value -> (long) Plan.ALIGNMENT);
    }

    private LaneMemory(Plan plan, Space space, ToLongFunction<Value> external) {
        this.plan = plan;
        this.space = space;
        this.arenaAddress = space.take(plan.arenaBytes());
        this.scratch = new Scratch(space);
        for (Value value : plan.graph().externals().values()) {
            roots.put(value, external.applyAsLong(value));
        }
        for (Value value : plan.graph().values()) {
            if (!value.isView() && value.lifetime() == Value.Lifetime.LOCAL) {
                roots.put(value, space.take(value.type().bytes()));
            }
        }
        plan.graph().constants().forEach((value, data) -> roots.put(value, constant(value, data)));
    }

    /// Whether there is memory behind the addresses.
    boolean isReal() {
        return space.isReal();
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

    /// Bytes of arena, locals, constants and scratch memory.
    long bytes() {
        return space.bytes();
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
        long address = space.take(value.type().bytes());
        for (int i = 0; isReal() && i < data.length; i++) {
            long at = address + (long) i * value.dtype().bytes();
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
        return address;
    }

    @Override
    public void close() {
        space.close();
    }
}
