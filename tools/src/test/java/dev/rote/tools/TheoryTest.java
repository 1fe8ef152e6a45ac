package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TheoryTest {
    @TempDir
    Path folder;

    private Outcome theory(Object... words) {
        Object[] all = new Object[words.length + 5];
        all[0] = "theory";
        System.arraycopy(words, 0, all, 1, words.length);
        all[words.length + 1] = "--out";
        all[words.length + 2] = folder.resolve("out");
        all[words.length + 3] = "--threads";
        all[words.length + 4] = "1";
        return Outcome.of(all);
    }

    private JsonNode json() throws IOException {
        return JsonMapper.shared().readTree(Files.readString(folder.resolve("out/theory.json")));
    }

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("file.toml"), text);
    }

    @Test
    void aSpectrumAgreesWithItsTheory() throws IOException {
        Outcome outcome = theory(
                "spectrum",
                "--set",
                "model.psi_p=[8]",
                "--set",
                "model.psi_n=[3]",
                "--set",
                "features.draws=20",
                "--set",
                "seeds=1",
                "--set",
                "model.d=60");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out())
                .startsWith("Theory and its Gaussian equivalent: ")
                .contains("Of the features themselves, with 20 noises per point, it is ", "report: ");
        JsonNode spectra = json().path("spectra");
        assertThat(spectra.size()).isEqualTo(2);
        for (JsonNode spectrum : spectra) {
            assertThat(spectrum.path("total").asDouble()).isCloseTo(1, within(1e-3));
            assertThat(spectrum.path("inert").asDouble()).isCloseTo(0.5, within(1e-3));
            assertThat(spectrum.path("distribution_distance").asDouble()).isLessThan(0.03);
            assertThat(spectrum.path("features_distance").asDouble()).isBetween(1e-4, 0.03);
        }
        String report = Files.readString(folder.resolve("out/report.html"));
        assertThat(report).contains("bulk 1", "Constants of the theory").doesNotContain("src=\"http", "href=\"http");
        assertThat(folder.resolve("out/eigenvalues.csv")).isRegularFile();
        assertThat(picture("spectrum_identity_t_0.01_psi_p_8_psi_n_3").getWidth())
                .isEqualTo(1200);
        assertThat(picture("bulk_1_identity_t_0.01_psi_p_8_psi_n_3").getWidth()).isEqualTo(1200);
    }

    /// Power laws and the covariance of images: Theorem 3.1 has no closed form there.
    @Test
    void aSpectrumOfAnyCovarianceAgreesWithItsTheory() throws IOException {
        Outcome outcome =
                theory("covariances", "--set", "model.d=36", "--set", "law.images.size=6", "--set", "model.psi_p=[8]");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        JsonNode spectra = json().path("spectra");
        assertThat(spectra.size()).isEqualTo(3);
        for (JsonNode spectrum : spectra) {
            assertThat(spectrum.path("total").asDouble()).isCloseTo(1, within(2e-3));
            assertThat(spectrum.path("distribution_distance").asDouble()).isLessThan(0.01);
            assertThat(spectrum.path("features_distance").isMissingNode()).isTrue();
        }
    }

    @Test
    void memorizationComesLaterWithMoreTrainingPoints() throws IOException {
        Outcome outcome = theory("dynamics", "--set", "model.d=30", "--set", "model.psi_p=[32]", "--set", "seeds=2");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        JsonNode root = json();
        assertThat(root.path("trainings").size()).isEqualTo(6);
        double before = 0;
        for (JsonNode training : root.path("trainings")) {
            if (training.path("seed").asInt() == 0) {
                assertThat(training.path("half_l_gen").asDouble()).isGreaterThan(before);
                before = training.path("half_l_gen").asDouble();
                assertThat(training.path("least_e_score").asDouble()).isBetween(0.02, 0.2);
            }
        }
        assertThat(exponent(root, "l_gen_at_level").path("exponent").asDouble()).isBetween(1.0, 2.2);
        assertThat(exponent(root, "half_l_gen").path("exponent").asDouble()).isBetween(0.5, 1.1);
        JsonNode exponent = exponent(root, "least_e_score");
        assertThat(exponent.path("exponent").asDouble()).isBetween(-0.8, -0.35);
        assertThat(exponent.path("low").asDouble())
                .isLessThan(exponent.path("exponent").asDouble());
        assertThat(Files.readString(folder.resolve("out/report.html"))).contains("−0.59", "scaling_l_gen_at_level");
        assertThat(picture("losses_over_tau_mem").getHeight()).isEqualTo(800);
        assertThat(Files.readAllLines(folder.resolve("out/losses.csv")).getFirst())
                .isEqualTo("law,t,psi_p,psi_n,seed,tau,train,test,e_score");
    }

    /// The file in the folder repeats the numbers.
    @Test
    void theWrittenFileRepeatsTheComputation() throws IOException {
        String[] small = {"--set", "model.d=12", "--set", "model.psi_p=[6]", "--set", "seeds=1"};
        assertThat(theory(
                                "tails",
                                small[0],
                                small[1],
                                small[2],
                                small[3],
                                small[4],
                                small[5],
                                "--set",
                                "law.images.size=3",
                                "--set",
                                "model.d=9",
                                "--set",
                                "features.test_points=200")
                        .status())
                .isZero();
        JsonNode first = json();
        Path again = Files.copy(folder.resolve("out/theory.toml"), folder.resolve("again.toml"));
        assertThat(theory(again).status()).isZero();
        assertThat(json()).isEqualTo(first);
        assertThat(first.path("trainings").size()).isEqualTo(7 * 3);
        assertThat(Files.readString(folder.resolve("out/report.html"))).contains("is not known for other data");
    }

    @Test
    void gradientDescentFollowsTheClosedForm() throws IOException {
        Outcome outcome = theory(
                "descent",
                "--device",
                "cpu",
                "--set",
                "model.d=12",
                "--set",
                "model.psi_p=[6]",
                "--set",
                "descent.steps=1500");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(json().path("largest_difference_from_closed_form").asDouble())
                .isLessThan(0.02);
        assertThat(picture("descent").getWidth()).isEqualTo(1200);
    }

    @Test
    void adamTrainsToTheSameEnd() throws IOException {
        Outcome outcome = theory(
                "adam",
                "--device",
                "cpu",
                "--set",
                "model.d=12",
                "--set",
                "model.psi_p=[6]",
                "--set",
                "descent.steps=3000",
                "--set",
                "model.t=[0.1]",
                "--set",
                "seeds=1");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).contains("L_gen collapses best in steps/n^");
        String[] last = Files.readAllLines(folder.resolve("out/losses.csv")).stream()
                .filter(line -> line.contains(",3000.0,"))
                .findFirst()
                .orElseThrow()
                .split(",");
        double train = Double.parseDouble(last[6]);
        assertThat(train).isLessThan(0.9);
    }

    @Test
    void theMapShowsWhereTheModelMemorizes() throws IOException {
        Outcome outcome =
                theory("map", "--set", "model.d=16", "--set", "model.psi_p=[2,8,16]", "--set", "model.psi_n=[1,4,16]");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        JsonNode cells = json().path("maps").path(0).path("l_gen");
        assertThat(cells.size()).isEqualTo(2 * 3 * 3);
        assertThat(value(cells, 1e4, 16, 1)).isGreaterThan(5 * value(cells, 1e4, 16, 16));
        assertThat(value(cells, 1e4, 16, 4)).isGreaterThan(value(cells, 1e3, 16, 4));
        assertThat(picture("map_gaussian_t0.1_tau1000").getWidth()).isGreaterThan(300);
        assertThat(Files.readString(folder.resolve("out/report.html"))).contains("data:image/png;base64,");
    }

    private static double value(JsonNode cells, double tau, double psiP, double psiN) {
        for (JsonNode cell : cells) {
            if (cell.path("tau").asDouble() == tau
                    && cell.path("psi_p").asDouble() == psiP
                    && cell.path("psi_n").asDouble() == psiN) {
                return cell.path("value").asDouble();
            }
        }
        throw new AssertionError("no such cell");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spectrum",
                "covariances",
                "dynamics",
                "times",
                "variance",
                "minimum",
                "descent",
                "adam",
                "map",
                "tails"
            })
    void everyBundledComputationSaysWhatItTakes(String name) {
        for (String each : new String[] {name, name + "-full"}) {
            Outcome outcome = theory(each, "--dry-run", "--device", "cpu");
            assertThat(outcome.status()).as(outcome.err()).isZero();
            assertThat(outcome.out()).matches("(?s)" + each + ": \\d+ models, about .* on 1 threads\\s*");
        }
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "kind = 'heat'|line 2: kind: expected one of \"spectrum\", \"dynamics\", \"descent\", \"map\", found the string \"heat\"",
                "kind = 'map'~sedes = 2|line 3: unknown key sedes: did you mean seeds?",
                "kind = 'map'~seeds = 0|line 3: seeds: expected 1 or more, found the integer 0",
                "kind = 'map'~[model]~psi_p = []|line 4: model.psi_p: expected one or more different numbers above 0",
                "kind = 'map'~[model]~activation = 'relu'|expected one of tanh, erf, sine, arctan, found \"relu\"",
                "kind = 'map'~[features]~draws = 3|features.draws: expected 0, because maps are computed by the Gaussian",
                "kind = 'dynamics'~[descent]~steps = 3|descent: kind \"dynamics\" has no such key",
                "kind = 'dynamics'~[time]~at = [1]|time.at: kind \"dynamics\" has no such key",
                "kind = 'dynamics'~[law.x]~degrees_of_freedom = 2|law.x.degrees_of_freedom: expected 3 or more",
                "kind = 'dynamics'~[law.x]~degrees_of_freedom = 4|features.draws: expected 1 or more, because the Gaussian",
                "kind = 'dynamics'~[law.x]~exponent = 4|covariance \"identity\" knows no such key; it has variance",
                "kind = 'descent'~[model]~psi_p = [1, 2]|model.psi_p: expected one number",
                "kind = 'dynamics'~[model]~d = 7~[law.x]~covariance = 'images'|expected images of 7 pixels, as model.d says, found 10 x 10",
                "description = 'x'|kind: expected one of spectrum, dynamics, descent, map, found nothing"
            })
    void badFilesAreNamedInOneSentence(String text, String message) throws IOException {
        Outcome outcome = theory(file("name = \"x\"\n" + text.replace('~', '\n').replace('\'', '"')));
        assertThat(outcome.err()).contains(message);
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void aMissingGpuIsSaidBeforeAnythingIsComputed() {
        Assumptions.assumeFalse(Files.exists(Path.of("/proc/driver/nvidia/version")), "there is a GPU");
        for (String name : List.of("spectrum", "descent")) {
            Outcome outcome = theory(name, "--device", "cuda");
            assertThat(outcome.status()).isEqualTo(3);
            assertThat(outcome.err()).startsWith("rote: device \"cuda\": ").doesNotContain("seed 0");
        }
    }

    @Test
    void whatIsNoComputationIsNamed() throws IOException {
        assertThat(theory("spectra").err()).contains("did you mean spectrum?", "bundled are: spectrum, spectrum-full");
        assertThat(theory("map", "--set", "nothing").err()).contains("--set: expected KEY=VALUE, found nothing");
        Files.writeString(folder.resolve("out"), "mine");
        Outcome outcome = theory("map");
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.err()).contains("expected a folder, found a file");
        assertThat(Files.readString(folder.resolve("out"))).isEqualTo("mine");
    }

    @Test
    void aRateThatIsTooLargeIsSaidToBe() throws IOException {
        Outcome outcome = theory(
                "descent",
                "--device",
                "cpu",
                "--set",
                "model.d=12",
                "--set",
                "model.psi_p=[6]",
                "--set",
                "descent.steps=3000",
                "--set",
                "descent.lr=1e6");
        assertThat(outcome.status()).isEqualTo(4);
        assertThat(outcome.err()).contains("take a smaller descent.lr than 1000000.0");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    private static JsonNode exponent(JsonNode root, String quantity) {
        for (JsonNode fit : root.path("exponents")) {
            if (fit.path("quantity").asString().equals(quantity)) {
                return fit;
            }
        }
        throw new AssertionError("no exponent of " + quantity);
    }

    private BufferedImage picture(String id) throws IOException {
        return ImageIO.read(folder.resolve("out/" + id + ".png").toFile());
    }
}
