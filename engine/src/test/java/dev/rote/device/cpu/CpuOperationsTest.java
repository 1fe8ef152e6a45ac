package dev.rote.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import dev.rote.graph.Value;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpCases;
import dev.rote.reference.PlainLoops;
import dev.rote.reference.ReferenceRun;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every operation on the CPU against its definition.
///
/// A kernel may err twice as much as an honest implementation in the same precision, plus one unit in the last
/// place of the largest output, both against the definition in double. Two things say what is honest: for
/// operations with long sums a plain loop ([PlainLoops]); for all of them what rounding the inputs does to the
/// exact result, the largest of four random changes of every input by half a unit in the last place (of bf16,
/// where the type is bf16).
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CpuOperationsTest {
    private static final double F32_ULP = 0x1p-23;
    private static final double BF16_ULP = 0x1p-8;

    private Device device;

    @BeforeAll
    void open() {
        device = CpuDevice.open(1);
    }

    @AfterAll
    void close() {
        device.close();
    }

    static Stream<OpCase> f32() {
        return OpCases.f32().stream();
    }

    static Stream<OpCase> bf16() {
        return OpCases.bf16().stream();
    }

    static Stream<OpCase> notFinite() {
        return OpCases.notFinite().stream();
    }

    @ParameterizedTest
    @MethodSource("f32")
    void agreesWithTheDefinition(OpCase one) {
        compare(one);
    }

    @ParameterizedTest
    @MethodSource("bf16")
    void agreesWithTheDefinitionInBf16(OpCase one) {
        compare(one);
    }

    @ParameterizedTest
    @MethodSource("f32")
    void repeatsBitForBit(OpCase one) {
        assertThat(run(one)).containsExactly(run(one).toArray(double[][]::new));
    }

    @ParameterizedTest
    @MethodSource("notFinite")
    void keepsWhatIsNotFinite(OpCase one) {
        List<double[]> expected = one.expected();
        List<double[]> found = run(one);
        for (int output = 0; output < expected.size(); output++) {
            for (int i = 0; i < expected.get(output).length; i++) {
                assertThat(Double.isFinite(found.get(output)[i]))
                        .as("%s output %d element %d: reference %s", one.name(), output, i, expected.get(output)[i])
                        .isEqualTo(Double.isFinite(expected.get(output)[i]));
            }
        }
    }

    private void compare(OpCase one) {
        List<double[]> expected = one.expected();
        List<double[]> found = run(one);
        double[] tolerance = tolerances(one, expected);
        for (int output = 0; output < expected.size(); output++) {
            for (int i = 0; i < expected.get(output).length; i++) {
                double e = expected.get(output)[i];
                double f = found.get(output)[i];
                assertThat(Math.abs(f - e) <= tolerance[output] || f == e)
                        .as(
                                "%s output %d element %d: expected %s, found %s, tolerance %s",
                                one.name(), output, i, e, f, tolerance[output])
                        .isTrue();
            }
        }
    }

    private static double[] tolerances(OpCase one, List<double[]> expected) {
        Graph graph = new Graph();
        Node node = one.addTo(graph);
        List<Value> written = one.written(node);
        double[] change = new double[expected.size()];
        Random random = new Random(7);
        for (int trial = 0; trial < 4; trial++) {
            Map<String, double[]> bindings = one.bindings();
            for (int input = 0; input < one.inputs().size(); input++) {
                DType type = one.inputTypes().get(input).type();
                if (type.isFloat()) {
                    double unit = (type == DType.BF16 ? BF16_ULP : F32_ULP) / 2;
                    double[] data = bindings.get(OpCase.inputName(input));
                    for (int i = 0; i < data.length; i++) {
                        data[i] *= 1 + (random.nextBoolean() ? unit : -unit);
                    }
                }
            }
            ReferenceRun run = ReferenceRun.of(graph, bindings);
            run.run();
            for (int output = 0; output < change.length; output++) {
                double[] changed = run.read(written.get(output));
                for (int i = 0; i < changed.length; i++) {
                    change[output] = Math.max(change[output], Math.abs(changed[i] - expected.get(output)[i]));
                }
            }
        }
        PlainLoops.evaluate(one).ifPresent(plain -> {
            for (int output = 0; output < plain.size(); output++) {
                for (int i = 0; i < plain.get(output).length; i++) {
                    double error = Math.abs(plain.get(output)[i] - expected.get(output)[i]);
                    change[output] = Math.max(change[output], error);
                }
            }
        });
        for (int output = 0; output < change.length; output++) {
            double largest = 0;
            for (double value : expected.get(output)) {
                largest = Math.max(largest, Math.abs(value));
            }
            double unit = written.get(output).dtype() == DType.BF16 ? BF16_ULP : F32_ULP;
            change[output] = 2 * change[output] + unit * largest;
        }
        return change;
    }

    private List<double[]> run(OpCase one) {
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
            one.bindings().forEach((name, data) -> write(bindings.get(name), data));
            try (Program program = device.compile(one.name(), List.of(Plan.of(graph, device.target())), bindings)) {
                program.run();
            }
            return targets.stream()
                    .map(target -> read(bindings.get(target.name())))
                    .toList();
        } finally {
            bindings.values().forEach(Buffer::close);
        }
    }

    private static void write(Buffer buffer, double[] data) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(Math.max(8, buffer.bytes()), 8);
            for (int i = 0; i < data.length; i++) {
                switch (buffer.type()) {
                    case F32 -> segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) data[i]);
                    case BF16 -> segment.setAtIndex(ValueLayout.JAVA_SHORT, i, Memory.toBf16((float) data[i]));
                    case I32 -> segment.setAtIndex(ValueLayout.JAVA_INT, i, (int) data[i]);
                    case U8 -> segment.set(ValueLayout.JAVA_BYTE, i, (byte) (int) data[i]);
                }
            }
            buffer.write(0, segment.asSlice(0, buffer.bytes()));
        }
    }

    private static double[] read(Buffer buffer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(Math.max(8, buffer.bytes()), 8);
            buffer.read(0, segment.asSlice(0, buffer.bytes()));
            double[] data = new double[Math.toIntExact(buffer.elements())];
            for (int i = 0; i < data.length; i++) {
                data[i] = switch (buffer.type()) {
                    case F32 -> segment.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                    case BF16 -> Memory.toFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, i));
                    case I32 -> segment.getAtIndex(ValueLayout.JAVA_INT, i);
                    case U8 -> segment.get(ValueLayout.JAVA_BYTE, i) & 0xff;
                };
            }
            return data;
        }
    }
}
