package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.ConfigTree;
import dev.rote.tools.cli.Console;
import dev.rote.tools.report.RunStatus;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyProgressTest {
    private final StudyFile study = StudyFile.of(ConfigTree.parse("""
            name = "two"
            data.source = "faces"
            train.steps = 100
            [grid]
            seed = [0, 1]
            """, "two.toml"));
    private final ByteArrayOutputStream text = new ByteArrayOutputStream();
    private final PrintStream err = new PrintStream(text, true, StandardCharsets.UTF_8);

    private String lastLine(StudyProgress progress) {
        progress.end();
        return text.toString(StandardCharsets.UTF_8).lines().toList().getLast();
    }

    @Test
    void aRunThatARuleHasStoppedLeavesNothingToDo(@TempDir Path folder) {
        StudyProgress progress = new StudyProgress(study, new Console(err, err, false));
        progress.begin(1, 1, folder);
        progress.changed(study.runs().get(0), new RunStatus(RunStatus.State.FINISHED, 30, 100, ""), Optional.empty());
        progress.changed(study.runs().get(1), new RunStatus(RunStatus.State.RUNNING, 50, 100, ""), Optional.empty());
        assertThat(lastLine(progress)).contains(" 75 %  150 of 200 steps");
    }

    @Test
    void aRunThatIsInterruptedCountsTheStepsItMade(@TempDir Path folder) {
        StudyProgress progress = new StudyProgress(study, new Console(err, err, false));
        progress.begin(1, 1, folder);
        progress.changed(study.runs().get(0), new RunStatus(RunStatus.State.STOPPED, 30, 100, ""), Optional.empty());
        assertThat(lastLine(progress)).contains(" 15 %  30 of 200 steps");
    }
}
