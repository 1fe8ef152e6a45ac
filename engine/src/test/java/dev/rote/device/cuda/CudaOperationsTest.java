package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Value;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpCases;
import dev.rote.reference.OpRun;
import dev.rote.reference.ReferenceRun;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every operation on CUDA, here the stand-in, against its definition and against itself in the other thread order.
@ExtendWith(StandInExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CudaOperationsTest {
    private static final double F32_ULP = 0x1p-23;
    private static final double BF16_ULP = 0x1p-8;

    private CudaDevice device;

    @BeforeAll
    void open() {
        device = CudaDevice.open(0);
    }

    @AfterAll
    void close() {
        if (device != null) {
            device.close();
        }
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
    void doesNotDependOnTheOrderOfThreads(OpCase one) {
        StandIn standIn = StandIn.loaded().orElseThrow();
        List<double[]> ascending = new OpRun(device).run(one);
        standIn.descending(true);
        List<double[]> descending = new OpRun(device).run(one);
        standIn.descending(false);
        assertThat(descending).containsExactly(ascending.toArray(double[][]::new));
    }

    @ParameterizedTest
    @MethodSource("notFinite")
    void keepsWhatIsNotFinite(OpCase one) {
        List<double[]> expected = one.expected();
        List<double[]> found = new OpRun(device).run(one);
        for (int output = 0; output < expected.size(); output++) {
            for (int i = 0; i < expected.get(output).length; i++) {
                assertThat(Double.isFinite(found.get(output)[i]))
                        .as("%s output %d element %d: reference %s", one.name(), output, i, expected.get(output)[i])
                        .isEqualTo(Double.isFinite(expected.get(output)[i]));
            }
        }
    }

    /// Every value of a case has an allocation of its own, so an access beside it is seen.
    @Test
    void noKernelReadsOrWritesBesideItsBuffers(@TempDir Path folder) throws Exception {
        StandIn standIn = StandIn.loaded().orElseThrow();
        Path record = folder.resolve("operations");
        List<OpCase> cases = Stream.concat(f32(), bf16()).toList();
        // Opened while recording, so that what the device allocates is in the record.
        standIn.record(record);
        try (CudaDevice recorded = CudaDevice.open(0)) {
            OpRun runs = new OpRun(recorded);
            cases.forEach(runs::run);
        } finally {
            standIn.stopRecording();
        }
        assertThat(StandInExtension.replay(record)).contains("status 0").contains("launches");
    }

    private void compare(OpCase one) {
        List<double[]> expected = one.expected();
        List<double[]> found = new OpRun(device).run(one);
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
                    double unit = type == DType.BF16 ? BF16_ULP / 4 : F32_ULP;
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
        for (int output = 0; output < change.length; output++) {
            double largest = 0;
            for (double value : expected.get(output)) {
                largest = Math.max(largest, Math.abs(value));
            }
            double unit = written.get(output).dtype() == DType.BF16 ? BF16_ULP : F32_ULP;
            change[output] = 4 * change[output] + 4 * unit * largest;
        }
        return change;
    }
}
