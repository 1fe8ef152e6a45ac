package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.errors.DataException;
import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import dev.rote.errors.NonFiniteException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RoteTest {
    @Test
    void versionNamesVersionCommitAndJava() {
        Outcome outcome = Outcome.of("--version");
        assertThat(outcome.status()).isZero();
        assertThat(outcome.out())
                .matches("rote [0-9][^ ]* \\(commit (unknown|[0-9a-f]{7,40}(-dirty)?)\\), Java 2[5-9].*\\R");
        assertThat(outcome.err()).isEmpty();
    }

    @Test
    void helpOfAStudyListsTheBundledOnes() {
        assertThat(Outcome.of("study", "--help").out().replaceAll("\\s+", " "))
                .contains("a bundled study: quickstart")
                .contains("study1/n-sweep-small");
    }

    @Test
    void helpListsTheCommands() {
        Outcome outcome = Outcome.of("--help");
        assertThat(outcome.status()).isZero();
        assertThat(outcome.out()).contains("train", "predict", "study", "audit", "doctor", "--debug");
    }

    @Test
    void everyCommandHasHelp() {
        for (String command : new String[] {"train", "predict", "study", "audit", "doctor"}) {
            Outcome outcome = Outcome.of(command, "--help");
            assertThat(outcome.status()).as(command).isZero();
            assertThat(outcome.out()).startsWith("Usage: rote " + command);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--versoin|rote: unknown option --versoin; did you mean --version?",
                "trian|rote: unknown command trian; did you mean train?",
                "quite_else|rote: unknown command quite_else; see rote --help",
                "predict --weigths=w --input i --output o --weights v"
                        + "|rote: unknown option --weigths; did you mean --weights?",
                "doctor now|rote: unknown argument now; see rote doctor --help",
                "predict --weights w --input i --output o --threads many"
                        + "|rote: Invalid value for option '--threads': 'many' is not an int; see rote predict --help",
                "predict --weights w --input i --output o --device tpu"
                        + "|rote: Invalid value for option '--device': expected cpu or cuda or auto, found tpu; see rote"
                        + " predict --help",
                "predict --weights w --input i --output o --kernels cutlass"
                        + "|rote: Invalid value for option '--kernels': expected own or vendor, found cutlass; see rote"
                        + " predict --help",
                "predict --weights w --input i --output o --precision f16"
                        + "|rote: Invalid value for option '--precision': expected f32 or bf16, found f16; see rote"
                        + " predict --help",
            })
    void aWrongCommandLineGetsOneSentence(String line, String sentence) {
        Outcome outcome = Outcome.of((Object[]) line.split(" "));
        assertThat(outcome.err().strip()).isEqualTo(sentence);
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.out()).isEmpty();
    }

    @Test
    void withoutACommandItSaysWhichThereAre() {
        Outcome outcome = Outcome.of();
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.err())
                .startsWith("rote: expected a command (train, predict, study, audit, doctor")
                .hasLineCount(1);
    }

    @Test
    void theStackTraceIsShownOnlyWithDebug() {
        assertThat(Outcome.of("train", "none.toml", "--dry-run").err())
                .isEqualTo("rote: none.toml: expected a TOML file, found nothing there" + System.lineSeparator());
        assertThat(Outcome.of("--debug", "train", "none.toml", "--dry-run").err())
                .contains("\n\tat dev.rote.config.ConfigTree.read");
        assertThat(Outcome.of("train", "none.toml", "--dry-run", "--debug").err())
                .contains("\n\tat dev.rote.config.ConfigTree.read");
        assertThat(Outcome.of("train", "--nothing", "--debug").err()).contains("\n\tat picocli.");
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                Arguments.of(new DataException("f: bad"), 2, "rote: f: bad"),
                Arguments.of(new IllegalArgumentException("n: bad\n  twice"), 2, "rote: n: bad twice"),
                Arguments.of(new EnvironmentException("disk full"), 3, "rote: disk full"),
                Arguments.of(new DeviceException("no memory"), 3, "rote: no memory"),
                Arguments.of(new UncheckedIOException(new IOException("gone")), 3, "rote: java.io.IOException: gone"),
                Arguments.of(new IOException("gone"), 3, "rote: IOException: gone"),
                Arguments.of(
                        new OutOfMemoryError("Java heap space"),
                        3,
                        "rote: not enough memory (Java heap space); give Java more with ROTE_JAVA_OPTS=-Xmx..., or take"
                                + " fewer or smaller images"),
                Arguments.of(new NonFiniteException("loss is NaN"), 4, "rote: loss is NaN"),
                Arguments.of(new CancellationException(), 130, "rote: interrupted"),
                Arguments.of(new InterruptedException(), 130, "rote: interrupted"),
                Arguments.of(
                        new AssertionError("broken"),
                        1,
                        "rote: internal error (AssertionError: broken); please report it; use --debug for the stack"
                                + " trace"),
                Arguments.of(
                        new NullPointerException(),
                        1,
                        "rote: internal error (NullPointerException); please report it; use --debug for the stack"
                                + " trace"));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void everyFaultHasItsStatusAndOneSentence(Throwable fault, int status, String sentence) {
        var err = new ByteArrayOutputStream();
        assertThat(ExitStatus.report(fault, false, new PrintStream(err, true, StandardCharsets.UTF_8)))
                .isEqualTo(status);
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo(sentence + System.lineSeparator());
    }

    @Test
    void doctorShowsTheMachineAndThatThereIsNoGpu() {
        Assumptions.assumeFalse(Files.exists(Path.of("/proc/driver/nvidia/version")), "there is a GPU");
        Outcome outcome = Outcome.of("doctor");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out())
                .contains("java          " + Runtime.version())
                .containsPattern("(?m)^processor     .+, [0-9]+ cores")
                .containsPattern("(?m)^memory        [0-9.]+ [MGT]iB, of which [0-9.]+ [MGT]iB")
                .containsPattern("(?m)^disk          [0-9.]+ [KMGT]iB free in /")
                .contains("pictures      drawn with the program's own font")
                .containsPattern("(?m)^device cpu    cpu: [0-9]+ thread")
                .contains("device cuda   no NVIDIA driver on this machine")
                .containsPattern("(?m)^vendor        cuBLAS .+, cuDNN .+ \\(for --kernels vendor\\)$")
                .containsPattern("(?m)^kernels       [0-9]+ kernels for compute_80, sm_100, sm_80, sm_90a$");
    }
}
