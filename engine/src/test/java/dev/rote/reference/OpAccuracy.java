package dev.rote.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Whether a device's results are as good as they can be.
///
/// A kernel may err twice as much as an honest implementation in the same precision, plus one unit in the last
/// place of the largest output, both against the definition in double. Two things say what is honest: for
/// operations with long sums a plain loop ([PlainLoops]); for all of them what rounding the inputs does to the
/// exact result, the largest of four random changes of every input by half a unit in the last place (of bf16,
/// where the type is bf16).
public final class OpAccuracy {
    private static final double F32_ULP = 0x1p-23;
    private static final double BF16_ULP = 0x1p-8;

    private OpAccuracy() {}

    /// @param found what the case's operation wrote
    public static void check(OpCase one, List<double[]> found) {
        List<double[]> expected = one.expected();
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

    /// Elements are finite where the definition's are, and only there.
    public static void checkFinite(OpCase one, List<double[]> found) {
        List<double[]> expected = one.expected();
        for (int output = 0; output < expected.size(); output++) {
            for (int i = 0; i < expected.get(output).length; i++) {
                assertThat(Double.isFinite(found.get(output)[i]))
                        .as("%s output %d element %d: reference %s", one.name(), output, i, expected.get(output)[i])
                        .isEqualTo(Double.isFinite(expected.get(output)[i]));
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
}
