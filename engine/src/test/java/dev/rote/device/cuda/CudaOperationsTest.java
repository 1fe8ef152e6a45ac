package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.reference.OpAccuracy;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpCases;
import dev.rote.reference.OpRun;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every operation on CUDA against its definition ([OpAccuracy]), and against itself in the other thread order and
/// as one of two replicas.
class CudaOperationsTest extends OnCudaDevice {
    private OpRun runs;
    private OpRun replicas;

    @BeforeAll
    void open() {
        runs = new OpRun(device);
        replicas = OpRun.asReplica(device);
    }

    static Stream<OpCase> f32() {
        return AnyDriver.some(OpCases.f32());
    }

    static Stream<OpCase> bf16() {
        return AnyDriver.some(OpCases.bf16());
    }

    static Stream<OpCase> notFinite() {
        return AnyDriver.some(OpCases.notFinite());
    }

    @ParameterizedTest
    @MethodSource("f32")
    void agreesWithTheDefinition(OpCase one) {
        OpAccuracy.check(one, runs.run(one));
    }

    @ParameterizedTest
    @MethodSource("bf16")
    void agreesWithTheDefinitionInBf16(OpCase one) {
        List<double[]> found = runs.run(one);
        OpAccuracy.check(one, found);
        assertThat(replicas.run(one)).containsExactly(found.toArray(double[][]::new));
    }

    @ParameterizedTest
    @MethodSource("f32")
    void doesNotDependOnTheOrderOfThreads(OpCase one) {
        List<double[]> ascending = runs.run(one);
        AnyDriver.descending(true);
        List<double[]> descending = replicas.run(one);
        AnyDriver.descending(false);
        assertThat(descending).containsExactly(ascending.toArray(double[][]::new));
    }

    @ParameterizedTest
    @MethodSource("notFinite")
    void keepsWhatIsNotFinite(OpCase one) {
        OpAccuracy.checkFinite(one, runs.run(one));
    }

    /// Every value of a case has an allocation of its own, so an access beside it is seen.
    @Test
    void noKernelReadsOrWritesBesideItsBuffers(@TempDir Path folder) throws Exception {
        Assumptions.assumeFalse(AnyDriver.isGpu(), "needs the stand-in's record");
        StandIn standIn = StandIn.loaded().orElseThrow();
        Path record = folder.resolve("operations");
        List<OpCase> cases = Stream.concat(f32(), bf16()).toList();
        // Opened while recording, so that what the device allocates is in the record.
        standIn.record(record);
        try (CudaDevice recorded = CudaDevice.open(0)) {
            cases.forEach(new OpRun(recorded)::run);
            cases.forEach(OpRun.asReplica(recorded)::run);
        } finally {
            standIn.stopRecording();
        }
        assertThat(StandInExtension.replay(record)).contains("status 0").contains("launches");
    }
}
