package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.Buffer;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Which kernels a group norm takes by its shape, and that each agrees with the definition at the edges of its slices:
/// one pixel, one vector more than a warp has, a last row of threads that is not full.
class CudaGroupNormTest extends OnCudaDevice {
    /// @param second channels of a second tensor that lies beside x; 0 for none
    private record Norm(DType type, int groups, int images, int pixels, int channels, int second, String[] kernels) {
        int all() {
            return channels + second;
        }

        @Override
        public String toString() {
            return "%s %d groups [%d,%d,%d+%d]".formatted(type, groups, images, pixels, channels, second);
        }
    }

    private static Norm bf16(int groups, int images, int pixels, int channels, String forward, String backward) {
        return joined(groups, images, pixels, channels, 0, forward, backward);
    }

    private static Norm joined(
            int groups, int images, int pixels, int channels, int second, String forward, String backward) {
        String[] kernels = {"group_norm_bf16_" + forward, "group_norm_backward_bf16_" + backward};
        return new Norm(DType.BF16, groups, images, pixels, channels, second, kernels);
    }

    static Stream<Norm> norms() {
        String[] f32 = {"group_norm_f32_staged", "group_norm_backward_f32_staged"};
        return Stream.of(
                bf16(8, 3, 64, 128, "warps_4", "warps_4"), // four warps of a block, a slice each
                bf16(2, 2, 1, 16, "warps_4", "warps_4"), // groups of 8
                bf16(4, 1, 64, 16, "warps_4", "warps_4"), // groups of 4, the last that a warp takes alone
                bf16(4, 1, 65, 16, "warps_4", "warps_4"),
                bf16(1, 2, 9, 16, "warps_4", "warps_4"), // a group of 16
                bf16(8, 2, 256, 64, "warps_4", "warps_4"),
                bf16(2, 1, 33, 64, "warps_4", "warps_4_wide"), // groups of 32
                bf16(1, 2, 20, 64, "warps_4", "warps_4_wide"),
                bf16(1, 1, 1, 128, "warps_4", "warps_4_wide"),
                bf16(1, 1, 70, 128, "warps_staged", "warps_staged_wide"),
                bf16(2, 1, 300, 64, "warps_staged", "warps_staged_wide"),
                bf16(4, 1, 256, 16, "warps_4", "warps_4"),
                bf16(4, 1, 257, 16, "warps_staged", "warps_staged"),
                bf16(4, 1, 400, 16, "warps_staged", "warps_staged"),
                bf16(8, 1, 1024, 32, "warps_staged", "warps_staged"),
                bf16(4, 1, 1025, 16, "warps_staged", "warps_staged"),
                bf16(4, 1, 1500, 16, "warps_staged", "warps_staged"),
                bf16(4, 1, 2000, 16, "warps_staged", "staged_runs"),
                bf16(4, 1, 7000, 16, "streamed", "streamed_runs"),
                bf16(8, 1, 7000, 16, "streamed", "streamed"), // groups of 2
                bf16(4, 30, 1, 16, "warps_4", "warps_4"), // more images than a warp of norm_parameters has rows
                bf16(4, 600, 1, 16, "warps_4", "warps_4"), // more than its block takes at a time
                bf16(8, 3, 64, 8, "warps_4_single", "warps_4_single"), // groups of 1, slices of 8
                bf16(16, 2, 100, 16, "warps_4_single", "warps_4_single"),
                bf16(8, 1, 300, 8, "warps_4_single", "warps_4_single"),
                bf16(8, 1, 1024, 8, "warps_staged_single", "warps_staged_single"),
                bf16(4, 2, 64, 8, "warps_4_pair", "warps_4_pair"), // groups of 2
                bf16(8, 2, 25, 16, "warps_4_pair", "warps_4_pair"),
                bf16(16, 2, 40, 32, "warps_4_pair", "warps_4_pair"),
                bf16(12, 1, 600, 24, "warps_staged_pair", "warps_staged_pair"), // slices of 8
                bf16(8, 1, 1024, 16, "warps_staged_pair", "warps_staged_pair"),
                bf16(8, 2, 25, 24, "warps_staged_odd_single", "warps_staged_odd_single"), // groups of 3
                bf16(8, 2, 9, 24, "warps_staged_odd_single", "warps_staged_odd_single"),
                bf16(16, 1, 333, 48, "warps_staged_odd_single", "warps_staged_odd_single"),
                bf16(8, 2, 25, 48, "warps_staged_odd_pair", "warps_staged_odd_pair"), // groups of 6, eight to a slice
                bf16(4, 1, 500, 24, "warps_staged_odd_pair", "warps_staged_odd_pair"), // and four
                bf16(8, 2, 20, 72, "staged", "staged"), // groups of 9
                bf16(8, 1, 64, 96, "warps_staged_odd", "warps_staged_odd"), // groups of 12
                bf16(2, 3, 1, 24, "warps_staged_odd", "warps_staged_odd"),
                bf16(2, 1, 33, 48, "warps_staged_odd", "warps_staged_odd"), // groups of 24, two to a slice
                bf16(3, 2, 33, 72, "warps_staged_odd", "warps_staged_odd"), // and one
                bf16(4, 1, 1000, 96, "warps_staged_odd", "warps_staged_odd"),
                bf16(2, 1, 49, 96, "warps_staged_odd", "warps_staged_odd"), // groups of 48
                bf16(1, 1, 190, 96, "warps_staged_odd", "warps_staged_odd"), // a group of 96
                bf16(1, 1, 300, 96, "warps_staged_odd", "streamed_runs"),
                bf16(8, 2, 20, 160, "staged", "staged_runs"), // groups of 20
                bf16(1, 1, 30, 256, "staged", "staged_runs"), // a wider group than the kernels in warps take
                joined(8, 2, 64, 64, 64, "warps_4", "warps_4"),
                joined(4, 1, 25, 8, 8, "warps_4", "warps_4"),
                joined(8, 2, 256, 8, 8, "warps_4_pair", "warps_4_pair"),
                joined(8, 1, 1025, 8, 8, "warps_staged_pair", "warps_staged_pair"),
                joined(16, 2, 64, 8, 8, "warps_4_single", "warps_4_single"),
                joined(8, 2, 64, 128, 64, "warps_staged_odd", "warps_staged_odd"),
                joined(8, 2, 300, 16, 8, "warps_staged_odd_single", "warps_staged_odd_single"),
                joined(8, 1, 1024, 32, 16, "warps_staged_odd_pair", "warps_staged_odd_pair"),
                joined(8, 1, 1024, 64, 32, "warps_staged_odd", "warps_staged_odd"),
                joined(8, 1, 1050, 64, 32, "warps_staged_odd", "streamed_runs"),
                new Norm(DType.F32, 8, 2, 100, 32, 0, f32),
                new Norm(DType.F32, 8, 1, 33, 16, 16, f32));
    }

    @ParameterizedTest
    @MethodSource("norms")
    void theShapeTellsTheKernels(Norm norm) {
        OpCase forward = forward(norm, true);
        assertThat(kernels(forward)).containsExactly(norm.kernels()[0]);
        assertThat(kernels(backward(norm, forward))).containsExactly(norm.kernels()[1], "norm_parameters");
    }

    /// Slices are 48 channels where they fit, and not 24, so that none begins within a sector.
    @ParameterizedTest
    @CsvSource({
        // groups, pixels, channels, whether backward, then channels of a slice
        "2, 33, 48, false, 48",
        "3, 33, 72, false, 24",
        "4, 1000, 96, false, 48",
        "4, 1000, 96, true, 24",
        "4, 256, 96, true, 48",
        "8, 64, 96, false, 48",
        "8, 1024, 96, false, 48",
        "8, 1024, 96, true, 24",
        "8, 1024, 48, false, 48",
        "8, 1024, 24, false, 24",
        "16, 64, 48, false, 24"
    })
    void slicesAreWholeSectorsWhereTheyFit(int groups, int pixels, int channels, boolean backward, int width) {
        TensorType x = new TensorType(Shape.of(1, pixels, 1, channels), DType.BF16);
        assertThat(WarpSlice.of(x, groups, backward)).map(WarpSlice::width).contains(width);
    }

    @ParameterizedTest
    @MethodSource("norms")
    void eachAgreesWithTheDefinitionInBothOrders(Norm norm) {
        for (boolean silu : new boolean[] {false, true}) {
            OpCase forward = forward(norm, silu);
            agrees(forward);
            agrees(backward(norm, forward));
        }
    }

    /// Squares that overflow are no variance of 0, which would hide that values have diverged.
    @ParameterizedTest
    @CsvSource({"4, 64, 16", "8, 300, 32", "8, 64, 96", "8, 64, 8"})
    void squaresThatOverflowAreNotHidden(int groups, int pixels, int channels) {
        Norm norm = new Norm(DType.BF16, groups, 1, pixels, channels, 0, new String[0]);
        OpCase usual = forward(norm, false);
        double[] x = usual.inputs().getFirst().clone();
        for (int i = 0; i < x.length; i++) {
            x[i] = (i / channels % 2 == 0 ? 1 : -1) * 0x1p66;
        }
        List<double[]> inputs = new ArrayList<>(usual.inputs());
        inputs.set(0, x);
        OpCase large = new OpCase("GroupNorm of large values", usual.op(), usual.inputTypes(), inputs);
        assertThat(new OpRun(device).run(large).getFirst()).containsOnly(Double.NaN);
    }

    private void agrees(OpCase one) {
        List<double[]> found = new OpRun(device).run(one);
        AnyDriver.descending(true);
        List<double[]> descending = OpRun.asReplica(device).run(one);
        AnyDriver.descending(false);
        assertThat(descending).containsExactly(found.toArray(double[][]::new));
        List<double[]> expected = one.expected();
        boolean rounded = one.inputTypes().getFirst().type() == DType.BF16;
        for (int output = 0; output < expected.size(); output++) {
            double[] numbers = expected.get(output);
            double largest = Arrays.stream(numbers).map(Math::abs).max().orElseThrow();
            double tolerance = largest * (rounded ? 0x1p-7 : 0x1p-19);
            for (int i = 0; i < numbers.length; i++) {
                assertThat(Math.abs(found.get(output)[i] - numbers[i]))
                        .as("%s, output %d, element %d: expected %s", one, output, i, numbers[i])
                        .isLessThanOrEqualTo(tolerance);
            }
        }
    }

    private static OpCase forward(Norm norm, boolean silu) {
        List<TensorType> types = inputs(norm);
        Random random = new Random(norm.pixels());
        List<double[]> numbers =
                types.stream().map(type -> normals(random, type)).toList();
        return new OpCase("GroupNorm of " + norm + silu, new GroupNorm(norm.groups(), 1e-5f, silu), types, numbers);
    }

    private static OpCase backward(Norm norm, OpCase forward) {
        List<TensorType> types = new ArrayList<>(forward.inputTypes());
        List<double[]> numbers = new ArrayList<>(forward.inputs());
        TensorType whole = new TensorType(Shape.of(norm.images(), norm.pixels(), norm.all()), norm.type());
        types.addFirst(whole);
        numbers.addFirst(normals(new Random(norm.channels()), whole));
        List<double[]> outputs = forward.expected();
        for (int statistic = 1; statistic <= 2; statistic++) {
            types.add(TensorType.f32(norm.images(), norm.groups()));
            numbers.add(Arrays.stream(outputs.get(statistic))
                    .map(number -> (float) number)
                    .toArray());
        }
        return new OpCase("Backward of " + forward, new GroupNorm.Backward((GroupNorm) forward.op()), types, numbers);
    }

    private static List<TensorType> inputs(Norm norm) {
        List<TensorType> types = new ArrayList<>();
        types.add(new TensorType(Shape.of(norm.images(), norm.pixels(), norm.channels()), norm.type()));
        if (norm.second() > 0) {
            types.add(new TensorType(Shape.of(norm.images(), norm.pixels(), norm.second()), norm.type()));
        }
        types.add(TensorType.f32(norm.all()));
        types.add(TensorType.f32(norm.all()));
        return types;
    }

    /// With a mean of 3, so that what is taken off counts.
    private static double[] normals(Random random, TensorType type) {
        int dropped = type.type() == DType.BF16 ? 0xffff : 0;
        double[] normals = new double[(int) type.elements()];
        for (int i = 0; i < normals.length; i++) {
            float normal = (float) (3 + random.nextGaussian());
            normals[i] = Float.intBitsToFloat(Float.floatToRawIntBits(normal) & ~dropped);
        }
        return normals;
    }

    private List<String> kernels(OpCase one) {
        Graph graph = new Graph();
        one.addTo(graph);
        Map<String, Buffer> buffers = new HashMap<>();
        graph.externals()
                .forEach((name, value) -> buffers.put(name, device.allocate(name, value.dtype(), value.elements())));
        Plan plan = Plan.of(graph, device.target());
        try (CudaMemory memory = new CudaMemory(device, "test", plan, buffers)) {
            return new CudaLowering(memory, device.tensorCores())
                    .lower(plan.nodes()).stream()
                            .flatMap(lowered -> lowered.launches().stream())
                            .map(launch -> ((KernelLaunch) launch).kernel())
                            .toList();
        } finally {
            buffers.values().forEach(Buffer::close);
        }
    }
}
