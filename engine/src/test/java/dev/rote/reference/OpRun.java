package dev.rote.reference;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import dev.rote.graph.Value;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Runs a case of [OpCases] on a device.
public final class OpRun {
    private final Device device;
    private final boolean replica;

    public OpRun(Device device) {
        this(device, false);
    }

    private OpRun(Device device, boolean replica) {
        this.device = device;
        this.replica = replica;
    }

    /// Cases as the second part of a program, whose first is the same with its numbers in reverse: results must
    /// have the bits that they have alone.
    public static OpRun asReplica(Device device) {
        return new OpRun(device, true);
    }

    /// What the case's operation wrote: outputs and changed inputs.
    public List<double[]> run(OpCase one) {
        Graph graph = new Graph();
        Node node = one.addTo(graph);
        // Results are read through externals: outputs are laid into buffers of their own.
        List<Value> written = one.written(node);
        List<Value> targets = new ArrayList<>();
        for (int index = 0; index < written.size(); index++) {
            Value value = written.get(index);
            if (value.lifetime() == Value.Lifetime.STEP) {
                Value target = graph.external("output" + index, value.type());
                graph.place(value, target, 0);
                targets.add(target);
            } else {
                targets.add(value);
            }
        }
        Plan plan = Plan.of(graph, device.target());
        List<Device.Part> parts = new ArrayList<>();
        try {
            if (replica) {
                parts.add(new Device.Part(plan, allocated(graph)));
                one.bindings()
                        .forEach((name, numbers) ->
                                write(parts.getFirst().bindings().get(name), reversed(numbers, graph, name)));
            }
            Map<String, Buffer> bindings = allocated(graph);
            parts.add(new Device.Part(plan, bindings));
            one.bindings().forEach((name, numbers) -> write(bindings.get(name), numbers));
            try (Program program = device.together(one.name(), parts)) {
                program.run();
                return targets.stream()
                        .map(target -> read(bindings.get(target.name())))
                        .toList();
            }
        } finally {
            parts.forEach(part -> part.bindings().values().forEach(Buffer::close));
        }
    }

    private Map<String, Buffer> allocated(Graph graph) {
        Map<String, Buffer> bindings = new HashMap<>();
        for (Value external : graph.externals().values()) {
            bindings.put(external.name(), device.allocate(external.name(), external.dtype(), external.elements()));
        }
        return bindings;
    }

    /// What is an index, or a step, stays where it is.
    private static double[] reversed(double[] numbers, Graph graph, String name) {
        double[] other = numbers.clone();
        if (graph.externals().get(name).dtype() != DType.I32) {
            for (int i = 0; i < numbers.length; i++) {
                other[i] = numbers[numbers.length - 1 - i];
            }
        }
        return other;
    }

    private static void write(Buffer buffer, double[] numbers) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(Math.max(8, buffer.bytes()), 8);
            for (int i = 0; i < numbers.length; i++) {
                switch (buffer.type()) {
                    case F32 -> segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) numbers[i]);
                    case BF16 -> segment.setAtIndex(ValueLayout.JAVA_SHORT, i, toBf16((float) numbers[i]));
                    case I32 -> segment.setAtIndex(ValueLayout.JAVA_INT, i, (int) numbers[i]);
                    case U8 -> segment.set(ValueLayout.JAVA_BYTE, i, (byte) (int) numbers[i]);
                }
            }
            buffer.write(0, segment.asSlice(0, buffer.bytes()));
        }
    }

    private static double[] read(Buffer buffer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(Math.max(8, buffer.bytes()), 8);
            buffer.read(0, segment.asSlice(0, buffer.bytes()));
            double[] numbers = new double[Math.toIntExact(buffer.elements())];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = switch (buffer.type()) {
                    case F32 -> segment.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                    case BF16 -> Float.intBitsToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
                    case I32 -> segment.getAtIndex(ValueLayout.JAVA_INT, i);
                    case U8 -> segment.get(ValueLayout.JAVA_BYTE, i) & 0xff;
                };
            }
            return numbers;
        }
    }

    /// Rounded to nearest even; NaN stays NaN.
    private static short toBf16(float x) {
        int bits = Float.floatToRawIntBits(x);
        return (short) (Float.isNaN(x) ? 0x7fff : bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }
}
