package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.ConfigTree;
import dev.rote.measure.Measurement;
import dev.rote.tools.report.RunStatus;
import java.nio.file.Path;
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

    @Test
    void timesSideBySideAreLimitedByTheProcessorsAndTheLongestRun() {
        assertThat(StudyCommand.seconds(80, 10, 4, 1, 4)).isEqualTo(20);
        assertThat(StudyCommand.seconds(80, 10, 8, 1, 2)).isEqualTo(40); // eight jobs on two processors
        assertThat(StudyCommand.seconds(80, 10, 4, 2, 4)).isEqualTo(40); // four jobs of two threads on four processors
        assertThat(StudyCommand.seconds(80, 10, 1, 4, 2)).isEqualTo(80);
        assertThat(StudyCommand.seconds(80, 50, 4, 1, 4)).isEqualTo(50);
    }
}
