package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.*;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Reductions at sizes that take the kernels which small ones do not reach: rows by blocks, sums in two stages, slices
/// that do not fit in shared memory, several tiles.
class CudaReductionTest extends OnCudaDevice {
    private static final int SEED = 11;

    private final Random random = new Random(SEED);

    static Stream<OpCase> cases() {
        CudaReductionTest numbers = new CudaReductionTest();
        List<OpCase> cases = new ArrayList<>();
        for (DType type : new DType[] {DType.F32, DType.BF16}) {
            numbers.norms(cases, type);
            numbers.attentions(cases, type);
            numbers.sums(cases, type);
        }
        return AnyDriver.some(cases);
    }

    private void norms(List<OpCase> cases, DType type) {
        int[][] groupNorms = { // groups, then x
            {8, 3, 13, 96},
            {4, 2, 5000, 8},
            {1, 1, 4000, 16},
            {1, 2, 1, 4104},
            {3, 2, 700, 9},
            {2, 1, 2, 2048},
            {8, 2, 64, 128},
            {32, 1, 49, 192}
        };
        for (int[] sizes : groupNorms) {
            TensorType x = new TensorType(Shape.of(Arrays.copyOfRange(sizes, 1, sizes.length)), type);
            TensorType channel = TensorType.f32(x.shape().last());
            GroupNorm op = new GroupNorm(sizes[0], 1e-5f, true);
            OpCase forward = random("GroupNorm of " + sizes[0] + " groups", op, x, channel, channel);
            cases.add(forward);
            List<double[]> y = forward.expected();
            List<TensorType> types = List.of(x, x, channel, channel, statistic(x, sizes[0]), statistic(x, sizes[0]));
            List<double[]> in = new ArrayList<>(forward.inputs());
            in.addFirst(normals(x));
            in.add(rounded(DType.F32, y.get(1)));
            in.add(rounded(DType.F32, y.get(2)));
            cases.add(new OpCase("GroupNorm.Backward " + types, new GroupNorm.Backward(op), types, in));
        }
        for (int[] sizes : new int[][] {{3, 1025}, {300, 40}, {2, 4111}}) {
            TensorType x = new TensorType(Shape.of(sizes), type);
            TensorType channel = TensorType.f32(sizes[1]);
            TensorType rows = TensorType.f32(sizes[0]);
            OpCase forward = random("LayerNorm", new LayerNorm(1e-5f), x, channel, channel);
            cases.add(forward);
            List<double[]> y = forward.expected();
            List<double[]> in = List.of(
                    normals(x),
                    forward.inputs().get(0),
                    forward.inputs().get(1),
                    rounded(DType.F32, y.get(1)),
                    rounded(DType.F32, y.get(2)));
            List<TensorType> types = List.of(x, x, channel, rows, rows);
            cases.add(new OpCase("LayerNorm.Backward " + types, new LayerNorm.Backward(), types, in));
        }
    }

    private static TensorType statistic(TensorType x, int groups) {
        return TensorType.f32(x.shape().dim(0), groups);
    }

    private void attentions(List<OpCase> cases, DType type) {
        int[][] sizes = { // heads, N, T, D
            {2, 1, 130, 16},
            {1, 2, 64, 80},
            {1, 1, 700, 3},
            {2, 1, 256, 32},
            {1, 1, 1024, 4},
            {1, 1, 1500, 2},
            {3, 2, 48, 64},
            {1, 1, 80, 128},
            {1, 1, 112, 48},
            {2, 2, 16, 16},
            {1, 1, 5, 300}
        };
        for (int[] s : sizes) {
            TensorType qkv = new TensorType(Shape.of(s[1], s[2], 3 * s[0] * s[3]), type);
            TensorType y = new TensorType(Shape.of(s[1], s[2], s[0] * s[3]), type);
            TensorType lse = TensorType.f32(s[1], s[0], s[2]);
            OpCase forward = random("Attention of " + s[0] + " heads", new Attention(s[0]), qkv);
            cases.add(forward);
            List<double[]> out = forward.expected();
            List<double[]> in = List.of(
                    normals(y), forward.inputs().getFirst(), rounded(type, out.get(0)), rounded(DType.F32, out.get(1)));
            List<TensorType> types = List.of(y, qkv, y, lse);
            cases.add(new OpCase("Attention.Backward " + types, new Attention.Backward(s[0]), types, in));
        }
    }

    private void sums(List<OpCase> cases, DType type) {
        TensorType wide = new TensorType(Shape.of(3, 1500), type);
        cases.add(random("Softmax", new Softmax(), wide));
        cases.add(random("Softmax.Backward", new Softmax.Backward(), wide, wide));
        TensorType label = TensorType.i32(3);
        cases.add(random("CrossEntropy", new CrossEntropy(0.5f), wide, label));
        cases.add(random("CrossEntropy.Backward", new CrossEntropy.Backward(0.5f), wide, label, TensorType.f32(1)));
        TensorType large = new TensorType(Shape.of(2, 20_011, 3), type);
        cases.add(random("MeanSquaredError", new MeanSquaredError(1e-5f), large, large));
        cases.add(random("MeanSquaredError", new MeanSquaredError(1e-5f), large, large.with(DType.F32)));
        cases.add(random("Reduce", new Reduce(Reduce.Kind.SUM, 0, 3), large));
        cases.add(random("Reduce", new Reduce(Reduce.Kind.MEAN, 1, 2), large));
        TensorType columns = new TensorType(Shape.of(3001, 70), type);
        cases.add(random("Reduce", new Reduce(Reduce.Kind.MEAN, 0, 1), columns));
        int[][] packed = {{3, 70, 40}, {2, 64, 128}, {1, 1024, 32}, {2, 33, 264}, {1, 257, 8}, {2, 40, 520}};
        for (int[] sizes : packed) {
            cases.add(random("Reduce", new Reduce(Reduce.Kind.MEAN, 1, 2), new TensorType(Shape.of(sizes), type)));
        }
        TensorType x = new TensorType(Shape.of(2, 301, 40), type);
        TensorType perImage = new TensorType(Shape.of(2, 40), type);
        cases.add(random("Modulate.Backward", new Modulate.Backward(), x, x, perImage));
    }

    private OpCase random(String name, Op op, TensorType... types) {
        List<double[]> inputs = Arrays.stream(types).map(this::normals).toList();
        return new OpCase(name + " " + Arrays.toString(types), op, List.of(types), inputs);
    }

    /// Standard normals; for integers, zero to two.
    private double[] normals(TensorType type) {
        double[] data = new double[(int) type.elements()];
        Arrays.setAll(data, i -> type.type() == DType.I32 ? random.nextInt(3) : random.nextGaussian());
        return rounded(type.type(), data);
    }

    private static double[] rounded(DType type, double[] data) {
        return switch (type) {
            case F32 -> Arrays.stream(data).map(number -> (float) number).toArray();
            case BF16 -> Arrays.stream(data).map(CudaReductionTest::toBf16).toArray();
            case I32, U8 -> data;
        };
    }

    private static double toBf16(double number) {
        int bits = Float.floatToIntBits((float) number);
        return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithTheDefinitionInBothOrders(OpCase one) {
        List<double[]> found = new OpRun(device).run(one);
        AnyDriver.descending(true);
        List<double[]> descending = OpRun.asReplica(device).run(one);
        AnyDriver.descending(false);
        assertThat(descending).containsExactly(found.toArray(double[][]::new));
        List<double[]> expected = one.expected();
        boolean rounded = one.inputTypes().getFirst().type() == DType.BF16;
        for (int output = 0; output < expected.size(); output++) {
            double largest =
                    Arrays.stream(expected.get(output)).map(Math::abs).max().orElseThrow();
            double tolerance = largest * (rounded ? 0x1p-7 : 0x1p-19);
            for (int i = 0; i < expected.get(output).length; i++) {
                assertThat(Math.abs(found.get(output)[i] - expected.get(output)[i]))
                        .as("output %d element %d: expected %s", output, i, expected.get(output)[i])
                        .isLessThanOrEqualTo(tolerance);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void aLabelOutOfRangeGivesNaN(DType type) {
        TensorType logits = new TensorType(Shape.of(3, 5), type);
        List<TensorType> types = List.of(logits, TensorType.i32(3), TensorType.f32(1));
        List<double[]> inputs = List.of(normals(logits), new double[] {4, 5, -1}, new double[] {1});
        OpCase forward = new OpCase("forward", new CrossEntropy(1), types.subList(0, 2), inputs.subList(0, 2));
        assertThat(new OpRun(device).run(forward).getFirst()).containsExactly(Double.NaN);
        OpCase backward = new OpCase("backward", new CrossEntropy.Backward(1), types, inputs);
        double[] found = new OpRun(device).run(backward).getFirst();
        for (int i = 0; i < 15; i++) {
            assertThat(Double.isNaN(found[i])).as("element %d", i).isEqualTo(i >= 5);
        }
    }
}
