package dev.rote.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.reference.OpAccuracy;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpCases;
import dev.rote.reference.OpRun;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every operation on the CPU against its definition, by [OpAccuracy].
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CpuOperationsTest {
    private CpuDevice device;
    private OpRun runs;

    @BeforeAll
    void open() {
        device = CpuDevice.open(1);
        runs = new OpRun(device);
    }

    @AfterAll
    void close() {
        device.close();
    }

    static Stream<OpCase> f32() {
        return Stream.concat(OpCases.f32().stream(), OpCases.tiled().stream());
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
        OpAccuracy.check(one, runs.run(one));
    }

    @ParameterizedTest
    @MethodSource("bf16")
    void agreesWithTheDefinitionInBf16(OpCase one) {
        OpAccuracy.check(one, runs.run(one));
    }

    @ParameterizedTest
    @MethodSource("f32")
    void repeatsBitForBit(OpCase one) {
        assertThat(runs.run(one)).containsExactly(runs.run(one).toArray(double[][]::new));
    }

    @ParameterizedTest
    @MethodSource("notFinite")
    void keepsWhatIsNotFinite(OpCase one) {
        OpAccuracy.checkFinite(one, runs.run(one));
    }
}
