package dev.rote.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The family `mlp-mixture`, mixtures as data, labels that are dropped, guidance and `kl`.
class MixtureConfigTest {
    private static final String HEAD = """
            data.source = "builtin:gaussian-mixture?d=16"
            model.family = "mlp-mixture"
            train.steps = 100
            train.label_drop = 0.0
            measure.metrics = ["memorized_fraction", "loss@0.01"]
            """;

    @Test
    void theFamilyHasItsOwnDefaultsAndWritesItsOwnKeysOnly() {
        RunConfig run = RunConfig.parse(HEAD, "run.toml");
        assertThat(run.model().width()).isEqualTo(128);
        assertThat(run.model().blocks()).isEqualTo(3);
        assertThat(run.toml())
                .contains("family = \"mlp-mixture\"")
                .doesNotContain("multipliers", "label_drop", "guidance");
        assertThat(RunConfig.parse(run.toml(), "again")).isEqualTo(run);
        RunConfig guided = RunConfig.parse(
                HEAD.replace("drop = 0.0", "drop = 0.1") + "model.classes = 2\nmeasure.guidance = 0.3\n", "run.toml");
        assertThat(RunConfig.parse(guided.toml(), "again")).isEqualTo(guided);
        assertThat(guided.hash()).isNotEqualTo(run.hash());
        assertThat(guided.with("model.width", "64").model().width()).isEqualTo(64);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "model.heads = 4 | model.heads: expected no such key for family \"mlp-mixture\", whose keys are family, width, blocks, eps, classes, found the integer 4",
                "model.width = 7 | model.width: expected an even number (half sines, half cosines), found 7",
                "data.gray = true | data: expected no size, gray, flip or range for the points of a mixture, which are no pictures, found \"builtin:gaussian-mixture?d=16\"",
                "measure.guidance = 1 | measure.guidance: expected 0 unless train.label_drop is above 0, so that the network knows images without a label, found 1.0",
                "measure.guidance = -1 | measure.guidance: expected a weight from 0 to 100, found -1.0",
            })
    void whatDoesNotFitIsOneSentence(String line, String sentence) {
        assertThatThrownBy(() -> RunConfig.parse(HEAD + line + "\n", "run.toml"))
                .isInstanceOf(DataException.class)
                .hasMessageEndingWith(": " + sentence);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "drop = 0.0 | drop = 0.5 | train.label_drop: expected 0 unless model.classes is set, found 0.5",
                "mlp-mixture | unet-study1 | model.family: expected \"mlp-mixture\" for the points of a mixture, found unet-study1",
                "loss@0.01 | frechet | measure.metrics: expected only memorized_fraction, kl and loss@T for the points of a mixture, found \"frechet\"",
                "loss@0.01 | kl | measure.sampler: expected \"ddpm\" for kl, which follows the samples' noise through all time indices, found \"ddim\"",
            })
    void whatDoesNotFitTogetherIsOneSentenceToo(String from, String to, String sentence) {
        assertThatThrownBy(() -> RunConfig.parse(HEAD.replace(from, to), "run.toml"))
                .isInstanceOf(DataException.class)
                .hasMessageEndingWith(": " + sentence);
    }

    @Test
    void theDivergenceNeedsAllIndicesOneDensityAndADensityThatIsKnown() {
        String ancestral = HEAD.replace("loss@0.01", "kl") + "measure.sampler = \"ddpm\"\n";
        assertThatThrownBy(() -> RunConfig.parse(ancestral, "run.toml"))
                .hasMessageEndingWith(
                        ": measure.sampler_steps: expected diffusion.steps (1000) for kl, which needs all "
                                + "time indices, found 50");
        String all = ancestral + "measure.sampler_steps = 1000\n";
        assertThat(RunConfig.parse(all, "run.toml").measure().metrics()).contains(new Metric.KullbackLeibler());
        assertThatThrownBy(() -> RunConfig.parse(all + "model.classes = 2\n", "run.toml"))
                .hasMessageEndingWith(
                        ": measure.metrics: expected no kl for a network with classes, whose samples have "
                                + "no one density, found model.classes = 2");
        assertThatThrownBy(() -> RunConfig.parse(all.replace("builtin:gaussian-mixture?d=16", "faces"), "run.toml"))
                .hasMessageEndingWith(
                        ": measure.metrics: expected no kl unless data.source is a mixture whose density is "
                                + "known, found \"faces\"");
    }
}
