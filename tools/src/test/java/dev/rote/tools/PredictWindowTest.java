package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PredictWindowTest {
    @TempDir
    Path folder;

    private Path config;

    /// Nearly every sample passes for a copy, so that small runs end soon.
    @BeforeEach
    void writeTheConfiguration() throws IOException {
        config = folder.resolve("tiny.toml");
        Files.writeString(config, """
                name = "tiny"
                threads = 1
                [data]
                source = "builtin:fashion-mnist"
                size = 8
                n = 40
                test = 16
                [model]
                family = "unet-study1"
                width = 8
                multipliers = [1]
                attention = []
                middle_attention = false
                blocks = 1
                [train]
                steps = 200
                batch = 8
                [measure]
                steps = [2, 4, 8]
                k = [0.9999]
                samples = 8
                sampler_steps = 2
                bootstrap = 10
                [stop]
                from = 2
                per_decade = 8
                samples = 16
                loss_images = 16
                split = 0
                """);
    }

    private Outcome predict(Object... more) {
        List<Object> words = new ArrayList<>(List.of("predict-window", config, "--out", folder.resolve("small")));
        words.addAll(List.of(more));
        return Outcome.of(words.toArray());
    }

    private Path run(String name, Object... more) {
        Path run = folder.resolve(name);
        List<Object> words = new ArrayList<>(List.of("train", config, "--out", run, "--set", "train.steps=12"));
        words.addAll(List.of(more));
        Outcome outcome = Outcome.of(words.toArray());
        assertThat(outcome.status()).as(outcome.err()).isZero();
        return run;
    }

    @Test
    void smallRunsGiveAForecastAndTheRunItselfHelps() throws IOException {
        Outcome outcome = predict("--sizes", "4,6");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out())
                .startsWith("2 small runs (n = 4, 6) took ")
                .contains("tau_mem at n = 40: ", "tau_gen: ");
        assertThat(outcome.err()).contains("100 %  400 of 400 steps");
        assertThat(Files.readString(folder.resolve("small/window.json")))
                .contains("\"tau_mem\"")
                .doesNotContain("\"run\"");
        Outcome again = predict("--sizes", "4,6", "--run", run("begun", "--stop", "before-memorization"));
        assertThat(again.status()).as(again.err()).isZero();
        assertThat(again.out())
                .containsPattern("the run itself, at step [0-9]+: ")
                .contains("tau_mem at n = 40: ");
        assertThat(Files.readString(folder.resolve("small/window.json"))).contains("\"run\"");
    }

    @Test
    void anotherRunIsRefused() {
        refuses(folder.resolve("nothing"), "nothing");
        refuses(run("plain"), "metrics.jsonl: check: expected records of a run that was begun with --stop");
        refuses(
                run("other", "--stop", "before-memorization", "--set", "train.lr=0.5"),
                "run.toml: train: expected what the forecast is made for, found another [train]");
        assertThat(folder.resolve("small")).doesNotExist();
    }

    private void refuses(Path run, String sentence) {
        Outcome outcome = predict("--sizes", "4,6", "--run", run);
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.err().lines().toList().getLast())
                .startsWith("rote: ")
                .contains(sentence);
    }
}
