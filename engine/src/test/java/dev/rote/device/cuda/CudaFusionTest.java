package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.graph.Activation;
import dev.rote.graph.Add;
import dev.rote.graph.Autodiff;
import dev.rote.graph.Cast;
import dev.rote.graph.Concat;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Fusion;
import dev.rote.graph.Graph;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Op;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import dev.rote.graph.Upsample;
import dev.rote.graph.Value;
import dev.rote.nn.GoldenStudy1;
import dev.rote.reference.GradientCheck;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Parts of a U-Net's way up, fused and as they are written, on the same numbers: what they compute, every gradient,
/// and the memory they take.
class CudaFusionTest extends OnCudaDevice {
    /// A part of a network in f32, TF32 or bf16.
    ///
    /// @param sizes images, height, width, then channels
    private record Part(String name, DType type, boolean tf32, int... sizes) {
        @Override
        public String toString() {
            return name + (tf32 ? " TF32 " : " " + type + " ") + Shape.of(sizes);
        }
    }

    /// What a part computes, by name, and the bytes of its arena.
    private record Results(Map<String, float[]> values, long arenaBytes) {}

    /// Fuses what the device does, but for concatenations.
    private static final Target NO_JOINING = new Target() {
        @Override
        public boolean fuses(Fusion.Pattern pattern) {
            return pattern != Fusion.Pattern.CONCAT_READERS && CudaTarget.INSTANCE.fuses(pattern);
        }

        @Override
        public long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs) {
            return CudaTarget.INSTANCE.workspaceBytes(op, inputs, outputs);
        }
    };

    private CudaDevice tf32;

    /// Kernels that sum in the same order whether or not an image is enlarged: those for one capability do not.
    @Override
    CudaDevice opened() {
        return CudaDevice.openPortable(0);
    }

    @BeforeAll
    void openTf32() {
        tf32 = CudaDevice.open(0, true);
    }

    @AfterAll
    void closeTf32() {
        if (tf32 != null) {
            tf32.close();
        }
    }

    private static Stream<Part> inEachPrecision(String name, int... sizes) {
        return Stream.of(
                new Part(name, DType.F32, false, sizes),
                new Part(name, DType.F32, true, sizes),
                new Part(name, DType.BF16, false, sizes));
    }

    /// @param sizes images, height and width before upsampling, channels, filters
    static Stream<Part> upsampled() {
        return Stream.of(
                        inEachPrecision("up", 2, 4, 4, 32, 64),
                        inEachPrecision("up", 1, 8, 8, 64, 32),
                        inEachPrecision("up", 3, 1, 1, 16, 24),
                        inEachPrecision("up", 2, 4, 4, 16, 24),
                        inEachPrecision("up", 1, 3, 5, 7, 11))
                .flatMap(parts -> parts);
    }

    /// @param sizes images, height, width, channels of either tensor, filters, groups
    static Stream<Part> joined() {
        return Stream.of(
                        inEachPrecision("joined", 2, 4, 4, 32, 64, 32, 8),
                        inEachPrecision("joined", 1, 16, 17, 64, 32, 40, 8),
                        inEachPrecision("joined", 3, 1, 1, 8, 16, 8, 3),
                        inEachPrecision("joined", 1, 2, 2, 24, 24, 72, 1),
                        inEachPrecision("joined", 2, 5, 3, 7, 3, 6, 2))
                .flatMap(parts -> parts);
    }

    private static Value input(Graph graph, String name, DType type, int... dims) {
        Value value = graph.external(name, TensorType.f32(dims));
        return type == DType.F32 ? value : graph.apply(new Cast(type), value);
    }

    private static Value up(Graph graph, Part part) {
        int[] s = part.sizes();
        Value x = input(graph, "x", part.type(), s[0], s[1], s[2], s[3]);
        Value w = input(graph, "w", part.type(), s[4], 3, 3, s[3]);
        Value bias = graph.external("bias", TensorType.f32(s[4]));
        return graph.apply(Conv2d.same(3), graph.apply(new Upsample(), x), w, bias);
    }

    @ParameterizedTest
    @MethodSource("upsampled")
    void anUpsampledConvolutionHasTheBitsOfItsPartsButForTheGradientOfItsInput(Part part) {
        Results plain = run(part, Target.PLAIN);
        Results fused = run(part, device.target());
        assertThat(fused.values().get("y")).isEqualTo(plain.values().get("y"));
        assertThat(fused.values().get("dw")).isEqualTo(plain.values().get("dw"));
        assertThat(fused.values().get("dbias")).isEqualTo(plain.values().get("dbias"));
        close(fused.values().get("dx"), plain.values().get("dx"), part);
        assertThat(fused.arenaBytes()).isLessThan(plain.arenaBytes());
    }

    /// The residual block that reads a concatenation: normalised and convolved, and by a 1x1 convolution beside it.
    private static Value joinedBlock(Graph graph, Part part) {
        int[] s = part.sizes();
        int channels = s[3] + s[4];
        Value x = input(graph, "x", part.type(), s[0], s[1], s[2], s[3]);
        Value skip = input(graph, "skip", part.type(), s[0], s[1], s[2], s[4]);
        Value joined = graph.apply(new Concat(3), x, skip);
        Value gamma = graph.external("gamma", TensorType.f32(channels));
        Value beta = graph.external("beta", TensorType.f32(channels));
        Value h = graph.apply(new GroupNorm(s[6], 1e-5f, false), joined, gamma, beta);
        h = graph.apply(new Activation(Activation.Kind.SILU), h);
        Value v = input(graph, "v", part.type(), s[5], 3, 3, channels);
        Value w = input(graph, "w", part.type(), s[5], 1, 1, channels);
        Value bias = graph.external("bias", TensorType.f32(s[5]));
        return graph.apply(new Add(), graph.apply(Conv2d.same(3), h, v), graph.apply(Conv2d.same(1), joined, w, bias));
    }

    /// But for the gradients of the two tensors: the whole one is added to another before it is rounded.
    @ParameterizedTest
    @MethodSource("joined")
    void aBlockThatReadsTwoTensorsHasTheBitsOfOneThatReadsTheirConcatenation(Part part) {
        Results plain = run(part, NO_JOINING);
        Results fused = run(part, device.target());
        boolean vectors = part.sizes()[3] * part.type().bytes() % 16 == 0;
        plain.values().forEach((name, values) -> {
            if (vectors && !List.of("dx", "dskip").contains(name)) {
                assertThat(fused.values().get(name)).as(name).isEqualTo(values);
            } else {
                close(fused.values().get(name), values, part);
            }
        });
    }

    @Test
    void eachFusionMakesTheArenaOfAWholeNetworkSmaller() {
        long none = arenaBytes(Target.PLAIN);
        long some = arenaBytes(NO_JOINING);
        long all = arenaBytes(CudaTarget.INSTANCE);
        assertThat(some).isLessThan(none);
        assertThat(all).isLessThan(some);
    }

    /// A library reads images from memory.
    @Test
    void convolutionsForALibraryStayAsTheyAre() {
        Target vendor = new VendorTarget(null); // its patterns do not depend on the libraries
        assertThat(Fusion.Pattern.values()).filteredOn(vendor::fuses).containsExactly(Fusion.Pattern.GROUP_NORM_SILU);
        assertThat(VendorOperations.isAsked(Conv2d.same(3))).isTrue();
        assertThat(VendorOperations.isAsked(Conv2d.same(3).reading(Conv2d.Input.UPSAMPLED)))
                .isFalse();
        assertThat(VendorOperations.isAsked(Conv2d.same(1).reading(Conv2d.Input.JOINED)))
                .isFalse();
    }

    private static long arenaBytes(Target fusing) {
        GoldenStudy1.Step step = GoldenStudy1.training(fusing, 1);
        return Plan.of(step.graph(), CudaTarget.INSTANCE).arenaBytes();
    }

    static Stream<Part> all() {
        return Stream.concat(upsampled(), joined());
    }

    @ParameterizedTest
    @MethodSource("all")
    void aFusedPartDoesNotDependOnTheOrderOfThreads(Part part) {
        Results ascending = run(part, device.target());
        AnyDriver.descending(true);
        Results descending = run(part, device.target());
        AnyDriver.descending(false);
        ascending
                .values()
                .forEach((name, values) ->
                        assertThat(descending.values().get(name)).as(name).isEqualTo(values));
    }

    /// Sums of some hundred terms in another order, in bf16 rounded before and after they are added, in TF32 of factors
    /// that are rounded alike.
    private static void close(float[] found, float[] expected, Part part) {
        float largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        double f32 = part.tf32() ? 0x1p-16 : 0x1p-18; // tensor cores drop bits of their sums
        double tolerance = largest * (part.type() == DType.BF16 ? 0x1p-7 : f32);
        for (int i = 0; i < expected.length; i++) {
            assertThat(Math.abs(found[i] - expected[i])).as("element %d", i).isLessThanOrEqualTo((float) tolerance);
        }
    }

    private static Value asF32(Graph graph, Value value) {
        return value.dtype() == DType.F32 ? value : graph.apply(new Cast(DType.F32), value);
    }

    private Results run(Part part, Target fusing) {
        Graph graph = new Graph();
        Value y = part.name().equals("up") ? up(graph, part) : joinedBlock(graph, part);
        List<Value> inputs = List.copyOf(graph.externals().values());
        Value loss = GradientCheck.contract(graph, asF32(graph, y));
        Fusion.apply(graph, fusing);
        Map<String, Value> results = new LinkedHashMap<>();
        results.put("y", y);
        List<Value> gradients = new ArrayList<>(Autodiff.gradients(graph, loss, inputs));
        for (int i = 0; i < inputs.size(); i++) {
            results.put("d" + inputs.get(i).name(), gradients.get(i));
        }
        CudaDevice on = part.tf32() ? tf32 : device;
        Map<String, Value> targets = new LinkedHashMap<>();
        results.forEach((name, value) -> {
            Value target = graph.external(
                    "result " + name, TensorType.f32(value.shape().toArray()));
            graph.place(asF32(graph, value), target, 0);
            targets.put(name, target);
        });
        Plan plan = Plan.of(graph, on.target());
        Map<String, Buffer> buffers = new HashMap<>();
        try {
            for (Value external : graph.externals().values()) {
                buffers.put(external.name(), on.allocate(external.name(), external.dtype(), external.elements()));
            }
            Random random = new Random(11);
            for (Value input : inputs) {
                float[] numbers = new float[(int) input.elements()];
                for (int i = 0; i < numbers.length; i++) {
                    numbers[i] = (float) random.nextGaussian();
                }
                buffers.get(input.name()).writeFloats(numbers);
            }
            try (Program program = on.compile(part.name(), List.of(plan), buffers)) {
                program.run();
            }
            Map<String, float[]> values = new LinkedHashMap<>();
            targets.forEach((name, target) ->
                    values.put(name, buffers.get(target.name()).readFloats()));
            return new Results(values, plan.arenaBytes());
        } finally {
            buffers.values().forEach(Buffer::close);
        }
    }
}
