package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import dev.rote.graph.Value;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import jcuda.driver.JCudaDriver;

/// Where the values of a program lie: arena, locals and constants of its own, externals in bound buffers.
final class CudaMemory implements AutoCloseable {
    private record Piece(DeviceAddress address, long bytes) {}

    private final CudaDevice device;
    private final String program;
    private final Plan plan;
    private final Map<Value, Long> roots = new IdentityHashMap<>();
    private final List<Piece> pieces = new ArrayList<>();
    private final long arenaAddress;
    private long bytes;

    CudaMemory(CudaDevice device, String program, Plan plan, Map<String, Buffer> bindings) {
        this.device = device;
        this.program = program;
        this.plan = plan;
        boolean complete = false;
        try {
            arenaAddress = take(plan.arenaBytes()).value();
            for (Value value : plan.graph().externals().values()) {
                roots.put(value, bound(value, bindings.get(value.name())));
            }
            for (Value value : plan.graph().values()) {
                if (!value.isView() && value.lifetime() == Value.Lifetime.LOCAL) {
                    roots.put(value, zeroed(value.type().bytes()));
                }
            }
            plan.graph().constants().forEach((value, numbers) -> roots.put(value, constant(value, numbers)));
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    /// What the memory of a program of this plan takes; nothing is allocated.
    static long bytes(Plan plan) {
        long locals = plan.graph().values().stream()
                .filter(value -> !value.isView() && value.lifetime() == Value.Lifetime.LOCAL)
                .mapToLong(value -> value.type().bytes())
                .sum();
        long constants = plan.graph().constants().keySet().stream()
                .mapToLong(value -> value.type().bytes())
                .sum();
        long tables =
                plan.nodes().stream().mapToLong(RandomLowering::tableBytes).sum();
        return plan.arenaBytes() + locals + constants + tables;
    }

    /// Address of the first element of a value.
    long address(Value value) {
        if (plan.isInArena(value)) {
            return arenaAddress + plan.arenaOffset(value);
        }
        return roots.get(value.root()) + value.byteOffset();
    }

    /// The same; 0 for no value.
    long addressOrNull(Value value) {
        return value == null ? 0 : address(value);
    }

    /// Address of a table of numbers, which lives as long as the program.
    long table(double[] numbers) {
        DeviceAddress address = take(8L * numbers.length);
        device.copyIn(address, 0, MemorySegment.ofArray(numbers), "program " + program);
        return address.value();
    }

    /// Address of a node's scratch memory; 0 if it has none.
    long workspace(Node node) {
        long offset = plan.workspaceOffset(node);
        return offset < 0 ? 0 : arenaAddress + offset;
    }

    Range range(Value value) {
        long from = address(value);
        return new Range(from, from + value.type().bytes());
    }

    /// A node's scratch memory; empty if it has none.
    Range workspaceRange(Node node) {
        long from = workspace(node);
        return new Range(from, from + plan.workspaceBytes(node));
    }

    /// True if the value is nobody's but one node's that reads it once.
    boolean isReadOnce(Value value) {
        return isRead(value, 1);
    }

    /// True if the value is nobody's but of nodes that read it so many times in all.
    boolean isRead(Value value, int times) {
        long reads = plan.nodes().stream()
                .flatMap(node -> node.inputs().stream())
                .filter(input -> input.root() == value.root())
                .count();
        boolean kept = plan.graph().kept().stream().anyMatch(other -> other.root() == value.root());
        return reads == times && !kept && plan.isInArena(value);
    }

    long bytes() {
        return bytes;
    }

    private DeviceAddress take(long size) {
        DeviceAddress address = device.take("program " + program, size);
        pieces.add(new Piece(address, size));
        bytes += size;
        return address;
    }

    private long zeroed(long size) {
        DeviceAddress address = take(size);
        Driver.check(
                JCudaDriver.cuMemsetD8Async(address, (byte) 0, Math.max(1, size), device.stream()),
                "program " + program);
        return address.value();
    }

    private long bound(Value value, Buffer buffer) {
        String place = "program " + program + ": external " + value;
        if (!(buffer instanceof CudaBuffer cuda)) {
            throw new IllegalArgumentException(place + ": expected a bound CUDA buffer, found " + buffer);
        }
        if (cuda.type() != value.dtype() || cuda.elements() < value.elements()) {
            throw new IllegalArgumentException(
                    place + ": the bound buffer has " + cuda.elements() + " elements of " + cuda.type());
        }
        return cuda.address();
    }

    private long constant(Value value, float[] numbers) {
        DeviceAddress address = take(value.type().bytes());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(Math.max(8, value.type().bytes()), 8);
            for (int i = 0; i < numbers.length; i++) {
                switch (value.dtype()) {
                    case F32 -> image.setAtIndex(ValueLayout.JAVA_FLOAT, i, numbers[i]);
                    case I32 -> image.setAtIndex(ValueLayout.JAVA_INT, i, (int) numbers[i]);
                    case U8 -> image.set(ValueLayout.JAVA_BYTE, i, (byte) (int) numbers[i]);
                    case BF16 -> throw new IllegalArgumentException("constant " + value + ": bf16 is not supported");
                }
            }
            device.copyIn(address, 0, image.asSlice(0, value.type().bytes()), "constant " + value);
        }
        return address.value();
    }

    @Override
    public void close() {
        pieces.forEach(piece -> device.giveBack(piece.address(), piece.bytes()));
        pieces.clear();
    }
}
