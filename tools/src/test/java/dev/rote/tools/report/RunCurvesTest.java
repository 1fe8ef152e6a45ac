package dev.rote.tools.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RunCurvesTest {
    private static String label(String... keysAndValues) {
        Map<String, String> keys = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            keys.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        RunStatus status = new RunStatus(RunStatus.State.FINISHED, 10, 10, "");
        return new RunCurves("name", keys, 16, status, List.of(), List.of(), List.of(), 0).label();
    }

    @Test
    void legendsNameKeysByTheirLastPart() {
        assertThat(label("train.optimizer", "sgd", "model.width", "16", "data.n", "64", "seed", "0"))
                .isEqualTo("optimizer = sgd, width = 16, n = 64, seed 0");
        assertThat(label()).isEqualTo("name");
    }

    @Test
    void keysThatEndAlikeKeepTheirNames() {
        assertThat(label("train.batch", "32", "measure.batch", "128", "data.n", "64"))
                .isEqualTo("train.batch = 32, measure.batch = 128, n = 64");
    }
}
