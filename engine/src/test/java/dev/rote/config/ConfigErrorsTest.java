package dev.rote.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigErrorsTest {
    /// Line 1 to 6 of every text; what is under test is line 7 and later.
    private static final String HEAD = """
            # a run
            name = "r"
            [data]
            source = "faces"
            [train]
            steps = 100
            """;

    private static void assertMessage(String text, String message) {
        assertThatThrownBy(() -> RunConfig.parse(text, "run.toml"))
                .isInstanceOf(DataException.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "learning_rate = 1            | unknown key train.learning_rate: did you mean train.lr?",
                "batch_size = 1               | unknown key train.batch_size: did you mean train.batch?",
                "momentun = 1                 | unknown key train.momentun: did you mean train.momentum?",
                "wramup = 1                   | unknown key train.wramup: did you mean train.warmup?",
                "seed = 1                     | unknown key train.seed: did you mean seed?",
                "sampler = 1                  | unknown key train.sampler: did you mean measure.sampler?",
                "width = 1                    | unknown key train.width: did you mean model.width?",
                "'data.n' = 1                 | unknown key train.\"data.n\": write data.n without quotes, outside any table",
                "lr = '1'                     | train.lr: expected a finite number, found the string \"1\"",
                "lr = nan                     | train.lr: expected a finite number, found the number NaN",
                "lr = 0                       | train.lr: expected a finite number above 0, found 0.0",
                "batch = 64.0                 | train.batch: expected an integer (write 64), found the number 64.0",
                "batch = 1e999999999          | train.batch: expected an integer, found the number 1E+999999999",
                "batch = 64.5                 | train.batch: expected an integer, found the number 64.5",
                "batch = 3000000000           | train.batch: expected an integer of at most 32 bits, found the integer 3000000000",
                "batch = 30000000000000000000 | train.batch: expected an integer of at most 64 bits, found the integer 30000000000000000000",
                "batch = 0                    | train.batch: expected an integer from 1 to 16777216, found 0",
                "batch = []                   | train.batch: expected an integer, found an empty list",
                "batch_limit_n = 1            | train.batch_limit_n: expected true or false, found the integer 1",
                "optimizer = 'adma'           | train.optimizer: expected one of \"sgd\", \"adam\", \"adamw\", found the string \"adma\"",
                "momentum = 1                 | train.momentum: expected a number from 0 up to, but not, 1, found 1.0",
                "warmup = 101                 | train.warmup: expected an integer from 0 to 100, found 101",
                "accumulate = 65              | train.accumulate: expected an integer from 1 to 64, found 65",
                "eps = 1e-50                  | train.eps: expected 0 or a number of a magnitude from 1e-45 to 3.4e38, which 32 bits can hold, found 1e-50",
                "lr = 1e39                    | train.lr: expected 0 or a number of a magnitude from 1e-45 to 3.4e38, which 32 bits can hold, found 1e39",
                "precision = 'tf32'           | train.precision: expected \"f32\" or \"bf16\" as long as device is \"cpu\", found \"tf32\"",
            })
    void aMistakeInATableIsOneSentenceWithItsLine(String line, String sentence) {
        assertMessage(HEAD + line + "\n", "run.toml: line 7: " + sentence);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "model     | groups = 5                       | model.groups: expected a divisor of every level's 32 channels, found 5",
                "model     | heads = 3                        | model.heads: expected a divisor of the 64 channels that attention works on, found 3",
                "model     | attention = 3                    | model.attention: expected a list of resolutions or { coarsest = COUNT }, found the integer 3",
                "model     | attention = { finest = 1 }       | unknown key model.attention.finest: the keys of model.attention are coarsest",
                "model     | multipliers = [1, 'a']           | model.multipliers: expected an integer, found the string \"a\"",
                "model     | multipliers = []                 | model.multipliers: expected an integer from 1 to 10, found 0",
                "model     | eps = nan                        | model.eps: expected a finite number, found the number NaN",
                "model     | eps = inf                        | model.eps: expected a finite number, found the number Infinity",
                "model     | eps = -1e-5                      | model.eps: expected a finite number above 0, found -1e-5",
                "model     | eps = 1e-60                      | model.eps: expected 0 or a number of a magnitude from 1e-45 to 3.4e38, which 32 bits can hold, found 1e-60",
                "diffusion | steps = 1001                     | diffusion.steps: expected at most 1000 with model.family \"unet-study1\", whose time table has as many rows, found 1001",
                "diffusion | beta_end = 1e-5                  | diffusion.beta_end: expected a number from beta_start (0.0001) up to, but not, 1, found 1e-5",
                "diffusion | last_index = 1000                | diffusion.last_index: expected an integer from first_index (1) to steps - 1 (999), found 1000",
                "measure   | metrics = ['fid']                | measure.metrics: expected \"memorized_fraction\", \"frechet\", \"loss@T\" with a diffusion time T, \"cosine_similarity\", \"kl\" or one of calibrated_l2, authpct, c_t, nearest_distance, cosine_to_nearest, prdc, fd_infinity, kid, sliced_wasserstein, fls, with @pixels or @features after it if need be, found \"fid\"",
                "measure   | calibrated_neighbours = 1        | measure.calibrated_neighbours: expected an integer from 2 to 64, found 1",
                "measure   | calibrated_alpha = 0.0           | measure.calibrated_alpha: expected a number above 0, at most 1, found 0.0",
                "measure   | metrics = ['kid@pixel']          | measure.metrics: expected \"memorized_fraction\", \"frechet\", \"loss@T\" with a diffusion time T, \"cosine_similarity\", \"kl\" or one of calibrated_l2, authpct, c_t, nearest_distance, cosine_to_nearest, prdc, fd_infinity, kid, sliced_wasserstein, fls, with @pixels or @features after it if need be, found \"kid@pixel\"",
                "measure   | metrics = ['loss@0']             | measure.metrics: expected a diffusion time above 0, at most 100, after loss@, found 0.0",
                "measure   | metrics = ['frechet', 'frechet'] | measure.metrics: expected different values, found Frechet[] twice",
                "measure   | steps = { to = 3 }               | measure.steps.from: expected an integer (the key is required), found nothing",
                "measure   | steps = [1, 101]                 | measure.steps: expected at most train.steps (100), found 101",
                "measure   | steps = { from = 1, to = 200 }   | measure.steps.to: expected at most train.steps (100), found 200",
                "measure   | steps = { from = 101 }           | measure.steps.from: expected at most train.steps (100), found 101",
                "measure   | steps = 'all'                    | measure.steps: expected a list of integers or { from, to, per_decade }, found the string \"all\"",
                "measure   | sheets = [7]                     | measure.sheets: expected steps that are measured, found 7",
                "measure   | sampler_steps = 2000             | measure.sampler_steps: expected at most diffusion.steps (1000), found 2000",
                "measure   | sampler_steps = 1                | measure.sampler_steps: expected at least 2, found 1",
                "measure   | bootstrap = 0                    | measure.bootstrap: expected an integer from 1 to 1000000, found 0",
                "measure   | k = [0.5, 1]                     | measure.k: expected ratios above 0 and below 1, found 1.0",
                "trian     | x = 1                            | unknown key trian: did you mean train?",
            })
    void aMistakeInAnotherTableToo(String table, String line, String sentence) {
        int at = table.equals("trian") ? 7 : 8;
        assertMessage(HEAD + "[" + table + "]\n" + line + "\n", "run.toml: line " + at + ": " + sentence);
    }

    @Test
    void aMistakeInTheDataNamesItsLine() {
        String tail = "[train]\nsteps = 1";
        assertMessage(
                "[data]\nsize = 15\nsource = 'x'\n" + tail,
                "run.toml: line 2: data.size: expected a multiple of 4, "
                        + "because model.multipliers has 3 levels, found 15");
        assertMessage(
                "[data]\nsize = 32\nsource = 'x'\n[model]\nattention = [16, 12]\n" + tail,
                "run.toml: line 5: model.attention: expected sides that occur, for images of 32 pixels [32, 16, 8], "
                        + "found 12");
        assertMessage(
                "[data]\nrange = [1, 0]\nsource = 'x'\n" + tail,
                "run.toml: line 2: data.range: expected [low, high] with low < high, found [1.0, 0.0]");
        assertMessage(
                "[data]\nrange = [1]\nsource = 'x'\n" + tail,
                "run.toml: line 2: data.range: expected a list of two numbers, found a list");
        assertMessage(
                "[data]\nindex = 1\nsource = 'x'\n" + tail,
                "run.toml: line 2: data.index: expected 0 as long as data.n is 0, found 1");
        assertMessage(
                "[data]\nn = 1\nsource = 'x'\n" + tail,
                "run.toml: line 2: data.n: expected at least 2 for "
                        + "memorized_fraction, which needs two neighbours, found 1");
    }

    @Test
    void aWarmUpThatLeavesNothingToTheCosineIsAnError() {
        assertMessage(
                HEAD + "lr_schedule = 'cosine'\nwarmup = 100\n",
                "run.toml: line 8: train.warmup: expected less than train.steps (100), because the cosine schedule "
                        + "begins after the warm-up, found 100");
        assertThat(RunConfig.parse(HEAD + "warmup = 100\n", "run.toml").train().warmup())
                .isEqualTo(100);
    }

    @Test
    void anAbsentRequiredKeyIsNamed() {
        assertMessage("", "run.toml: data.source: expected a string (the key is required), found nothing");
        assertMessage(
                "[data]\nsource = 'x'",
                "run.toml: train.steps: expected an integer (the key is required), found nothing");
        assertMessage(
                "[data]\nn = 4",
                "run.toml: line 1: data.source: expected a string (the key is required), found nothing");
    }

    @Test
    void aSectionThatIsNoTableIsAnError() {
        assertMessage("data = 3", "run.toml: line 1: data: expected a table, found the integer 3");
        assertMessage(
                "data.source = 'x'\n[[train]]\nsteps = 3", "run.toml: line 2: train: expected a table, found a list");
    }

    @Test
    void aNameThatIsNoFolderNameIsAnError() {
        assertMessage(
                HEAD.replace("\"r\"", "\"a/b\""),
                "run.toml: line 2: name: expected 1 to 200 letters, digits and . _ - + = , beginning with a letter or digit, "
                        + "found \"a/b\"");
    }

    @Test
    void aWordLikeNoOtherGetsTheListOfKeys() {
        assertMessage(
                HEAD + "[diffusion]\nqqqqqqqqqqqqqq = 1",
                "run.toml: line 8: unknown key diffusion.qqqqqqqqqqqqqq: the keys of "
                        + "diffusion are schedule, steps, beta_start, beta_end, objective, first_index, last_index, fixed_index");
    }

    @Test
    void brokenTomlGivesLineAndColumn() {
        assertThatThrownBy(() -> RunConfig.parse("a = 1\nb = 2 c", "run.toml"))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("run.toml: line 2, column 7: expected valid TOML, found: ");
        assertThatThrownBy(() -> RunConfig.parse("a = 1\na = 2\n", "run.toml"))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("run.toml: line 2: ")
                .hasMessageContaining("Duplicate key");
    }

    @Test
    void linesAreRightAfterMultiLineValues() {
        assertMessage("""
                [data]
                source = \"\"\"
                n = [
                faces\"\"\"
                range = [   # a ]
                  0.0,
                  1.0 ]
                n = "x"
                """, "run.toml: line 8: data.n: expected an integer, found the string \"x\"");
        assertMessage(
                "[measure]\nsteps.from = 1\n\nsteps.per_decade = 0\n[data]\nsource = '#['\n[train]\nsteps=1",
                "run.toml: line 4: measure.steps.per_decade: expected an integer from 1 to 1000, found 0");
    }

    @Test
    void longAndStrangeValuesAreShortenedToOneLine() {
        assertThatThrownBy(() -> RunConfig.parse(HEAD + "batch = \"\"\"a\nb" + "x".repeat(5000) + "\"\"\"", "run.toml"))
                .isInstanceOf(DataException.class)
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(200).doesNotContain("\n"));
    }

    @Test
    void filesThatAreNoTextAreNamed(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("run.toml");
        assertThatThrownBy(() -> RunConfig.read(file))
                .isInstanceOf(DataException.class)
                .hasMessage(file + ": expected a TOML file, found nothing there");
        assertThatThrownBy(() -> RunConfig.read(folder))
                .isInstanceOf(DataException.class)
                .hasMessage(folder + ": expected a TOML file, found a folder");
        Files.write(file, new byte[] {'a', (byte) 0xff});
        assertThatThrownBy(() -> RunConfig.read(file))
                .isInstanceOf(DataException.class)
                .hasMessage(file + ": expected UTF-8 text, found other bytes");
        Files.write(file, new byte[(1 << 20) + 1]);
        assertThatThrownBy(() -> RunConfig.read(file))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("at most 1 MiB");
        Files.writeString(file, HEAD);
        assertThat(RunConfig.read(file).name()).isEqualTo("r");
    }

    @Test
    void theNearestWordIsTheOneWithFewestEdits() {
        assertThat(Nearest.distance("kitten", "sitting")).isEqualTo(3);
        assertThat(Nearest.distance("wramup", "warmup")).isEqualTo(1);
        assertThat(Nearest.distance("", "abc")).isEqualTo(3);
        assertThat(Nearest.to("Sttep", List.of("stop", "step"))).contains("step");
        assertThat(Nearest.to("zzz", List.of("stop", "step"))).isEmpty();
    }
}
