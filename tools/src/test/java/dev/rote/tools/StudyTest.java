package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A study of two runs from the command line to the report.
class StudyTest {
    private static final String STUDY = """
            name = "tiny"
            [data]
            source = "builtin:fashion-mnist"
            size = 8
            gray = true
            test = 8
            [model]
            width = 8
            multipliers = [1, 2]
            [train]
            optimizer = "adam"
            batch = 4
            steps = 8
            log_every = 2
            [measure]
            steps = [4, 8]
            samples = 4
            sampler_steps = 3
            noise_draws = 2
            sheets = "last"
            [grid]
            "data.n" = [4, 8]
            """;

    @TempDir
    Path temp;

    private record Result(int status, String out, String err) {}

    private static Result rote(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Rote.run(
                args,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Result(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private Path study() throws IOException {
        return Files.writeString(temp.resolve("tiny.toml"), STUDY);
    }

    @Test
    void aStudyEndsInAReportAndDoesNothingTwice() throws IOException {
        String file = study().toString();
        Path folder = temp.resolve("out");
        Result first = rote("study", file, "--out", folder.toString());
        assertThat(first.status()).as(first.err()).isZero();
        assertThat(first.err()).contains("n=4: complete", "n=8: complete");
        assertThat(folder.resolve("report.html")).content().contains("n = 4", "n = 8", "not FID");
        assertThat(folder.resolve("curves.csv")).content().contains("f_mem[k=1/3]", "loss_test@0.01");
        assertThat(folder.resolve("figures").resolve("f_mem_k1_3.png")).exists();
        assertThat(folder.resolve("runs/n=8/samples/8-neighbours.png")).exists();

        byte[] records = Files.readAllBytes(folder.resolve("runs/n=4/metrics.jsonl"));
        Result second = rote("study", file, "--out", folder.toString());
        assertThat(second.status()).isZero();
        assertThat(Files.readAllBytes(folder.resolve("runs/n=4/metrics.jsonl"))).isEqualTo(records);
    }

    @Test
    void runsOfAnotherConfigurationAreRefusedAndNothingIsWritten() throws IOException {
        String file = study().toString();
        Path folder = temp.resolve("out");
        assertThat(rote("study", file, "--out", folder.toString()).status()).isZero();
        byte[] page = Files.readAllBytes(folder.resolve("report.html"));
        byte[] toml = Files.readAllBytes(folder.resolve("study.toml"));
        for (String option : new String[] {"--report-only", "--threads=1"}) {
            Result other = rote("study", file, "--out", folder.toString(), "--set", "train.lr=5e-4", option);
            assertThat(other.status()).isEqualTo(2);
            assertThat(other.err())
                    .contains("run.toml", "lr = 0.0001", "lr = 0.0005")
                    .doesNotContain("\tat ");
        }
        assertThat(Files.readAllBytes(folder.resolve("report.html"))).isEqualTo(page);
        assertThat(Files.readAllBytes(folder.resolve("study.toml"))).isEqualTo(toml);
    }

    @Test
    void aDeviceThatIsNotThereIsNotReplaced() throws IOException {
        Path folder = temp.resolve("out");
        Result result = rote("study", study().toString(), "--out", folder.toString(), "--set", "device=\"cuda\"");
        assertThat(result.status()).isEqualTo(3);
        assertThat(result.err()).contains("device \"cuda\"");
        assertThat(folder.resolve("runs/n=4/metrics.jsonl")).doesNotExist();
    }

    @Test
    void aRunThatCannotStartDoesNotStopTheOthers() throws IOException {
        Path folder = temp.resolve("out");
        Result result = rote("study", study().toString(), "--out", folder.toString(), "--set", "data.n=[4, 20000]");
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).contains("n=4: complete", "n=20000").doesNotContain("\tat ");
        assertThat(folder.resolve("report.html")).content().contains("failed");
    }

    @Test
    void aDryRunWritesNothing() throws IOException {
        Path folder = temp.resolve("out");
        Result result = rote("study", study().toString(), "--out", folder.toString(), "--dry-run");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).contains("n=4", "n=8", "2 runs");
        assertThat(folder).doesNotExist();
    }

    @Test
    void anUnknownStudyNamesTheNearest() {
        Result result = rote("study", "quikstart");
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).contains("did you mean quickstart");
    }
}
