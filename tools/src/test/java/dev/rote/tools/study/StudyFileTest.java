package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.errors.DataException;
import dev.rote.tools.study.StudyFile.Analysis.Generation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class StudyFileTest {
    private static final String HEAD = """
            name = "sweep"
            data.source = "faces"
            train.steps = 100
            """;

    private static StudyFile study(String more) {
        return StudyFile.of(ConfigTree.parse(HEAD + more, "s.toml"));
    }

    private static List<String> names(StudyFile study) {
        return study.runs().stream().map(Grid.Run::name).toList();
    }

    static List<String> bundled() {
        return BundledStudies.names();
    }

    @Test
    void theRunsAreTheProductWithTheLastKeyFastest() {
        StudyFile study = study("[grid]\n\"data.n\" = [64, 16]\ntrain.lr = [1e-3]\nseed = [0, 1]\n");
        assertThat(names(study))
                .containsExactly(
                        "n=64,lr=0.001,seed=0", "n=64,lr=0.001,seed=1", "n=16,lr=0.001,seed=0", "n=16,lr=0.001,seed=1");
        Grid.Run third = study.runs().get(2);
        assertThat(third.config().data().n()).isEqualTo(16);
        assertThat(third.config().seed()).isZero();
        assertThat(third.config().name()).isEqualTo("n=16,lr=0.001,seed=0");
        assertThat(third.point())
                .containsExactly(Map.entry("data.n", "16"), Map.entry("train.lr", "0.001"), Map.entry("seed", "0"));
        assertThat(study.grid().size()).isEqualTo(4);
        assertThat(study.grid().keys()).containsExactly("data.n", "train.lr", "seed");
    }

    @Test
    void zippedListsAdvanceTogetherAndSlowest() {
        StudyFile study = study("[grid]\nseed = [0, 1]\n[zip]\n\"model.width\" = [16, 32]\n\"data.n\" = [8, 9]\n");
        assertThat(names(study))
                .containsExactly(
                        "width=16,n=8,seed=0", "width=16,n=8,seed=1", "width=32,n=9,seed=0", "width=32,n=9,seed=1");
        assertThat(study.runs().get(2).config().model().width()).isEqualTo(32);
        assertThat(study.runs().get(2).config().data().n()).isEqualTo(9);
    }

    /// Values may come back where lists advance together, as n does for every width; rows may not.
    @Test
    void zippedValuesMayComeBack() {
        StudyFile study = study("[zip]\n\"model.width\" = [8, 8, 16]\n\"data.n\" = [4, 8, 4]\n");
        assertThat(names(study)).containsExactly("width=8,n=4", "width=8,n=8", "width=16,n=4");
        assertThatThrownBy(() -> study("[zip]\n\"model.width\" = [8, 16, 8]\n\"data.n\" = [4, 8, 4]\n"))
                .isInstanceOf(DataException.class)
                .hasMessageEndingWith("model.width, data.n: expected different values, found 8, 4 twice");
    }

    @Test
    void aStudyWithoutAGridIsOneRun() {
        assertThat(names(study(""))).containsExactly("run");
    }

    @Test
    void folderNamesAreSafeAndDifferent() {
        StudyFile study = study("[grid]\n\"data.source\" = ['/a/B', '\\a\\b', 'ü', '..']\n"
                + "\"model.multipliers\" = [[1, 2], [1]]\n\"train.steps\" = [50]\n\"diffusion.steps\" = [200]\n");
        assertThat(names(study)).doesNotHaveDuplicates().allMatch(name -> name.matches("[A-Za-z0-9._=,+-]+"));
        assertThat(names(study).stream().map(String::toLowerCase)).doesNotHaveDuplicates();
        assertThat(names(study).getFirst()).isEqualTo("source=a-B,multipliers=1-2,train.steps=50,diffusion.steps=200");
    }

    @Test
    void theRunsDifferInNothingButTheirPoint() {
        List<Grid.Run> runs = study("[grid]\nseed = [3, 4]\n").runs();
        RunConfig first = runs.get(0).config().with("seed", "4").with("name", "seed=4");
        assertThat(first).isEqualTo(runs.get(1).config());
    }

    @Test
    void theAnalysisHasDefaultsAndAcceptsARoundedRatio() {
        assertThat(study("").analysis())
                .isEqualTo(new StudyFile.Analysis(
                        List.of(0.01, 0.1, 0.5),
                        "data.n",
                        1.0 / 3,
                        List.of(1.0, 3.0, 8.0),
                        0,
                        Generation.MEASURED,
                        ""));
        assertThat(study("[analysis]\nk = 0.3333\nfit = 'model.width'\nthresholds = [0.2]\n"
                                + "generation_time = 'fitted'\n")
                        .analysis())
                .isEqualTo(new StudyFile.Analysis(
                        List.of(0.2), "model.width", 1.0 / 3, List.of(1.0, 3.0, 8.0), 0, Generation.FITTED, ""));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "grid     | data.indx = [1]         | [grid]: unknown key data.indx: did you mean data.index?",
                "grid     | learning_rate = [1]    | [grid]: unknown key learning_rate: did you mean train.lr?",
                "grid     | seed = 3               | [grid]: seed: expected a list of values, found the integer 3",
                "grid     | seed = []              | [grid]: seed: expected at least one value, found an empty list",
                "grid     | seed = [1, 2, 1]       | [grid]: seed: expected different values, found the integer 1 twice",
                "grid     | train.lr = [1, 1.0]    | [grid]: train.lr: expected different values, found the number 1.0 twice",
                "grid     | \"data.n\" = [4, 'x']  | [grid]: data.n: expected an integer, found the string \"x\"",
                "grid     | data.size = [8, 9]     | [grid]: data.size: expected a multiple of 4, because model.multipliers has 3 levels, found 9",
                "grid     | name = ['a']           | [grid]: name: expected another key, because each run is named after its values, found name",
                "zip      | seed = [1, 2], x = 1   | column",
                "zip      | seed = [1, 2, 1]       | [zip]: seed: expected different values, found 1 twice",
                "analysis | multiples = [3, 1]     | analysis.multiples: expected growing numbers above 0, found [3.0, 1.0]",
                "analysis | large_time = -1        | analysis.large_time: expected 0 or a number of updates, found -1.0",
                "analysis | generation_time = 'C/W' | analysis.generation_time: expected one of \"measured\", \"fitted\", found the string \"C/W\"",
                "analysis | paper = 'favero'       | analysis.paper: expected \"bonnaire-2025\" or nothing, found \"favero\"",
                "analysis | fit = 'data.indx'         | analysis.fit: unknown key data.indx: did you mean data.index?",
                "analysis | threshold = [1]        | unknown key analysis.threshold: did you mean analysis.thresholds?",
                "analysis | thresholds = [1]       | analysis.thresholds: expected fractions above 0 and below 1, found 1.0",
                "analysis | thresholds = []        | analysis.thresholds: expected one or more different fractions, found []",
                "analysis | k = 0.4                | analysis.k: expected one of measure.k [0.3333333333333333, 0.5, 0.25], found 0.4",
            })
    void aMistakeIsOneSentenceWithItsLine(String table, String line, String sentence) {
        assertThatThrownBy(() -> study("[" + table + "]\n" + line + "\n"))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("s.toml: line 5")
                .hasMessageEndingWith(
                        sentence.equals("column") ? "ended. Invalid value preceding this position?" : ": " + sentence);
    }

    @Test
    void mistakesAcrossTablesAreFound() {
        assertThatThrownBy(() -> study("[zip]\nseed = [1, 2]\n\"data.n\" = [3]"))
                .isInstanceOf(DataException.class)
                .hasMessage("s.toml: line 6: [zip]: data.n: expected as many values as seed (2), found 1");
        assertThatThrownBy(() -> study("[grid]\nseed = [1, 2]\n[zip]\nseed = [3]"))
                .isInstanceOf(DataException.class)
                .hasMessageEndingWith("[zip]: seed: expected a key that is not in [grid] too, found seed");
        assertThatThrownBy(() -> study("[grid]\n\"data.n\" = [1]\ndata.n = [2]"))
                .isInstanceOf(DataException.class)
                .hasMessageEndingWith("[grid]: data.n: expected each key once, found data.n twice");
        assertThatThrownBy(() -> study("grid = 3"))
                .isInstanceOf(DataException.class)
                .hasMessage("s.toml: line 4: grid: expected a table of dotted keys and lists, found the integer 3");
        assertThatThrownBy(() -> study("[grdi]\nseed = [1]"))
                .isInstanceOf(DataException.class)
                .hasMessage("s.toml: line 4: unknown key grdi: did you mean grid?");
        assertThatThrownBy(() -> StudyFile.of(ConfigTree.parse("data.source = 'x'", "s.toml")))
                .isInstanceOf(DataException.class)
                .hasMessage("s.toml: name: expected a string (the key is required), found nothing");
    }

    @Test
    void aGridOfAMillionRunsIsRefusedAtOnce() {
        String hundred =
                java.util.stream.IntStream.range(0, 100).boxed().toList().toString();
        assertThatThrownBy(() ->
                        study("[grid]\nseed = " + hundred + "\n\"data.index\" = " + hundred + "\nthreads = " + hundred))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("at most 100000 runs");
    }

    @Test
    void theCommandLineReplacesWhatTheGridVaries() {
        ConfigTree tree = ConfigTree.parse(HEAD + "[grid]\n\"data.n\" = [8, 16]\ntrain.lr = [1e-3, 1e-4]\n", "s.toml");
        tree = StudyFile.with(tree, "data.n", "32");
        tree = StudyFile.with(tree, "train.lr", "[1, 2, 3]");
        tree = StudyFile.with(tree, "train.steps", "7");
        StudyFile study = StudyFile.of(tree);
        assertThat(names(study)).containsExactly("n=32,lr=1", "n=32,lr=2", "n=32,lr=3");
        assertThat(study.runs().getFirst().config().train().steps()).isEqualTo(7);
        ConfigTree wrong = StudyFile.with(tree, "data.n", "many");
        assertThatThrownBy(() -> StudyFile.of(wrong))
                .isInstanceOf(DataException.class)
                .hasMessage("command line: [grid]: data.n: expected an integer, found the string \"many\"");
    }

    @Test
    void oneValueForAZippedKeyStandsInEveryRow() {
        ConfigTree tree = ConfigTree.parse(
                HEAD.replace("train.steps = 100\n", "") + "[zip]\n\"data.n\" = [8, 16]\n\"train.steps\" = [10, 20]\n",
                "s.toml");
        StudyFile study = StudyFile.of(StudyFile.with(tree, "train.steps", "7"));
        assertThat(names(study)).containsExactly("n=8,steps=7", "n=16,steps=7");
    }

    @ParameterizedTest
    @MethodSource("bundled")
    void theTextOfABundledStudyIsThatStudy(String name) {
        ConfigTree tree = StudyFile.with(StudyFile.tree(name), "train.lr", "7e-4");
        StudyFile study = StudyFile.of(tree);
        String text = StudyText.of(study, tree);
        assertReproduces(text, study);
        assertThat(text).contains("0.0007", "momentum = ");
    }

    /// Defaults differ from family to family, so they cannot be spelt out for all runs.
    @Test
    void theTextOfAStudyOverFamiliesIsThatStudy() {
        ConfigTree tree = ConfigTree.parse(HEAD + """
                description = "über \\"families\\""
                measure.steps = { from = 10, per_decade = 4 }
                [grid]
                "model.family" = ["unet-study1", "unet-iddpm"]
                [zip]
                "data.n" = [8, 16]
                model.attention = [[16, 8], []]
                "train.lr" = [1e-5, 2]
                [analysis]
                k = 0.25
                thresholds = [0.2, 0.05]
                fit = "train.lr"
                multiples = [0.5, 4]
                large_time = 50
                generation_time = "fitted"
                paper = "bonnaire-2025"
                """, "s.toml");
        StudyFile study = StudyFile.of(tree);
        assertReproduces(StudyText.of(study, tree), study);
    }

    private static void assertReproduces(String text, StudyFile study) {
        StudyFile again = StudyFile.of(ConfigTree.parse(text, "study.toml"));
        assertThat(again.runs()).isEqualTo(study.runs());
        assertThat(again.analysis()).isEqualTo(study.analysis());
        assertThat(again.name()).isEqualTo(study.name());
        assertThat(again.description()).isEqualTo(study.description());
    }

    @ParameterizedTest
    @MethodSource("bundled")
    void everyBundledStudyIsValid(String name) {
        StudyFile study = StudyFile.find(name);
        assertThat(study.name()).isEqualTo(name);
        assertThat(study.description()).isNotBlank();
        assertThat(study.runs()).isNotEmpty();
        assertThat(names(study)).doesNotHaveDuplicates();
    }

    /// Where a file says how much it is, as in `6 runs, 56 000 updates`, it is right.
    @ParameterizedTest
    @MethodSource("bundled")
    void theCountsInACommentAreTheStudys(String name) {
        Matcher said = Pattern.compile("(\\d+) runs, ([\\d ]+) updates")
                .matcher(BundledStudies.text(name).orElseThrow());
        if (said.find()) {
            StudyFile study = StudyFile.find(name);
            assertThat(study.runs()).hasSize(Integer.parseInt(said.group(1)));
            assertThat(updates(study)).isEqualTo(Long.parseLong(said.group(2).replace(" ", "")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"n", "width", "guidance"})
    void theMixtureHasAStudyForAnHourInBetween(String what) {
        String name = "study1/mixture-" + what;
        StudyFile hour = StudyFile.find(name + "-hour");
        assertThat(updates(hour)).isBetween(updates(StudyFile.find(name + "-small")), updates(StudyFile.find(name)));
        assertThat(hour.runs())
                .allSatisfy(run ->
                        assertThat(run.config().train().optimizer().word()).isEqualTo("adam"));
    }

    private static long updates(StudyFile study) {
        return study.runs().stream()
                .mapToLong(run -> run.config().train().steps())
                .sum();
    }

    /// More images are copied later, so of runs that differ in n the larger is never the shorter.
    @ParameterizedTest
    @MethodSource("bundled")
    void runsOfLargerNAreNotShorter(String name) {
        Map<List<Object>, List<RunConfig>> settings = StudyFile.find(name).runs().stream()
                .map(Grid.Run::config)
                .sorted(Comparator.comparingInt(run -> run.data().n()))
                .collect(Collectors.groupingBy(run -> List.of(
                        run.model().width(),
                        run.train().optimizer(),
                        run.train().batch(),
                        run.seed())));
        settings.forEach((setting, runs) -> assertThat(
                        runs.stream().map(run -> run.train().steps()).toList())
                .as(setting + " of " + name)
                .isSorted());
    }

    @Test
    void theQuickStartIsBundled() {
        assertThat(BundledStudies.names()).contains("quickstart");
        StudyFile study = StudyFile.find("quickstart");
        assertThat(names(study)).startsWith("n=16,steps=2000,seed=0", "n=16,steps=2000,seed=1");
        assertThat(study.runs().stream().map(run -> run.config().data().n()).distinct())
                .containsExactly(16, 32, 64, 128);
        assertThat(study.runs().stream()
                        .map(run -> run.config()
                                .train()
                                .effectiveBatch(run.config().data().n()))
                        .distinct())
                .containsExactly(32);
    }

    /// A sub-folder of bundled studies is part of their names.
    @Test
    void aStudyOfASubFolderIsFoundByFolderAndName() {
        assertThat(BundledStudies.names()).contains("study1/n-sweep-small").doesNotContain("n-sweep-small");
        assertThat(StudyFile.find("study1/n-sweep-small").name()).isEqualTo("study1/n-sweep-small");
        for (String name :
                List.of("study1", "study1/", "/quickstart", "study1/../quickstart", "study1//n-sweep-small")) {
            assertThat(BundledStudies.text(name)).as(name).isEmpty();
        }
        assertThatThrownBy(() -> StudyFile.find("study1/n-sweep-smal"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("(did you mean study1/n-sweep-small?)");
    }

    @ParameterizedTest
    @CsvSource({"/a", "a/", "a//b", "a/../b", "../a", "a/.b"})
    void aNameIsAFolderBelowTheOneOfAllStudies(String name) {
        ConfigTree tree = ConfigTree.parse(HEAD.replace("sweep", name), "s.toml");
        assertThatThrownBy(() -> StudyFile.of(tree))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("/ between folders");
    }

    @Test
    void aPathIsReadAndAnUnknownNameSaysWhatThereIs(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("my.toml"), HEAD);
        assertThat(StudyFile.find(file.toString()).name()).isEqualTo("sweep");
        assertThatThrownBy(() -> StudyFile.find("quikstart"))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith(
                        "quikstart: expected a study file or a bundled study (did you mean quickstart?), found neither")
                .hasMessageMatching(
                        ".*; bundled are quickstart, smoke, \\d+ of stopping/\\.\\.\\., \\d+ of study1/\\.\\.\\. "
                                + "\\(rote study --help names them\\)");
        assertThatThrownBy(() -> StudyFile.find("a\0b")).isInstanceOf(DataException.class);
    }
}
