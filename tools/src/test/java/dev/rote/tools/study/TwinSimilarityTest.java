package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.ConfigTree;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.Tensor;
import dev.rote.storage.TensorType;
import dev.rote.tools.report.Curve;
import dev.rote.tools.report.Quantity;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.RunStatus;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two models on disjoint blocks of images, from one study file.
class TwinSimilarityTest {
    private static final Quantity SIMILARITY = new Quantity.Metric("cosine_similarity@pixels", "");

    @TempDir
    Path folder;

    private static StudyFile study(String grid) {
        return StudyFile.of(ConfigTree.parse(
                "name = \"s\"\ndata.source = \"faces\"\ntrain.steps = 20\nmeasure.steps = [10, 20]\n[grid]\n" + grid,
                "s.toml"));
    }

    private static List<RunCurves> runs(StudyFile study) {
        return study.runs().stream()
                .map(run -> new RunCurves(
                        run.name(),
                        run.point(),
                        8,
                        new RunStatus(RunStatus.State.FINISHED, 20, 20, ""),
                        List.of(),
                        List.of(),
                        List.of(),
                        2))
                .toList();
    }

    /// Two images of two pixels; network units are those of pixels less the mean.
    private void samples(String run, int step, float mean, float... pixels) throws IOException {
        float[] planar = new float[4];
        for (int i = 0; i < 4; i++) {
            planar[i] = pixels[i] - mean;
        }
        Path file = folder.resolve("runs").resolve(run).resolve("samples").resolve(step + ".safetensors");
        Files.createDirectories(file.getParent());
        SafeTensors.write(
                file,
                List.of(
                        Tensor.ofFloats("samples", planar, 2, 1, 1, 2),
                        new Tensor("nearest", TensorType.I32, new long[] {2, 2}, MemorySegment.ofArray(new int[4])),
                        new Tensor("distance", TensorType.F64, new long[] {2, 2}, MemorySegment.ofArray(new double[] {
                            1, 2, 1, 2
                        }))),
                Map.of("mean", Float.toString(mean)),
                true);
    }

    @Test
    void theSecondBlockIsComparedWithTheFirst() throws IOException {
        StudyFile study = study("\"data.n\" = [8]\n\"data.index\" = [0, 1]\n");
        samples("n=8,index=0", 10, 0.5f, 1, 0, 0, 1);
        samples("n=8,index=1", 10, 0.25f, 1, 0, 1, 0);
        samples("n=8,index=0", 20, 0.5f, 0.6f, 0.8f, 0, 1);
        samples("n=8,index=1", 20, 0.25f, 0.8f, 0.6f, 0, 1);
        TwinSimilarity twins = new TwinSimilarity(folder);
        List<RunCurves> found = twins.added(study, runs(study));
        assertThat(found.getFirst().curve(SIMILARITY)).isEmpty();
        Curve curve = found.getLast().curve(SIMILARITY).orElseThrow();
        assertThat(curve.points().get(0).y())
                .as("one pair alike, one at right angles")
                .isCloseTo(0.5, within(1e-6));
        assertThat(curve.points().get(1).y()).isCloseTo((0.96 + 1) / 2, within(1e-6));
        assertThat(curve.points().get(1).high())
                .isGreaterThan(curve.points().get(1).y());
        assertThat(twins.problems()).isEmpty();
    }

    @Test
    void whatIsNotThereYetIsNotCompared() throws IOException {
        StudyFile study = study("\"data.n\" = [8]\n\"data.index\" = [0, 1]\n");
        samples("n=8,index=0", 10, 0.5f, 1, 0, 0, 1);
        List<RunCurves> runs = runs(study);
        assertThat(new TwinSimilarity(folder).added(study, runs)).isEqualTo(runs);
        StudyFile alone = study("\"data.n\" = [8, 16]\n");
        assertThat(new TwinSimilarity(folder).added(alone, runs)).isSameAs(runs);
    }

    @Test
    void aDamagedFileIsNamedAndLeftOut() throws IOException {
        StudyFile study = study("\"data.n\" = [8]\n\"data.index\" = [0, 1]\n");
        samples("n=8,index=0", 10, 0.5f, 1, 0, 0, 1);
        samples("n=8,index=1", 10, 0.5f, 1, 0, 0, 1);
        Files.writeString(folder.resolve("runs/n=8,index=1/samples/10.safetensors"), "x");
        TwinSimilarity twins = new TwinSimilarity(folder);
        assertThat(twins.added(study, runs(study)).getLast().curves()).isEmpty();
        assertThat(twins.problems()).singleElement().asString().contains("n=8,index=1", "10.safetensors");
    }
}
