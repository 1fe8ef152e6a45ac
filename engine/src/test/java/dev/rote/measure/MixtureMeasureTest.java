package dev.rote.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.metrics.MixtureDensity;
import dev.rote.metrics.PixelFeatures;
import dev.rote.storage.JsonLines;
import dev.rote.train.Generator;
import dev.rote.train.MixtureRun;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A measured run on the mixture, with its divergence.
class MixtureMeasureTest {
    @TempDir
    Path temp;

    private static RunConfig config() {
        return MixtureRun.config("")
                .with("measure.metrics", "[\"memorized_fraction\", \"kl\", \"loss@0.1\"]")
                .with("data.source", "\"builtin:gaussian-mixture\"")
                .with("data.n", "128")
                .with("measure.samples", "256")
                .with("measure.batch", "64")
                .with("train.steps", "600")
                .with("train.lr", "6e-4")
                .with("model.width", "64")
                .with("measure.steps", "[0, 600]");
    }

    private List<JsonNode> measurements(RunConfig config, String name) throws InterruptedException {
        Path folder = temp.resolve(name);
        try (Device device = CpuDevice.open(2);
                TrainingData data = MixtureRun.data(config);
                MeasuredRun run = MeasuredRun.open(
                        device, config, data, new PixelFeatures(8), folder, Map.of(), RunListener.silent())) {
            assertThat(run.run()).isTrue();
        }
        return JsonLines.read(folder.resolve("metrics.jsonl")).stream()
                .filter(record -> record.path("kind").asString("").equals("measure"))
                .map(JsonNode.class::cast)
                .toList();
    }

    /// Before training the network knows nothing of the data; after 600 updates samples lie in the clouds. (Seen: 3.0;
    /// it goes on falling to about 0.1 at 1,000.)
    @Test
    void theDivergenceFallsWithTrainingAndStandsInTheRecords() throws InterruptedException {
        List<JsonNode> found = measurements(config(), "run");
        JsonNode before = found.get(0).path("scores").get(0);
        JsonNode after = found.get(1).path("scores").get(0);
        assertThat(before.path("name").asString()).isEqualTo("kl");
        assertThat(before.path("space").asString()).isEqualTo("points");
        assertThat(before.path("value").asDouble()).isGreaterThan(50);
        double value = after.path("value").asDouble();
        assertThat(value).isBetween(-0.5, 6.0);
        assertThat(after.path("low").asDouble()).isLessThan(value);
        assertThat(after.path("high").asDouble()).isGreaterThan(value);
        JsonNode fraction = found.get(1).path("memorized_fraction").get(0);
        assertThat(fraction.path("k").asDouble()).isCloseTo(1.0 / 3, within(1e-9));
    }

    /// What was subtracted from the data is added to the samples again before their density is taken.
    @Test
    void centeringDoesNotChangeWhatIsMeasured() {
        MixtureDensity density = new MixtureDensity(2, OptionalInt.empty());
        float[] entropy = {0.5f, 0.75f};
        Measurement.Score plain =
                new Divergence(density, 0).of(new Generator.Drawn(new float[] {1, 2, -1, 0}, entropy), 0.95);
        Measurement.Score centered = new Divergence(density, 0.5f)
                .of(new Generator.Drawn(new float[] {0.5f, 1.5f, -1.5f, -0.5f}, entropy), 0.95);
        assertThat(centered).isEqualTo(plain);
        assertThat(plain.value()).isCloseTo(0.75345, within(1e-4));
    }
}
