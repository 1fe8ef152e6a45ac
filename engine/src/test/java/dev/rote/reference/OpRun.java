package dev.rote.reference;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
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

    public OpRun(Device device) {
        this.device = device;
    }

    /// What the case's operation wrote: outputs and changed inputs.
    public List<double[]> run(OpCase one) {
        Graph graph = new Graph();
        Node node = one.addTo(graph);
        // Results are read through externals: outputs are laid into buffers of their own.
        List<Value> written = one.written(node);
        Map<String, Buffer> bindings = new HashMap<>();
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
        try {
            for (Value external : graph.externals().values()) {
                bindings.put(external.name(), device.allocate(external.name(), external.dtype(), external.elements()));
            }
            one.bindings().forEach((name, numbers) -> write(bindings.get(name), numbers));
            try (Program program = device.compile(one.name(), List.of(Plan.of(graph, device.target())), bindings)) {
                program.run();
                return targets.stream()
                        .map(target -> read(bindings.get(target.name())))
                        .toList();
            }
        } finally {
            bindings.values().forEach(Buffer::close);
        }
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
