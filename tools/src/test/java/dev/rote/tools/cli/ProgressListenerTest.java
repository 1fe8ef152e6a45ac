package dev.rote.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.measure.Measurement;
import dev.rote.metrics.Interval;
import dev.rote.metrics.MemorizedFraction;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProgressListenerTest {
    private static final long SECOND = 1_000_000_000L;

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private long now;

    private ProgressListener listener(boolean terminal) {
        var stream = new PrintStream(err, true, StandardCharsets.UTF_8);
        return new ProgressListener(new Console(stream, stream, terminal), "run", 1000, () -> now);
    }

    private List<String> lines() {
        return err.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void elsewhereThanOnATerminalALineComesEveryTenthAndEveryFiveSeconds() {
        try (ProgressListener listener = listener(false)) {
            for (int step = 10; step <= 250; step += 10) {
                now += SECOND / 10;
                listener.onLosses(step, new float[] {0.25f, 0.75f}, 1234);
            }
            assertThat(lines())
                    .containsExactly(
                            "step 100 of 1000 (10 %): loss 0.500, 1234 images/s, 9.00 s left",
                            "step 200 of 1000 (20 %): loss 0.500, 1234 images/s, 8.00 s left");
            now += 5 * SECOND;
            listener.onLosses(260, new float[] {1}, 8.5);
            assertThat(lines().getLast()).startsWith("step 260 of 1000 (26 %): loss 1.00, 8.50 images/s, ");
            listener.onLosses(261, new float[] {1}, 8.5);
            assertThat(lines()).hasSize(3);
        }
    }

    @Test
    void theLastStepLeavesNoTime() {
        try (ProgressListener listener = listener(false)) {
            now += SECOND;
            listener.onLosses(1000, new float[] {1}, 1);
            assertThat(lines()).containsExactly("step 1000 of 1000 (100 %): loss 1.00, 1.00 images/s");
        }
    }

    @Test
    void measuringIsShownAndAMeasurementAlways() {
        try (ProgressListener listener = listener(false)) {
            listener.onMeasuring(50, 1, 40);
            assertThat(lines()).isEmpty();
            now += 6 * SECOND;
            listener.onMeasuring(50, 30, 40);
            var share = new Interval(0.25, 0, 1);
            listener.onMeasurement(new Measurement(
                    50,
                    8,
                    List.of(new MemorizedFraction(1.0 / 3, 8, 2, share, share)),
                    new double[8],
                    Optional.of(new Interval(12.5, 12, 13)),
                    "f",
                    Map.of(),
                    List.of(),
                    1));
            assertThat(lines())
                    .containsExactly(
                            "step 50 of 1000 (5 %): measuring, 30 of 40",
                            "step 50 of 1000 (5 %): measured, memorized 2 of 8 samples, Fréchet distance 12.5");
        }
    }

    @Test
    void theTimeLeftOfAResumedRunCountsFromWhereItWentOn() {
        try (ProgressListener listener = listener(false)) {
            listener.onResume(800, Path.of("800.safetensors"));
            listener.onOtherDevice("cpu: 2 threads", "cpu: 1 thread");
            now += 10 * SECOND;
            listener.onLosses(900, new float[] {1}, 1);
            assertThat(lines())
                    .containsExactly(
                            "resumed at step 800 from 800.safetensors",
                            "resumes on \"cpu: 1 thread\" what ran on \"cpu: 2 threads\": its numbers will differ in"
                                    + " their last bits, which training amplifies, from those of a run without the"
                                    + " change",
                            "step 900 of 1000 (90 %): loss 1.00, 1.00 images/s, 10 s left");
        }
    }

    @Test
    void onATerminalABarIsDrawnOver() {
        try (ProgressListener listener = listener(true)) {
            now += SECOND;
            listener.onLosses(500, new float[] {0.5f}, 12);
        }
        String drawn = err.toString(StandardCharsets.UTF_8);
        assertThat(drawn).contains("run", "500/1000").contains("\r");
    }
}
