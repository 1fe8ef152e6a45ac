package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Attention;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.reference.OpAccuracy;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Attention on tensor cores in bf16 and TF32: that its kernels are chosen, and no further from the definition than
/// twice what [ShortAttention] is, whose factors are as short.
class CudaAttentionTest extends OnCudaDevice {
    private static final double F32_ULP = 0x1p-23;
    private static final double BF16_ULP = 0x1p-8;
    private static final int LEAST_STEP = 8; // terms of a sum in a device's product

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

    /// Forward and backward of one size.
    ///
    /// @param kernels of forward, then of backward
    private record Case(DType type, int heads, OpCase forward, OpCase backward, List<String> kernels) {
        @Override
        public String toString() {
            return type + " " + heads + " heads of " + forward.inputTypes().getFirst() + " " + kernels.get(1);
        }
    }

    static Stream<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (DType type : List.of(DType.BF16, DType.F32)) {
            boolean bf16 = type == DType.BF16;
            // Backward by a block to a head, one tile of tokens: whole, ragged, a single token.
            cases.add(of(type, 1, 1, 1, 4, 1, 16, true));
            cases.add(of(type, 4, 2, 1, 16, 1, 16, true));
            cases.add(of(type, 2, 1, 7, 8, 1, 16, true));
            cases.add(of(type, 4, 2, 64, 32, 1, 32, true));
            cases.add(of(type, 3, 2, 33, 20, 1, 32, true));
            cases.add(of(type, 2, 1, 64, 64, 1, 64, true));
            cases.add(of(type, 1, 2, 49, 40, 1, 64, true));
            cases.add(of(type, 2, 1, 64, 128, 1, 128, bf16));
            cases.add(of(type, 1, 1, 17, 72, 1, 128, bf16));
            // Several tiles, whose sums wait in shared memory.
            cases.add(of(type, 4, 33, 65, 4, 1, 16, true));
            cases.add(of(type, 4, 33, bf16 ? 256 : 130, 16, 1, 16, true));
            cases.add(of(type, 2, 66, 130, 24, 1, 32, true));
            cases.add(of(type, 1, 132, bf16 ? 193 : 129, 32, 1, 32, true));
            cases.add(of(type, 1, 132, 65, 64, 1, 64, bf16));
            // Forward by a block to a head: vectors shorter than the kernel's, weights between 2^-59 and 2^59.
            cases.add(of(type, 2, 3, 32, 8, 1, 16, true));
            cases.add(of(type, 1, 2, 64, 12, 1, 16, true));
            cases.add(of(type, 2, 66, 96, 20, 1, 32, true));
            cases.add(steep(type));
            // Backward, too.
            if (bf16) {
                cases.add(of(type, 2, 66, 256, 4, 1, 16, true));
                cases.add(of(type, 2, 66, 256, 8, 1, 16, true));
                cases.add(of(type, 1, 132, 128, 16, 1, 16, true));
                cases.add(of(type, 2, 66, 128, 8, 1, 16, true));
                cases.add(of(type, 3, 1, 64, 8, 1, 16, true));
            }
            // Scores so low that weights of keys that are none would be infinite.
            cases.add(low(type, 33, 65));
            // Few heads, or more than fits: two kernels.
            cases.add(of(type, 4, 1, 256, 16, 1, 16, false));
            cases.add(of(type, 1, 1, 1024, 8, 1, 16, false));
            cases.add(of(type, 2, 1, 131, 32, 1, 32, false));
            cases.add(of(type, 1, 2, 100, 64, 1, 64, false));
            cases.add(of(type, 1, 2, 100, 128, 1, 128, false));
            cases.add(of(type, 1, 1, 65, 104, 1, 128, false));
            // Scores in the hundreds.
            cases.add(of(type, 2, 2, 64, 32, 16, 32, true));
            cases.add(of(type, 2, 1, 150, 16, 16, 16, false));
            cases.add(of(type, 2, 1, 160, 16, 16, 16, false));
        }
        return AnyDriver.some(cases);
    }

    /// @param spread standard deviation of queries, keys and values
    /// @param size in the kernels' names
    /// @param byHead whether a block computes the gradients of a head
    private static Case of(
            DType type, int heads, int images, int tokens, int depth, double spread, int size, boolean byHead) {
        TensorType qkv = new TensorType(Shape.of(images, tokens, 3 * heads * depth), type);
        Random random = new Random(31 * tokens + depth);
        return of(type, heads, qkv, normals(random, qkv, spread), random, size, byHead);
    }

    /// Four heads of four channels: queries of 30, keys from -4.4375 to -5.1875.
    private static Case low(DType type, int images, int tokens) {
        TensorType qkv = new TensorType(Shape.of(images, tokens, 3 * 16), type);
        Random random = new Random(tokens);
        double[] numbers = normals(random, qkv, 1);
        for (int token = 0; token < images * tokens; token++) {
            Arrays.fill(numbers, 48 * token, 48 * token + 16, 30);
            Arrays.fill(numbers, 48 * token + 16, 48 * token + 32, -4.4375 - token % 4 * 0.25);
        }
        return of(type, 4, qkv, numbers, random, 16, true);
    }

    /// Two heads of 16 channels, whose scores are 59 or 56, above zero or below; a query of the second head has only
    /// scores below, or only scores above.
    private static Case steep(DType type) {
        TensorType qkv = new TensorType(Shape.of(1, 64, 3 * 32), type);
        Random random = new Random(59);
        double[] numbers = normals(random, qkv, 1);
        for (int token = 0; token < 64; token++) {
            Arrays.fill(numbers, 96 * token, 96 * token + 32, token % 2 == 0 ? 3.1875 : -3.1875);
            double key = token % 3 == 0 ? 3.203125 : 3.046875;
            Arrays.fill(numbers, 96 * token + 32, 96 * token + 48, token % 5 < 2 ? key : -key);
            Arrays.fill(numbers, 96 * token + 48, 96 * token + 64, key);
        }
        return of(type, 2, qkv, numbers, random, 16, true);
    }

    private static Case of(
            DType type, int heads, TensorType qkv, double[] numbers, Random random, int size, boolean byHead) {
        int tokens = qkv.shape().dim(1);
        OpCase forward = new OpCase("Attention " + qkv, new Attention(heads), List.of(qkv), List.of(numbers));
        List<double[]> out = forward.expected();
        List<TensorType> outTypes = forward.op().infer(forward.inputTypes());
        TensorType y = outTypes.get(0);
        OpCase backward = new OpCase(
                "Attention.Backward " + qkv,
                new Attention.Backward(heads),
                List.of(y, qkv, y, outTypes.get(1)),
                List.of(
                        normals(random, y, 1),
                        numbers,
                        ShortAttention.rounded(y.type() == DType.BF16 ? 7 : 23, out.get(0)),
                        ShortAttention.rounded(23, out.get(1))));
        String suffix = (type == DType.BF16 ? "_bf16_mma_" : "_tf32_mma_") + size;
        boolean head = type == DType.BF16 && tokens % 32 == 0 && tokens <= 256 && size <= 32;
        boolean whole = head && (size == 16 ? List.of(64, 128, 256).contains(tokens) : tokens == 64);
        boolean pairs = type == DType.BF16 && tokens > 64 && size <= 32;
        String ofHead = qkv.shape().dim(2) / (3 * heads) <= 8 ? "_bf16_mma_8" : suffix;
        String forwardKernel = head ? "attention_head" + ofHead : "attention" + suffix;
        String backwardKernel =
                "attention_backward_" + (whole ? "whole_" + tokens + ofHead : (pairs ? "pairs" : "head") + suffix);
        List<String> kernels = byHead
                ? List.of(forwardKernel, backwardKernel)
                : List.of(
                        forwardKernel,
                        type == DType.BF16 ? "attention_delta_bf16" : "attention_delta_f32",
                        "attention_backward_queries" + suffix,
                        "attention_backward_keys" + suffix);
        return new Case(type, heads, forward, backward, kernels);
    }

    private static double[] normals(Random random, TensorType type, double spread) {
        double[] numbers = new double[(int) type.elements()];
        Arrays.setAll(numbers, i -> spread * random.nextGaussian());
        return ShortAttention.rounded(type.type() == DType.BF16 ? 7 : 23, numbers);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void tensorCoresTakeIt(Case one) {
        List<String> found = new ArrayList<>(kernels(tf32, one.forward()));
        found.addAll(kernels(tf32, one.backward()));
        assertThat(found).containsExactlyElementsOf(one.kernels());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isAsAccurateAsShortFactorsPermitInBothOrdersOfThreads(Case one) {
        ShortAttention honest = new ShortAttention(one.type() == DType.BF16 ? 7 : 10, one.heads());
        check(one.type(), one.forward(), honest.forward(one.forward()));
        check(one.type(), one.backward(), honest.backward(one.backward()));
    }

    /// Longer vectors of 256 tokens: by a block with more shared memory than it may have elsewhere.
    @ParameterizedTest
    @ValueSource(ints = {20, 32})
    void gradientsOf256TokensFitOnCapability90(int depth) {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 90));
        try {
            Assumptions.assumeTrue(tf32.tensorCores().sm90(), "a device of compute capability 9.0");
            Case one = of(DType.BF16, 2, 66, 256, depth, 1, 32, true);
            assertThat(kernels(tf32, one.backward())).containsExactly("attention_backward_whole_256_bf16_mma_32");
            isAsAccurateAsShortFactorsPermitInBothOrdersOfThreads(one);
        } finally {
            StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 80));
        }
    }

    private void check(DType type, OpCase one, List<double[]> honest) {
        List<double[]> found = new OpRun(tf32).run(one);
        AnyDriver.descending(true);
        List<double[]> descending = OpRun.asReplica(tf32).run(one);
        AnyDriver.descending(false);
        assertThat(descending).containsExactly(found.toArray(double[][]::new));

        List<double[]> exact = one.expected();
        List<TensorType> types = one.op().infer(one.inputTypes());
        int terms = one.inputTypes()
                .get(one.inputTypes().size() == 1 ? 0 : 1)
                .shape()
                .dim(1);
        for (int output = 0; output < exact.size(); output++) {
            double largest = largest(exact.get(output));
            double unit = types.get(output).type() == DType.BF16 ? BF16_ULP : F32_ULP;
            // A device may cut off one unit of the largest sum in each step.
            double sums = (terms / LEAST_STEP + 16) * F32_ULP * largest;
            double tolerance = 2 * distance(honest.get(output), exact.get(output)) + unit * largest + sums;
            for (int i = 0; i < exact.get(output).length; i++) {
                double f = found.get(output)[i];
                double e = exact.get(output)[i];
                if (!(Math.abs(f - e) <= tolerance)) {
                    throw new AssertionError(one.name() + " " + type + " output " + output + " element " + i
                            + ": expected " + e + ", found " + f + ", tolerance " + tolerance);
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

    @Test
    void whatTensorCoresDoNotTakeGoesToTheGeneralKernels() {
        for (int depth : new int[] {6, 132}) {
            TensorType qkv = TensorType.f32(1, 5, 3 * depth);
            OpCase one = new OpCase("odd", new Attention(1), List.of(qkv), List.of(new double[15 * depth]));
            assertThat(kernels(tf32, one)).containsExactly("attention_f32");
        }
        TensorType half = new TensorType(Shape.of(1, 5, 3 * 36), DType.BF16);
        OpCase unaligned = new OpCase("unaligned", new Attention(1), List.of(half), List.of(new double[15 * 36]));
        assertThat(kernels(tf32, unaligned)).containsExactly("attention_bf16");
        TensorType qkv = TensorType.f32(1, 5, 3 * 16);
        OpCase one = new OpCase("exact", new Attention(1), List.of(qkv), List.of(new double[15 * 16]));
        assertThat(kernels(device, one)).containsExactly("attention_f32");
        assertThat(kernels(tf32, one)).containsExactly("attention_tf32_mma_16");
    }

    /// A number that is not finite reaches what the definition lets it reach, and nothing else.
    @Test
    void keepsWhatIsNotFinite() {
        List<Case> all = List.of(
                of(DType.BF16, 2, 2, 9, 8, 1, 16, true),
                of(DType.F32, 2, 2, 9, 8, 1, 16, true),
                of(DType.BF16, 2, 2, 32, 8, 1, 16, true));
        for (Case whole : all) {
            for (int at : new int[] {0, 19, 37}) { // a query, a key, a value of the first token
                double[] qkv = whole.forward().inputs().getFirst().clone();
                qkv[at] = Double.NaN;
                OpCase forward = with(whole.forward(), 0, qkv);
                OpAccuracy.checkFinite(forward, new OpRun(tf32).run(forward));
            }
            double[] dy = whole.backward().inputs().getFirst().clone();
            dy[5] = Double.NaN;
            OpCase backward = with(whole.backward(), 0, dy);
            OpAccuracy.checkFinite(backward, new OpRun(tf32).run(backward));
        }
    }

    private static OpCase with(OpCase one, int input, double[] numbers) {
        List<double[]> inputs = new ArrayList<>(one.inputs());
        inputs.set(input, numbers);
        return new OpCase(one.name(), one.op(), one.inputTypes(), inputs);
    }

    /// Weights without a maximum reach 2^60: large values would leave no room for their sums.
    @Test
    void largeValuesDoNotOverflow() {
        Case whole = of(DType.BF16, 2, 2, 32, 8, 1, 16, true);
        double[] qkv = whole.forward().inputs().getFirst().clone();
        for (int i = 0; i < qkv.length; i++) {
            qkv[i] = i / 16 % 3 == 2 ? 0x1p100 * (1 + i % 7) : 3.5; // scores of 50 in units of log 2
        }
        OpCase forward = with(whole.forward(), 0, qkv);
        double[] exact = forward.expected().getFirst();
        double[] found = new OpRun(tf32).run(forward).getFirst();
        for (int i = 0; i < found.length; i++) {
            assertThat(found[i]).isCloseTo(exact[i], within(0x1p-7 * exact[i]));
        }
    }

    /// Every value of a case has an allocation of its own, so an access beside it is seen.
    @Test
    void noKernelReadsOrWritesBesideItsBuffers(@TempDir Path folder) throws Exception {
        Assumptions.assumeFalse(AnyDriver.isGpu(), "needs the stand-in's record");
        StandIn standIn = StandIn.loaded().orElseThrow();
        Path record = folder.resolve("attention");
        List<Case> cases = cases().filter(
                        one -> one.forward().inputTypes().getFirst().elements() < 60_000)
                .toList();
        standIn.record(record);
        try (CudaDevice recorded = CudaDevice.open(0, true)) {
            OpRun runs = new OpRun(recorded);
            for (Case one : cases) {
                runs.run(one.forward());
                runs.run(one.backward());
            }
        } finally {
            standIn.stopRecording();
        }
        assertThat(StandInExtension.replay(record)).contains("status 0").contains("launches");
    }
}
