package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Linear;
import dev.rote.graph.MatMul;
import dev.rote.graph.Op;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Products on tensor cores: that they are chosen, and against the definition.
///
/// Products of bf16 numbers, and of numbers with 10 bits of mantissa, are exact in f32. So the result is that of the
/// definition on the rounded factors, up to the sums: a device may cut off one unit of the largest sum in each step of
/// 8 or 16 terms. A term that is missing is a thousand times that.
class CudaTensorCoreTest extends OnCudaDevice {
    private static final double F32_ULP = 0x1p-23;
    private static final double BF16_ROUNDING = 0x1p-8;
    private static final int LEAST_STEP = 8;

    private CudaDevice tf32;

    @BeforeAll
    void open() {
        tf32 = CudaDevice.open(0, true);
    }

    @AfterAll
    void close() {
        if (tf32 != null) {
            tf32.close();
        }
    }

    /// @param kernel what it must be computed by: the operation and the tile, around `_tensor_bf16` or `_tensor_tf32`
    /// @param terms of the longest sum
    private record Product(OpCase one, String operation, String tile, int terms) {
        String kernel() {
            boolean bf16 = one.inputTypes().getFirst().type() == DType.BF16;
            return operation + (bf16 ? "_tensor_bf16_" : "_tensor_tf32_") + tile;
        }

        @Override
        public String toString() {
            return one.name();
        }
    }

    static Stream<Product> bf16() {
        return AnyDriver.some(new Products(DType.BF16).all());
    }

    static Stream<Product> f32() {
        return AnyDriver.some(new Products(DType.F32).all());
    }

    @ParameterizedTest
    @MethodSource("bf16")
    void bf16AgreesWithTheDefinition(Product product) {
        assertThat(kernels(device, product.one()).getFirst()).isEqualTo(product.kernel());
        compare(product, product.one().expected(), new OpRun(device).run(product.one()));
    }

    @ParameterizedTest
    @MethodSource("f32")
    void tf32AgreesWithTheDefinitionOnFactorsOfTenBits(Product product) {
        OpCase one = product.one();
        assertThat(kernels(tf32, one).getFirst()).isEqualTo(product.kernel());
        List<double[]> found = new OpRun(tf32).run(one);
        List<double[]> rounded = withTenBits(one).expected();
        compare(product, rounded, found);

        // And no further from the exact result than twice what rounding the factors does to it.
        List<double[]> exact = one.expected();
        for (int output = 0; output < exact.size(); output++) {
            double honest = distance(rounded.get(output), exact.get(output));
            double tolerance = 2 * honest + 4 * F32_ULP * largest(exact.get(output));
            assertThat(distance(found.get(output), exact.get(output))).isLessThanOrEqualTo(tolerance);
        }
    }

    @ParameterizedTest
    @MethodSource({"bf16", "f32"})
    void doesNotDependOnTheOrderOfThreads(Product product) {
        List<double[]> ascending = new OpRun(tf32).run(product.one());
        AnyDriver.descending(true);
        List<double[]> descending = OpRun.asReplica(tf32).run(product.one());
        AnyDriver.descending(false);
        assertThat(descending).containsExactly(ascending.toArray(double[][]::new));
    }

    @Test
    void f32StaysExactUnlessTheDeviceWasOpenedWithTf32() {
        OpCase one = new Products(DType.F32).all().getFirst().one();
        assertThat(kernels(device, one)).containsExactly("conv2d_f32_128x32");
        assertThat(device.describe()).doesNotContain("tf32");
        assertThat(tf32.describe()).endsWith(", tf32");
    }

    @Test
    void channelsThatAreNoMultipleOfSixteenBytesGoToTheGeneralKernels() {
        Products products = new Products(DType.BF16);
        products.convolution(Conv2d.same(3), new int[] {1, 4, 4, 12}, new int[] {12, 3, 3, 12}, "", "", "");
        assertThat(products.all()
                        .subList(products.all().size() - 3, products.all().size()))
                .extracting(product -> kernels(device, product.one()).getFirst())
                .containsExactly(
                        "conv2d_bf16_128x32", "conv2d_backward_data_bf16_128x32", "conv2d_backward_weight_bf16_32x32");
    }

    @Test
    void aLongSumIsDividedAndTheWorkspaceIsThePlans() {
        OpCase one = new Products(DType.BF16).all().get(2).one();
        assertThat(kernels(device, one)).containsExactly("conv2d_backward_weight_tensor_bf16_32x128", "sum_splits");
        TensorType dw = one.op().infer(one.inputTypes()).getFirst();
        ProductSplit split = ProductSplit.of(16, 72, 2 * 16 * 16);
        assertThat(split).isEqualTo(new ProductSplit(8, 64));
        assertThat(CudaTarget.INSTANCE.workspaceBytes(
                        one.op(), one.inputTypes(), one.op().infer(one.inputTypes())))
                .isEqualTo(4 * 8 * (dw.elements() + 16));
    }

    /// As many parts as a thread adds up by itself, and more, which eight threads share: numbers whose sums are exact.
    @ParameterizedTest
    @CsvSource({"4096, 16", "8192, 32", "8448, 33", "13000, 51", "40000, 157"})
    void partsAreAddedUpHoweverManyThereAre(int rows, int parts) {
        TensorType x = OnSm90Device.bf16(rows, 24);
        OpCase one = OnSm90Device.of(new Random(rows), new Linear.BackwardWeight(true), x, x);
        assertThat(ProductSplit.of(24, 24, rows).count()).isEqualTo(parts);
        assertThat(kernels(device, one)).containsExactly("linear_backward_weight_tensor_bf16_32x128", "sum_splits");
        assertThat(new OpRun(device).run(one)).containsExactly(one.expected().toArray(double[][]::new));
        assertThat(OpRun.asReplica(device).run(one))
                .containsExactly(one.expected().toArray(double[][]::new));
    }

    private static void compare(Product product, List<double[]> expected, List<double[]> found) {
        List<TensorType> types = product.one().op().infer(product.one().inputTypes());
        for (int output = 0; output < expected.size(); output++) {
            double sums = (product.terms() / LEAST_STEP + 4) * F32_ULP * largest(expected.get(output));
            double rounding = types.get(output).type() == DType.BF16 ? BF16_ROUNDING : 0;
            for (int i = 0; i < expected.get(output).length; i++) {
                double e = expected.get(output)[i];
                double f = found.get(output)[i];
                if (!(Math.abs(f - e) <= rounding * Math.abs(e) + sums)) {
                    throw new AssertionError(
                            product + " output " + output + " element " + i + ": expected " + e + ", found " + f);
                }
            }
        }
    }

    private static double largest(double[] values) {
        return Arrays.stream(values).map(Math::abs).max().orElseThrow();
    }

    private static double distance(double[] one, double[] other) {
        double distance = 0;
        for (int i = 0; i < one.length; i++) {
            distance = Math.max(distance, Math.abs(one[i] - other[i]));
        }
        return distance;
    }

    /// The case with both factors rounded to 10 bits of mantissa, ties away from zero.
    private static OpCase withTenBits(OpCase one) {
        List<double[]> inputs = new ArrayList<>(one.inputs());
        for (int factor = 0; factor < 2; factor++) {
            inputs.set(
                    factor,
                    Arrays.stream(one.inputs().get(factor))
                            .map(x -> Float.intBitsToFloat(Float.floatToRawIntBits((float) x) + 0x1000 & 0xffffe000))
                            .toArray());
        }
        return new OpCase(one.name(), one.op(), one.inputTypes(), inputs);
    }

    /// Shapes of the study-1 U-Net at W = 8 and 16, and what is awkward about tiles.
    private static final class Products {
        private final DType type;
        private final Random random = new Random(20_263);
        private final List<Product> all = new ArrayList<>();

        Products(DType type) {
            this.type = type;
            convolution(
                    Conv2d.of(2, 1), new int[] {2, 32, 32, 8}, new int[] {16, 3, 3, 8}, "128x32", "128x32", "32x128");
            convolution(
                    Conv2d.same(3), new int[] {2, 3, 85, 16}, new int[] {32, 3, 3, 16}, "128x32", "128x32", "32x128");
            convolution(Conv2d.same(3), new int[] {3, 3, 21, 64}, new int[] {48, 3, 3, 64}, "64x64", "64x64", "64x64");
            convolution(
                    Conv2d.of(2, 1), new int[] {2, 16, 16, 40}, new int[] {72, 3, 3, 40}, "64x64", "64x64", "64x64");
            convolution(
                    new Conv2d(2, 1, 0, 2, 3),
                    new int[] {2, 7, 9, 24},
                    new int[] {40, 4, 2, 24},
                    "64x64",
                    "128x32",
                    "64x64");
            wideConvolutions();
            Conv2d upsampled = Conv2d.same(3).reading(Conv2d.Input.UPSAMPLED);
            convolution(upsampled, new int[] {2, 1, 15, 16}, new int[] {24, 3, 3, 16}, "128x32", "128x32", "32x128");
            convolution(upsampled, new int[] {3, 1, 24, 72}, new int[] {40, 3, 3, 72}, "64x64", "64x64", "64x64");
            add("head", Conv2d.same(3), "conv2d", "128x32", 72, x(2, 9, 9, 8), x(5, 3, 3, 8), bias(5));
            convolution(Conv2d.same(1), new int[] {2, 8, 8, 32}, new int[] {64, 1, 1, 32}, null, null, null);
            linear(300, 64, 96);
            linear(65, 40, 24);
            matrices(3, 72, 40, 24);
            add("wide", new MatMul(false, false), "matmul_nn", "128x64", 16, x(132, 128, 16), x(132, 16, 72));
            add("wide", new MatMul(false, true), "matmul_nt", "128x64", 16, x(132, 128, 16), x(132, 72, 16));
        }

        List<Product> all() {
            return all;
        }

        /// Enough pixels for the widest tile. 3x3 convolutions of images with at least four rows have kernels of their
        /// own, here and above.
        private void wideConvolutions() {
            Conv2d op = Conv2d.same(3);
            add("wide", op, "conv2d", "128x64", 72, x(17, 3, 342, 8), x(72, 3, 3, 8), bias(72));
            Op backward = new Conv2d.BackwardData(op, Shape.of(17, 3, 342, 72));
            add("wide", backward, "conv2d_backward_data", "128x64", 72, x(17, 3, 342, 8), x(8, 3, 3, 72));
            Conv2d small = Conv2d.of(2, 0).reading(Conv2d.Input.UPSAMPLED);
            backward = new Conv2d.BackwardData(small, Shape.of(17, 32, 32, 72));
            String kernel = "conv2d_upsampled_backward_data";
            add("wide upsampled", backward, kernel, "128x64", 8, x(17, 32, 32, 8), x(8, 2, 1, 72));
        }

        /// Forward and both gradients; tiles null for a convolution that is a linear layer.
        void convolution(Conv2d op, int[] x, int[] w, String forward, String data, String weight) {
            boolean pointwise = forward == null;
            boolean upsampled = op.input() == Conv2d.Input.UPSAMPLED;
            Shape y = op.outputShape(Shape.of(x), Shape.of(w));
            String name = Arrays.toString(x) + " " + Arrays.toString(w);
            add(
                    name,
                    op,
                    pointwise ? "matmul_nt" : "conv2d",
                    pointwise ? "64x64" : forward,
                    w[1] * w[2] * w[3],
                    x(x),
                    x(w),
                    bias(w[0]));
            add(
                    name,
                    new Conv2d.BackwardData(op, Shape.of(x)),
                    pointwise ? "matmul_nn" : upsampled ? "conv2d_upsampled_backward_data" : "conv2d_backward_data",
                    pointwise ? "64x64" : data,
                    (upsampled ? 4 : 1) * w[1] * w[2] * w[0],
                    x(y.toArray()),
                    x(w));
            if (type == DType.BF16 && op.reading(Conv2d.Input.PLAIN).equals(Conv2d.same(3)) && w[3] % 8 == 0) {
                return; // CudaWeightGradientTest
            }
            add(
                    name,
                    new Conv2d.BackwardWeight(op, w[1], w[2], true),
                    pointwise ? "linear_backward_weight" : "conv2d_backward_weight",
                    pointwise ? "64x64" : weight,
                    (int) y.elements(0, 3),
                    x(x),
                    x(y.toArray()));
        }

        private void linear(int rows, int channels, int outputs) {
            String name = rows + " rows, " + channels + " to " + outputs;
            Given x = x(rows, channels);
            Given w = x(outputs, channels);
            Given dy = x(rows, outputs);
            add(name, new Linear(), "matmul_nt", "64x64", channels, x, w, bias(outputs));
            add(name, new Linear.BackwardData(), "matmul_nn", "64x64", outputs, dy, w);
            String tile = outputs <= 32 ? "32x128" : "64x64";
            add(name, new Linear.BackwardWeight(true), "linear_backward_weight", tile, rows, x, dy);
        }

        private void matrices(int batch, int rows, int depth, int columns) {
            for (int transposes = 0; transposes < 4; transposes++) {
                boolean a = (transposes & 1) != 0;
                boolean b = (transposes & 2) != 0;
                Given left = a ? x(batch, depth, rows) : x(batch, rows, depth);
                Given right = b ? x(batch, columns, depth) : x(batch, depth, columns);
                String kernel = "matmul_" + (a ? "t" : "n") + (b ? "t" : "n");
                add(kernel, new MatMul(a, b), kernel, "64x64", depth, left, right);
            }
        }

        private record Given(TensorType type, double[] numbers) {}

        private Given x(int... dims) {
            return given(new TensorType(Shape.of(dims), type));
        }

        private Given bias(int size) {
            return given(TensorType.f32(size));
        }

        private Given given(TensorType of) {
            double[] numbers = new double[(int) of.elements()];
            Arrays.setAll(numbers, i -> rounded(of.type(), (float) random.nextGaussian()));
            return new Given(of, numbers);
        }

        private static double rounded(DType type, float x) {
            int bits = Float.floatToRawIntBits(x);
            int nearest = bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000;
            return type == DType.BF16 ? Float.intBitsToFloat(nearest) : x;
        }

        private void add(String name, Op op, String operation, String tile, int terms, Given... inputs) {
            List<TensorType> types = Arrays.stream(inputs).map(Given::type).toList();
            List<double[]> numbers = Arrays.stream(inputs).map(Given::numbers).toList();
            all.add(new Product(new OpCase(op.label() + " " + name, op, types, numbers), operation, tile, terms));
        }
    }
}
