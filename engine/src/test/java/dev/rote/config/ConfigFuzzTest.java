package dev.rote.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.errors.DataException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ConfigFuzzTest {
    private static final int FILES = 10_000;
    private static final List<String> PIECES = List.of(
            "[",
            "]",
            "{",
            "}",
            "\"",
            "'",
            "=",
            ".",
            ",",
            "#",
            "\n",
            "\\",
            "\"\"\"",
            "'''",
            "[[",
            "1e999999999",
            "-",
            "nan",
            "0x",
            "9".repeat(400),
            "\u0000",
            "é",
            "\ud800",
            "1979-05-27T07:32:00Z",
            "[[[[[[[[",
            "{a=",
            "\\u12",
            "\r",
            "_");

    /// A copy of `text` with one to three places changed.
    private static String mutated(String text, SplittableRandom random) {
        var out = new StringBuilder(text);
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
            int at = random.nextInt(out.length());
            int end = Math.min(out.length(), at + random.nextInt(1, 12));
            switch (random.nextInt(6)) {
                case 0 -> out.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                case 1 -> out.delete(at, end);
                case 2 -> out.setCharAt(at, (char) random.nextInt(0x80));
                case 3 -> out.insert(at, out.substring(at, end));
                case 4 -> out.replace(at, end, PIECES.get(random.nextInt(PIECES.size())));
                default -> out.setCharAt(at, (char) ('0' + random.nextInt(10)));
            }
            if (out.isEmpty()) {
                out.append('x');
            }
        }
        return out.toString();
    }

    @Test
    void aDamagedFileIsReadOrRefusedAndNothingElse() {
        int read = 0;
        int refused = 0;
        for (int seed = 0; seed < FILES; seed++) {
            String text = mutated(RunConfigTest.FULL, new SplittableRandom(seed));
            try {
                RunConfig run = RunConfig.parse(text, "damaged.toml");
                assertThat(RunConfig.parse(run.toml(), "again"))
                        .as("seed %d", seed)
                        .isEqualTo(run);
                assertThat(run.measurementSteps()).as("seed %d", seed).isSorted();
                read++;
            } catch (DataException e) {
                assertThat(e.getMessage())
                        .as("seed %d", seed)
                        .startsWith("damaged.toml: ")
                        .doesNotContain("\n");
                refused++;
            }
        }
        assertThat(read).as("files that are still good").isGreaterThan(100);
        assertThat(refused).as("files that are refused").isGreaterThan(3000);
    }

    @Test
    void anyTextOnTheCommandLineIsReadOrRefusedAndNothingElse() {
        RunConfig good = RunConfig.parse(RunConfigTest.FULL, "full");
        List<String> keys = RunConfig.keys();
        for (int seed = 0; seed < FILES / 3; seed++) {
            var random = new SplittableRandom(seed);
            String key = keys.get(random.nextInt(keys.size()));
            String value = mutated(
                    List.of("64", "[1, 2]", "\"a\"", "adam", "{ a = 1 }").get(seed % 5), random);
            try {
                good.with(random.nextInt(20) == 0 ? mutated(key, random) : key, value);
            } catch (DataException e) {
                assertThat(e.getMessage()).as("seed %d", seed).doesNotContain("\n");
            }
        }
    }
}
