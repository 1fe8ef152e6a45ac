package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.EnvironmentException;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpCases;
import dev.rote.reference.OpRun;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Products and convolutions by cuBLAS and cuDNN against their definition, against themselves, and as a training step
/// beside our own kernels.
///
/// Who rounds each factor to b bits and each result to c errs by at most so much of the sum of the products' magnitudes
/// ([#bound]). A term that is missing or at the wrong place is far more.
@ExtendWith(AnyDriver.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CudaVendorTest {
    private OnVendorLibraries.Opened exact;
    private OnVendorLibraries.Opened tf32;

    @BeforeAll
    void open() {
        exact = OnVendorLibraries.open(false);
        tf32 = OnVendorLibraries.open(true);
    }

    @AfterAll
    void close() {
        if (tf32 != null) {
            tf32.close();
        }
        if (exact != null) {
            exact.close();
        }
    }

    static Stream<OpCase> f32() {
        return AnyDriver.some(Stream.concat(asked(OpCases.f32()), Study1Shapes.cases(DType.F32))
                .toList());
    }

    static Stream<OpCase> bf16() {
        return AnyDriver.some(Stream.concat(asked(OpCases.bf16()), Study1Shapes.cases(DType.BF16))
                .toList());
    }

    private static Stream<OpCase> asked(List<OpCase> cases) {
        return cases.stream().filter(one -> VendorOperations.isAsked(one.op()));
    }

    @ParameterizedTest
    @MethodSource("f32")
    void f32AgreesWithTheDefinition(OpCase one) {
        compare(one, new OpRun(exact.device()).run(one), 0x1p-18);
    }

    @ParameterizedTest
    @MethodSource("f32")
    void tf32AgreesWithTheDefinition(OpCase one) {
        compare(one, new OpRun(tf32.device()).run(one), 0x1p-9);
    }

    @ParameterizedTest
    @MethodSource("bf16")
    void bf16AgreesWithTheDefinition(OpCase one) {
        compare(one, new OpRun(exact.device()).run(one), 0x1p-7);
    }

    static Stream<OpCase> study1() {
        return AnyDriver.some(
                Stream.of(DType.F32, DType.BF16).flatMap(Study1Shapes::cases).toList());
    }

    @ParameterizedTest
    @MethodSource("study1")
    void repeatsBitForBit(OpCase one) {
        List<double[]> first = new OpRun(tf32.device()).run(one);
        assertThat(new OpRun(tf32.device()).run(one)).containsExactly(first.toArray(double[][]::new));
    }

    /// Our own kernels would pass the other tests as well. What has one channel may be refused.
    @Test
    void theLibrariesComputeTheShapesOfStudy1() {
        try (OnVendorLibraries.Opened opened = OnVendorLibraries.open(true)) {
            List<OpCase> wide = Study1Shapes.cases(DType.BF16)
                    .filter(one -> one.inputTypes().stream()
                            .allMatch(type -> type.shape().last() >= 32))
                    .toList();
            assertThat(wide).hasSizeGreaterThan(20);
            wide.forEach(new OpRun(opened.device())::run);
            assertThat(opened.notices()).isEmpty();
            assertThat(opened.device().describe())
                    .containsPattern(", products and convolutions by cuBLAS 1[23][.0-9]+, cuDNN 9[.0-9]+$");
        }
    }

    @Test
    void whatTheLibrariesRefuseOurKernelsComputeAndItIsSaidOnce() {
        OpCase padded = asked(OpCases.f32())
                .filter(one -> one.op() instanceof Conv2d && one.name().contains("asymmetric padding, bias"))
                .findFirst()
                .orElseThrow();
        try (OnVendorLibraries.Opened opened = OnVendorLibraries.open(false)) {
            compare(padded, new OpRun(opened.device()).run(padded), 0x1p-18);
            new OpRun(opened.device()).run(padded);
            assertThat(opened.notices())
                    .containsExactly("kernels \"vendor\": of program " + padded.name()
                            + ", cuBLAS and cuDNN compute 0 operations and refuse 1, which Rote's kernels compute: "
                            + "Conv2d " + padded.inputTypes());
        }
    }

    @Test
    void withoutLibrariesOneSentenceSaysSo() {
        Assumptions.assumeFalse(AnyDriver.isGpu(), "NVIDIA's libraries are there");
        String folder = System.clearProperty(VendorLibraries.PROPERTY);
        try {
            assertThatThrownBy(() -> CudaDevice.openWithVendor(0, false, notice -> {}))
                    .isInstanceOf(EnvironmentException.class)
                    .hasMessage("kernels \"vendor\": found no cuBLAS (libcublas.so.13 or libcublas.so.12) and no cuDNN "
                            + "(libcudnn.so.9); looked in rote.vendor, the only place beside the stand-in for the "
                            + "driver");
        } finally {
            System.setProperty(VendorLibraries.PROPERTY, folder);
        }
    }

    /// One captured graph per step, as with our own kernels.
    @Test
    void lossesOfATrainingRunLieOverOurOwnAndRepeatBitForBit() {
        int steps = AnyDriver.isGpu() ? 200 : 10;
        float[] theirs = CpuResults.losses(exact.device(), steps);
        assertThat(CpuResults.losses(exact.device(), steps)).as("again").isEqualTo(theirs);
        float[] ours;
        try (CudaDevice device = CudaDevice.open(0)) {
            ours = CpuResults.losses(device, steps);
        }
        assertThat(theirs).isNotEqualTo(ours);
        for (int step = 0; step < steps; step++) {
            assertThat(Math.abs(theirs[step] - ours[step]))
                    .as("loss %d: theirs %s, ours %s", step, theirs[step], ours[step])
                    .isLessThanOrEqualTo(1e-5f * (step + 1));
        }
    }

    private static void compare(OpCase one, List<double[]> found, double rounding) {
        List<double[]> expected = one.expected();
        List<double[]> magnitudes = magnitudes(one).expected();
        for (int output = 0; output < expected.size(); output++) {
            for (int i = 0; i < expected.get(output).length; i++) {
                double e = expected.get(output)[i];
                double f = found.get(output)[i];
                if (!(Math.abs(f - e) <= rounding * magnitudes.get(output)[i])) {
                    throw new AssertionError(
                            one.name() + " output " + output + " element " + i + ": expected " + e + ", found " + f
                                    + ", sum of magnitudes " + magnitudes.get(output)[i]);
                }
            }
        }
    }

    /// The case on the magnitudes of its inputs: its results are the sums of the products' magnitudes.
    private static OpCase magnitudes(OpCase one) {
        List<double[]> inputs = one.inputs().stream()
                .map(numbers -> Arrays.stream(numbers).map(Math::abs).toArray())
                .toList();
        return new OpCase(one.name(), one.op(), one.inputTypes(), inputs);
    }
}
