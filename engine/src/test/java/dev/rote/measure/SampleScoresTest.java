package dev.rote.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.Metric;
import dev.rote.config.RunConfig;
import dev.rote.config.SampleMetric;
import dev.rote.data.Dataset;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.errors.DataException;
import dev.rote.metrics.Authenticity;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.metrics.KernelDistance;
import dev.rote.metrics.NearestNeighbours;
import dev.rote.metrics.Prdc;
import dev.rote.metrics.Rows;
import dev.rote.metrics.SampleMetrics;
import dev.rote.storage.JsonLines;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Metrics of samples in the loop.
class SampleScoresTest {
    private static final int COUNT = 24;
    private static final String ALL = "[\"calibrated_l2\", \"authpct\", \"c_t\", \"nearest_distance\","
            + " \"cosine_to_nearest\", \"prdc\", \"fd_infinity\", \"kid\", \"sliced_wasserstein\", \"fls\","
            + " \"prdc@pixels\", \"authpct@features\"]";

    @TempDir
    Path temp;

    @Test
    void allOfThemAreMeasuredInTheirSpaces() throws InterruptedException {
        List<Map<String, Double>> found = run(config(ALL), "all");
        assertThat(found).hasSize(2);
        // 24 samples in 3 cells: C_T only where one holds more than 20 of them.
        assertThat(found.getFirst().keySet())
                .contains(
                        "calibrated_l2@pixels",
                        "authpct@pixels",
                        "authpct@features",
                        "nearest_distance@pixels",
                        "close@pixels",
                        "cosine_to_nearest@pixels",
                        "precision@features",
                        "recall@features",
                        "density@features",
                        "coverage@features",
                        "precision@pixels",
                        "fd_infinity@features",
                        "kid@features",
                        "sliced_wasserstein@features",
                        "fls@features")
                .doesNotContain("calibrated_l2@features", "kid@pixels");
        assertThat(run(config(ALL).with("measure.c_t_cells", "1"), "one").getFirst())
                .containsKey("c_t@pixels");
    }

    @Test
    void theyAreThoseOfTheStoredSamplesAndTheSameEachTime() throws InterruptedException {
        RunConfig config = config("[\"memorized_fraction\", \"authpct\", \"prdc\", \"kid\"]");
        List<Map<String, Double>> found = run(config, "first");
        assertThat(run(config, "second")).isEqualTo(found);
        FeatureExtractor extractor = FeatureExtractor.standIn(8, 8, 1);
        try (TrainingData data = TinyRun.data(COUNT, COUNT)) {
            Rows training = unit(data.train());
            Rows samples = stored(temp.resolve("first/samples/7.safetensors"), config);
            var own = NearestNeighbours.searchItself(training, 1, 1);
            double authentic = Authenticity.of(NearestNeighbours.search(samples, training, 1, 1), own)
                    .value();
            assertThat(found.getFirst().get("authpct@pixels")).isCloseTo(100 * authentic, within(1e-12));
            Rows real = extractor.features(unit(data.test()), 1);
            Rows drawn = extractor.features(samples, 1);
            Prdc expected = Prdc.of(real, drawn, 5, 1);
            assertThat(found.getFirst().get("recall@features")).isEqualTo(expected.recall());
            assertThat(found.getFirst().get("density@features")).isCloseTo(expected.density(), within(1e-12));
            assertThat(found.getFirst().get("kid@features"))
                    .isCloseTo(KernelDistance.of(real, drawn, config.seed(), 1).value(), within(1e-7));
        }
    }

    @Test
    void tooFewSamplesAreNamedBeforeTraining() {
        RunConfig few = config("[\"kid\"]").with("measure.samples", "19");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> run(few, "few"))
                .withMessage("measure.metrics: expected at least 20 samples, as many real images to compare with and 4"
                        + " training images for [KID], found 19 samples, 24 training and 24 test images");
    }

    @Test
    void whatNeedsHeldOutImagesSaysSo() {
        assertThatThrownBy(() -> TinyRun.config("").with("measure.metrics", "[\"fls\"]"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("data.test: expected at least 1 for fls, which needs held-out images, found 0");
        assertThatThrownBy(() -> TinyRun.config("").with("measure.metrics", "[\"cosine_similarity\"]"))
                .isInstanceOf(DataException.class)
                .hasMessageEndingWith(
                        "measure.twin: expected the folder of a run for cosine_similarity, found nothing");
    }

    /// A run and its exact twin draw the same images; one that learned at another rate draws others.
    @Test
    void theSimilarityToATwinIsOneWhereBothAreTheSame() throws InterruptedException {
        run(config("[\"memorized_fraction\"]"), "twin");
        RunConfig same = config("[]")
                .with("measure.twin", temp.resolve("twin").toString())
                .with("measure.metrics", "[\"cosine_similarity\"]");
        assertThat(run(same, "same").getLast().get("cosine_similarity@pixels")).isCloseTo(1, within(1e-6));
        assertThat(run(same.with("train.lr", "1e-2"), "other").getLast().get("cosine_similarity@pixels"))
                .isBetween(0.0, 0.9999);
        RunConfig nobody = same.with("measure.twin", temp.resolve("nobody").toString());
        assertThatThrownBy(() -> run(nobody, "alone"))
                .isInstanceOf(DataException.class)
                .hasMessageEndingWith("nobody: expected a run that has been measured at the same steps with sheets ="
                        + " \"all\", found no samples of step 7");
    }

    @Test
    void wordsAndKindsAgreeAndAreWrittenAsTheyWereRead() {
        for (SampleMetric word : SampleMetric.values()) {
            SampleMetrics.Kind kind = SampleMetrics.Kind.valueOf(word.name());
            assertThat(kind.needsHeldOut()).as(word.word()).isEqualTo(word.needsHeldOut());
        }
        assertThat(SampleMetrics.Kind.values()).hasSameSizeAs(SampleMetric.values());
        RunConfig config =
                config("[\"kid\", \"kid@pixels\", \"authpct@pixels\"]").with("measure.prdc_neighbours", "3");
        assertThat(config.measure().metrics().stream().map(Metric::word))
                .containsExactly("kid", "kid@pixels", "authpct");
        assertThat(RunConfig.parse(config.toml(), "again")).isEqualTo(config);
        assertThat(config("[\"kid\"]").toml()).doesNotContain("prdc_neighbours");
    }

    private static RunConfig config(String metrics) {
        return TinyRun.config("")
                .with("data.n", COUNT + "")
                .with("data.test", COUNT + "")
                .with("measure.samples", COUNT + "")
                .with("measure.metrics", metrics);
    }

    /// Scores of each measurement by name and space.
    private List<Map<String, Double>> run(RunConfig config, String name) throws InterruptedException {
        Path folder = temp.resolve(name);
        try (Device device = CpuDevice.open(2);
                TrainingData data = TinyRun.data(COUNT, COUNT);
                MeasuredRun run = MeasuredRun.open(
                        device,
                        config,
                        data,
                        FeatureExtractor.standIn(8, 8, 1),
                        folder,
                        Map.of(),
                        RunListener.silent())) {
            assertThat(run.run()).isTrue();
        }
        List<Map<String, Double>> found = new ArrayList<>();
        JsonLines.read(folder.resolve("metrics.jsonl")).forEach(record -> {
            if (record.path("kind").asString("").equals("measure")) {
                Map<String, Double> scores = new TreeMap<>();
                for (JsonNode score : record.path("scores")) {
                    String key = score.path("name").asString() + "@"
                            + score.path("space").asString();
                    scores.put(key, score.path("value").asDouble());
                }
                found.add(scores);
            }
        });
        return found;
    }

    private static Rows unit(Dataset data) {
        float[] values = new float[data.count() * 64];
        for (int i = 0; i < data.count(); i++) {
            System.arraycopy(data.image(i), 0, values, i * 64, 64);
        }
        return Rows.of(values, 64);
    }

    private static Rows stored(Path path, RunConfig config) {
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            float[] values = file.floats("samples"); // one channel: planar is interleaved
            float low = (float) config.data().low();
            float span = (float) config.data().high() - low;
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.clamp((values[i] - low) / span, 0f, 1f);
            }
            return Rows.of(values, 64);
        }
    }
}
