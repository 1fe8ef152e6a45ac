package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.ConfigTree;
import dev.rote.errors.DataException;
import dev.rote.measure.Measurement;
import dev.rote.tools.report.RunStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyRunnerTest {
    @TempDir
    Path folder;

    @Test
    void anErrorInARunIsAFailureAndNotACompleteStudy() throws InterruptedException {
        StudyFile study = StudyFile.of(ConfigTree.parse("""
                name = "sweep"
                data.source = "builtin:fashion-mnist"
                train.steps = 1
                [grid]
                "data.n" = [4, 8]
                """, "s.toml"));
        var runner = new StudyRunner(study, folder, 1, 1, Map.of(), new StudyRunner.Progress() {
            @Override
            public void changed(Grid.Run run, RunStatus status, Optional<Measurement> measurement) {
                assertThat(status.state()).isEqualTo(RunStatus.State.FAILED);
            }

            @Override
            public void detail(Grid.Run run, String text) {
                throw new OutOfMemoryError("as if");
            }
        });
        assertThat(runner.run()).isFalse();
        assertThat(runner.failures()).containsOnlyKeys("n=4", "n=8");
        assertThat(runner.failures().values()).allMatch(failure -> failure instanceof OutOfMemoryError);
    }

    /// Three seeds, two of them as one program; each ends with the records and the weights that it has alone.
    @Test
    void seedsTrainedAsOneProgramAreTheRunsTheyAreAlone() throws InterruptedException, IOException {
        StudyFile study = seeds(30);
        Path together = folder.resolve("together");
        Path alone = folder.resolve("alone");
        assertThat(new StudyRunner(study, together, 2, 1, 2, Map.of(), QUIET).run())
                .isTrue();
        assertThat(new StudyRunner(study, alone, 1, 1, Map.of(), QUIET).run()).isTrue();
        for (int seed = 0; seed < 3; seed++) {
            Path run = Path.of("runs", "seed=" + seed);
            assertThat(measured(together.resolve(run))).hasSize(2).isEqualTo(measured(alone.resolve(run)));
            Path weights = run.resolve("checkpoints").resolve("30.safetensors");
            assertThat(together.resolve(weights)).hasSameBinaryContentAs(alone.resolve(weights));
        }
        assertThat(measured(together.resolve("runs/seed=0"))).isNotEqualTo(measured(together.resolve("runs/seed=1")));
    }

    /// Numbers of images and learning rates, three runs as one program, which end one after the other.
    @Test
    void runsOfOtherImagesTrainedAsOneProgramAreTheRunsTheyAreAlone() throws InterruptedException, IOException {
        StudyFile study = study(30, """
                "data.n" = [8, 12]
                "train.lr" = [1e-3, 3e-3]
                """);
        Path together = folder.resolve("together");
        Path alone = folder.resolve("alone");
        assertThat(ReplicaGroups.of(study.runs(), 3, 1)).extracting(List::size).containsExactly(3, 1);
        assertThat(new StudyRunner(study, together, 1, 1, 3, Map.of(), QUIET).run())
                .isTrue();
        assertThat(new StudyRunner(study, alone, 1, 1, Map.of(), QUIET).run()).isTrue();
        for (Grid.Run run : study.runs()) {
            Path path = Path.of("runs", run.name());
            assertThat(measured(together.resolve(path))).hasSize(2).isEqualTo(measured(alone.resolve(path)));
            Path weights = path.resolve("checkpoints").resolve("30.safetensors");
            assertThat(together.resolve(weights)).hasSameBinaryContentAs(alone.resolve(weights));
        }
    }

    /// Its folder holds something else.
    @Test
    void aRunThatCannotOpenLeavesTheOthersOfItsProgramAlone() throws InterruptedException, IOException {
        StudyFile study = study(30, "seed = [0, 1, 2]");
        Path spoilt = folder.resolve("runs").resolve("seed=1");
        Files.createDirectories(spoilt);
        Files.writeString(spoilt.resolve("run.toml"), "this is no configuration");
        StudyRunner runner = new StudyRunner(study, folder, 1, 1, 3, Map.of(), QUIET);
        assertThat(runner.run()).isFalse();
        assertThat(runner.failures()).containsOnlyKeys("seed=1");
        assertThat(measured(folder.resolve("runs/seed=0"))).hasSize(2);
        assertThat(measured(folder.resolve("runs/seed=2"))).hasSize(2);
    }

    /// As a run that does not fit into memory beside the others: here its lock cannot be written at first.
    @Test
    void aRunThatCannotBeOfTheProgramFollowsAlone() throws InterruptedException, IOException {
        Path lock = folder.resolve("runs").resolve("seed=1").resolve("run.lock");
        Files.createDirectories(lock);
        List<String> details = Collections.synchronizedList(new ArrayList<>());
        StudyRunner runner = new StudyRunner(seeds(30), folder, 1, 1, 3, Map.of(), new StudyRunner.Progress() {
            @Override
            public void changed(Grid.Run run, RunStatus status, Optional<Measurement> measurement) {
                // Nobody listens.
            }

            @Override
            public void detail(Grid.Run run, String text) {
                if (text.startsWith("later, alone: cannot write ")) {
                    details.add(run.name());
                    try {
                        Files.delete(lock);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            }
        });
        assertThat(runner.run()).as("%s", runner.failures()).isTrue();
        assertThat(details).containsExactly("seed=1");
        for (int seed = 0; seed < 3; seed++) {
            assertThat(measured(folder.resolve("runs/seed=" + seed))).hasSize(2);
        }
    }

    private static StudyFile seeds(int steps) {
        return study(steps, "seed = [0, 1, 2]");
    }

    private static StudyFile study(int steps, String grid) {
        return StudyFile.of(ConfigTree.parse("""
                name = "seeds"
                data.source = "builtin:gaussian-mixture?d=3"
                data.n = 8
                data.test = 8
                model.family = "mlp-mixture"
                model.width = 8
                train.optimizer = "adam"
                train.batch = 8
                train.steps = %d
                measure.steps = [10, 30]
                measure.samples = 12
                measure.sampler_steps = 10
                measure.metrics = ["memorized_fraction", "loss@0.1"]
                measure.noise_draws = 2
                [grid]
                %s
                """.formatted(steps, grid), "s.toml"));
    }

    /// With more updates the runs go on to where they would have been.
    @Test
    void aCompleteStudyIsExtended() throws InterruptedException {
        Path extended = folder.resolve("extended");
        Path whole = folder.resolve("whole");
        assertThat(new StudyRunner(seeds(30), extended, 2, 1, Map.of(), QUIET).run())
                .isTrue();
        StudyRunner longer = new StudyRunner(seeds(45), extended, 2, 1, Map.of(), QUIET);
        longer.requireSameRuns();
        assertThat(longer.run()).isTrue();
        assertThat(new StudyRunner(seeds(45), whole, 2, 1, Map.of(), QUIET).run())
                .isTrue();
        for (int seed = 0; seed < 3; seed++) {
            Path run = Path.of("runs", "seed=" + seed);
            Path weights = run.resolve("checkpoints").resolve("45.safetensors");
            assertThat(extended.resolve(weights)).hasSameBinaryContentAs(whole.resolve(weights));
            RunRecord record = RunRecord.read(extended.resolve(run));
            assertThat(record.complete(45)).isTrue();
            assertThat(record.complete(60)).isFalse();
        }
        StudyRunner shorter = new StudyRunner(seeds(30), extended, 2, 1, Map.of(), QUIET);
        assertThatThrownBy(shorter::requireSameRuns)
                .isInstanceOf(DataException.class)
                .hasMessageContaining("train.steps: expected at least 45, as in this folder, found 30");
    }

    private static List<String> measured(Path run) throws IOException {
        return Files.readAllLines(run.resolve("metrics.jsonl")).stream()
                .filter(line -> line.contains("\"measure\""))
                .map(line -> line.substring(0, line.indexOf("\"seconds\"")))
                .toList();
    }

    private static final StudyRunner.Progress QUIET = new StudyRunner.Progress() {
        @Override
        public void changed(Grid.Run run, RunStatus status, Optional<Measurement> measurement) {
            // Nobody listens.
        }

        @Override
        public void detail(Grid.Run run, String text) {
            // Nobody listens.
        }
    };

    @Test
    void timesSideBySideAreLimitedByTheProcessorsAndTheLongestRun() {
        assertThat(StudyCommand.seconds(80, 10, 4, 1, 4)).isEqualTo(20);
        assertThat(StudyCommand.seconds(80, 10, 8, 1, 2)).isEqualTo(40); // eight jobs on two processors
        assertThat(StudyCommand.seconds(80, 10, 4, 2, 4)).isEqualTo(40); // four jobs of two threads on four processors
        assertThat(StudyCommand.seconds(80, 10, 1, 4, 2)).isEqualTo(80);
        assertThat(StudyCommand.seconds(80, 50, 4, 1, 4)).isEqualTo(50);
    }
}
