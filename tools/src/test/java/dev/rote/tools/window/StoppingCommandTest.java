package dev.rote.tools.window;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.rote.config.RunConfig;
import dev.rote.errors.DataException;
import dev.rote.storage.JsonLines;
import dev.rote.tools.cli.Console;
import dev.rote.tools.study.RunRecord.Measured;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class StoppingCommandTest {
    private static final Path SCRIPT = Path.of("scripts", "stopping_records.py");

    @TempDir
    private Path folder;

    /// A study of recorded runs in files, whose ratios lie close to the threshold of 1/3.
    private Path study(String name, int... sizes) throws IOException {
        return study(name, "given by the test", 0, sizes);
    }

    /// @param exponent of tau_gen, which is 144 at n = 64
    private Path study(String name, String images, double exponent, int... sizes) throws IOException {
        Path study = folder.resolve(name);
        for (int n : sizes) {
            Path run = Files.createDirectories(study.resolve("runs").resolve("n=" + n));
            RunConfig config = Recorded.config(n, 0).with("data.source", '"' + images + '"');
            RecordedRun recorded = Recorded.run(config, 20 * Math.pow(n / 64.0, exponent));
            Files.writeString(run.resolve("run.toml"), recorded.config().toml());
            try (JsonLines log = JsonLines.append(run.resolve("metrics.jsonl"), false)) {
                log.write(Map.of("kind", "start", "step", 0, "device", "cpu"));
                for (Measured at : recorded.measured()) {
                    log.write(record(at));
                }
            }
        }
        return study;
    }

    private static Map<String, Object> record(Measured at) {
        Map<String, Object> record = new TreeMap<>();
        record.put("kind", "measure");
        record.put("step", at.step());
        record.put("samples", at.samples());
        record.put(
                "ratios",
                Arrays.stream(at.ratios())
                        .map(ratio -> ratio < 0.5 ? 0.33333 : 0.33334)
                        .boxed()
                        .toList());
        record.put(
                "frechet",
                Map.of("value", at.frechet().orElseThrow().value(), "features", at.features(), "low", 0, "high", 9));
        record.put(
                "losses",
                List.of(
                        loss(
                                0.01,
                                at.train().get(0.01).value(),
                                at.test().get(0.01).value()),
                        loss(0.1, 0.5, 0.5)));
        record.put("scores", List.of(Map.of("name", "kid", "space", "features", "value", 0.25)));
        return record;
    }

    private static Map<String, Object> loss(double time, double train, double test) {
        return Map.of("t", time, "train", Map.of("value", train), "test", Map.of("value", test));
    }

    private static String stopping(Object... words) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        Console console = Console.of(
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        int status = new CommandLine(new StoppingCommand(console))
                .execute(Arrays.stream(words).map(Object::toString).toArray(String[]::new));
        assertThat(status).as(err.toString(StandardCharsets.UTF_8)).isZero();
        return out.toString(StandardCharsets.UTF_8);
    }

    private static List<String> titles(String output) {
        return output.lines().filter(line -> line.startsWith("**")).toList();
    }

    @Test
    void printsATableOfEverythingThatThereIs() throws IOException {
        String output = stopping(study("many", 16, 32, 64, 256, 1024));
        assertThat(output).startsWith("5 runs, of which 5 passed 1 % of copies between two measurements; of ");
        assertThat(titles(output))
                .containsExactly(
                        "**Runs whose window is wider than a factor of 1.5**",
                        "**All runs**",
                        "**The rule before-memorization, part by part**",
                        "**Forecasts of tau_mem**",
                        "**Forecasts of tau_mem at n >= 1,024**",
                        "**Forecasts of tau_gen**");
        // one rule, one margin or several; nine rows of forecasts; each row as long as the head of its table
        assertThat(output).contains("| before-memorization | 5 | ", "| train loss plateau, 1 %");
        int columns = 0;
        for (String line : output.lines().toList()) {
            int found = line.split("\\|", -1).length;
            assertThat(columns > 1 && found > 1 ? found : columns).as(line).isEqualTo(columns);
            columns = found;
        }
    }

    /// tau_gen is the same at every n in these runs, without scatter; their images are of one kind.
    @Test
    void saysWhichPriorTheRunsWouldChoose() throws IOException {
        String output = stopping(study("many", 64, 128, 256, 1024), "--priors");
        assertThat(titles(output)).containsExactly("**Priors of tau_gen**");
        List<String> rows =
                output.lines().filter(line -> line.startsWith("| 0.")).toList();
        assertThat(rows).hasSize(6);
        assertThat(rows.getFirst()).startsWith("| 0.4 | 0.3 | 0.5 | in use | ");
        assertThat(rows.get(1)).startsWith("| 0.0 | 0.1 | 0.3 | best | ");
        List<Double> scores = rows.stream()
                .map(row -> Double.parseDouble(row.split("\\|")[6].strip()))
                .toList();
        assertThat(scores.subList(1, 6)).isSortedAccordingTo(Comparator.reverseOrder());
        assertThat(scores.getFirst()).isLessThan(scores.get(1));
    }

    /// One kind of images has the same tau_gen at every n, the other one that grows as n^0.8.
    @Test
    void priorsAreJudgedByImagesThatDidNotChooseThem() throws IOException {
        Path flat = study("flat", "flat.npy", 0, 64, 128, 256, 1024);
        Path growing = study("growing", "growing.npy", 0.8, 64, 128, 256, 1024);
        String output = stopping(flat, growing, "--priors");
        assertThat(titles(output))
                .containsExactly(
                        "**Priors of tau_gen**",
                        "**Priors of tau_gen, chosen without one kind of images and judged by it**");
        assertThat(output)
                .contains("| 0.8 | 0.1 | 0.3 | chosen without flat.npy, judged by it | ")
                .contains("| 0.0 | 0.1 | 0.3 | chosen without growing.npy, judged by it | ")
                .contains(" | in use, judged by flat.npy | ", " | in use, judged by growing.npy | ");
    }

    @Test
    void noPriorIsChosenByRunsWithoutForecasts() throws IOException {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        StoppingCommand command = CommandLine.populateCommand(
                new StoppingCommand(Console.of(nowhere, nowhere)),
                "--priors",
                study("one", 64).toString());
        assertThatThrownBy(command::call)
                .isInstanceOf(DataException.class)
                .hasMessageContaining("expected runs of one setting whose small ones forecast tau_gen");
    }

    @Test
    void printsNoTableOfNothing() throws IOException {
        assertThat(titles(stopping(study("one", 64))))
                .containsExactly("**Runs whose window is wider than a factor of 1.5**", "**All runs**");
        assertThat(titles(stopping(study("short", 8)))).containsExactly("**All runs**");
    }

    @Test
    void packedRecordsAreJudgedAlike() throws IOException, InterruptedException {
        assumeTrue(python("-c", "import sys, tomllib"), "needs Python 3.11 or newer");
        Path one = study("one", 16, 32);
        Path two = study("two", 64, 256);
        Path packed = folder.resolve("records.tar.xz");
        assertThat(python(SCRIPT, one, two, packed)).isTrue();
        byte[] bytes = Files.readAllBytes(packed);
        Files.setLastModifiedTime(one.resolve("runs/n=16/run.toml"), FileTime.fromMillis(0));
        assertThat(python(SCRIPT, two, one, packed)).isTrue();
        assertThat(Files.readAllBytes(packed)).isEqualTo(bytes);
        Path unpacked = folder.resolve("unpacked");
        assertThat(python(
                        "-c",
                        "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])",
                        packed,
                        unpacked))
                .isTrue();
        assertThat(stopping(unpacked.resolve("one"), unpacked.resolve("two"))).isEqualTo(stopping(one, two));
        String slim = Files.readString(unpacked.resolve("two/runs/n=64/metrics.jsonl"));
        assertThat(slim).doesNotContain("scores", "0.33333", "\"high\"", "\"t\":0.1,", "start");
        assertThat(python(SCRIPT, one, one, packed)).isFalse();
    }

    /// Whether a program ended well; what it says goes to a file.
    private boolean python(Object... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("python3"));
        Arrays.stream(words).map(Object::toString).forEach(command::add);
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(folder.resolve("python.txt").toFile())
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false; // no Python
        }
    }
}
