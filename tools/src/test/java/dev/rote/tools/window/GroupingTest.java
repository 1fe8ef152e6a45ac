package dev.rote.tools.window;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GroupingTest {
    private static final StopConfig STOP =
            Recorded.config(16, 0).with("stop.rule", "before-memorization").stop();

    private static final Rule RULE = new Rule.BeforeMemorization(STOP);

    private static List<String> values(List<Grouping.Part> parts) {
        return parts.stream().map(part -> part.by() + ": " + part.value()).toList();
    }

    @Test
    void partsAreGivenOfWhatDiffers() {
        RunConfig plain = Recorded.config(64, 0);
        List<RecordedRun> runs = new ArrayList<>();
        runs.add(Recorded.run(plain));
        runs.add(Recorded.run(plain.with("data.source", "\"builtin:fashion-mnist\"")));
        runs.add(Recorded.run(plain.with("data.source", "\"/pictures/celeba/\"").with("data.size", "12")));
        runs.add(Recorded.run(plain.with("train.ema", "0.998").with("train.optimizer", "\"adam\"")));
        runs.add(Recorded.run(plain.with("model.width", "8")));
        runs.add(Recorded.run(plain.with("train.batch", "128")));
        runs.add(Recorded.run(16, 0));
        runs.add(Recorded.run(128, 0));
        runs.add(Recorded.run(1024, 0));
        List<Grouping.Part> parts = Grouping.parts(RULE, runs, STOP);
        assertThat(values(parts))
                .containsExactly(
                        "images: celeba",
                        "images: fashion-mnist",
                        "images: given by the test",
                        "image size: 8x8",
                        "image size: 12x12",
                        "n: 16 to 63",
                        "n: 64 to 255",
                        "n: 1,024 and more",
                        "width: 8",
                        "width: 32",
                        "optimizer: adam, EMA 0.998",
                        "optimizer: sgd, no EMA",
                        "batch: 32",
                        "batch: 128");
        assertThat(parts.stream().filter(part -> part.by().equals("n")))
                .extracting(part -> part.all().runs())
                .containsExactly(1, 7, 1);
    }

    @Test
    void everyRunWithAWindowIsInOnePartOfEachKind() {
        List<RecordedRun> runs = new ArrayList<>();
        for (int seed = 0; seed < 8; seed++) {
            runs.add(Recorded.run(8, seed)); // tau_mem is 160: hardly a window
            runs.add(Recorded.run(64, seed));
        }
        runs.add(new RecordedRun(Recorded.config(512, 0), List.of())); // nothing is known of it
        List<Grouping.Part> parts = Grouping.parts(RULE, runs, STOP);
        assertThat(values(parts)).containsExactly("n: below 16", "n: 64 to 255");
        assertThat(parts).allSatisfy(part -> {
            Judgement all = part.all();
            assertThat(all.runs()).isEqualTo(8);
            assertThat(all.inside().hits() + all.early() + all.late() + all.unstopped())
                    .isEqualTo(8);
        });
        assertThat(parts).extracting(part -> part.open().runs()).containsExactly(0, 8);
        List<String> lines = StoppingTable.parts(parts);
        assertThat(lines).hasSize(4);
        assertThat(lines.get(2)).startsWith("| n | below 16 | 8 | ").endsWith(" | - |");
        assertThat(lines.get(3))
                .startsWith("| n | 64 to 255 | 8 | ")
                .endsWith(" | " + parts.getLast().all().inside().hits() + " of 8 |");
        assertThat(StoppingTable.parts(Grouping.parts(RULE, List.of(Recorded.run(64, 0)), STOP)))
                .isEmpty();
    }
}
