package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.ConfigTree;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Which runs are trained as one program.
class ReplicaGroupsTest {
    private static List<Integer> sizes(String grid, String more, int most) {
        return sizes(grid, more, most, 1);
    }

    private static List<Integer> sizes(String grid, String more, int most, int jobs) {
        StudyFile study = StudyFile.of(ConfigTree.parse("""
                name = "groups"
                device = "cpu"
                data.source = "builtin:fashion-mnist"
                data.size = 8
                data.n = 16
                model.width = 8
                train.batch = 16
                train.steps = 100
                %s
                [grid]
                %s
                """.formatted(more, grid), "s.toml"));
        return ReplicaGroups.of(study.runs(), most, jobs).stream()
                .map(List::size)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "seed = [0, 1, 2]",
                "\"data.n\" = [16, 32, 64]",
                "\"data.index\" = [0, 1, 2]",
                "\"train.lr\" = [0.1, 0.2, 0.3]",
                "\"train.steps\" = [50, 60, 70]",
                "\"measure.samples\" = [8, 16, 32]"
            })
    void whatIsANumberToAnUpdateIsNoOtherShape(String grid) {
        assertThat(sizes(grid, "", 16)).containsExactly(3);
        assertThat(sizes(grid, "", 2)).containsExactly(2, 1);
        assertThat(sizes(grid, "", 1)).containsExactly(1, 1, 1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"model.width\" = [8, 16]",
                "\"train.batch\" = [8, 16]",
                "\"train.optimizer\" = [\"sgd\", \"adam\"]",
                "\"train.precision\" = [\"f32\", \"bf16\"]",
                "\"data.size\" = [8, 16]"
            })
    void othersStayApart(String grid) {
        assertThat(sizes(grid, "", 16)).containsExactly(1, 1);
    }

    /// Where the batch is at most n, runs of fewer images have another.
    @Test
    void aBatchThatFollowsTheImagesIsAShape() {
        assertThat(sizes("\"data.n\" = [8, 16, 32]", "train.batch_limit_n = true", 16))
                .containsExactly(1, 2);
    }

    /// A batch takes all images where there are fewer, and how many those are depends on what is kept for tests.
    @Test
    void allImagesThatThereAreMayBeFewerThanABatch() {
        assertThat(sizes("\"data.test\" = [0, 10]", "", 16)).containsExactly(2);
        assertThat(sizes("\"data.test\" = [0, 10]\n\"data.n\" = [0]", "", 16)).containsExactly(1, 1);
    }

    /// A twin's samples are read when a run is opened.
    @Test
    void whatIsComparedWithATwinFollowsIt() {
        assertThat(sizes("\"data.index\" = [0, 1]\n\"measure.twin\" = [\"elsewhere\"]", "", 16))
                .containsExactly(1, 1);
    }

    /// On a CPU a member has one thread.
    @Test
    void everyJobOfACpuGetsItsShare() {
        String seeds = "seed = [0, 1, 2, 3, 4]";
        assertThat(sizes(seeds, "", 16, 2)).containsExactly(3, 2);
        assertThat(sizes(seeds, "", 2, 2)).containsExactly(2, 2, 1);
        assertThat(sizes(seeds, "", 16, 8)).hasSize(5);
    }

    /// The order of the first of each.
    @Test
    void groupsKeepTheOrderOfRuns() {
        assertThat(sizes("seed = [0, 1, 2]\n\"model.width\" = [8, 16]", "", 2)).containsExactly(2, 1, 2, 1);
    }

    /// Where the command does not say: sixteen narrow U-Nets by Rote's own kernels on a GPU, else each alone.
    @ParameterizedTest
    @CsvSource({
        "cuda, 8, own, true",
        "cuda, 16, own, true",
        "cuda, 32, own, false",
        "cuda, 8, vendor, false",
        "cpu, 8, own, false"
    })
    void narrowNetworksShareAGpuUnlessToldOtherwise(String device, int width, String kernels, boolean shared) {
        StudyFile study = StudyFile.of(ConfigTree.parse(
                """
                name = "groups"
                device = "%s"
                kernels = "%s"
                data.source = "builtin:fashion-mnist"
                data.size = 8
                data.n = 16
                model.width = %d
                train.batch = 16
                train.steps = 100
                [grid]
                seed = [%s]
                """.formatted(
                        device,
                        kernels,
                        width,
                        IntStream.range(0, 20).mapToObj(Integer::toString).collect(Collectors.joining(", "))),
                "s.toml"));
        List<Integer> expected = shared ? List.of(16, 4) : Collections.nCopies(20, 1);
        assertThat(ReplicaGroups.of(study.runs(), ReplicaGroups.USUAL, 1))
                .extracting(List::size)
                .containsExactlyElementsOf(expected);
    }
}
