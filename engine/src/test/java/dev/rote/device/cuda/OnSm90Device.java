package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.DType;
import dev.rote.graph.Op;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.reference.OpCase;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;

/// Tests of the kernels for compute capability 9.0 alone: on a stand-in of that capability, or a GPU that has it.
///
/// Their numbers have eight bits: products and sums are exact in f32, so a result differs by its own rounding alone,
/// and a value at the wrong place is a thousand times that.
abstract class OnSm90Device extends OnCudaDevice {
    @BeforeEach
    void beOfCapability90() {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 90));
        Assumptions.assumeTrue(device.tensorCores().sm90(), "a device of compute capability 9.0");
    }

    @AfterEach
    void beOfCapability80() {
        AnyDriver.descending(false);
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 80));
    }

    static TensorType bf16(int... dims) {
        return new TensorType(Shape.of(dims), DType.BF16);
    }

    static OpCase of(Random random, Op op, TensorType... types) {
        List<double[]> inputs = Arrays.stream(types)
                .map(type -> random.doubles(type.elements())
                        .map(number -> (int) (256 * number) / 128.0 - 1) // whole in bf16
                        .toArray())
                .toList();
        return new OpCase(op.label() + " " + Arrays.toString(types), op, List.of(types), inputs);
    }

    /// Whether each number is the expected one, rounded to bf16.
    static void isRounded(double[] found, double[] expected, String name) {
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(found[i] - expected[i]) <= Math.abs(expected[i]) * 0x1p-8)) {
                throw new AssertionError(name + " element " + i + ": expected " + expected[i] + ", found " + found[i]);
            }
        }
    }
}
