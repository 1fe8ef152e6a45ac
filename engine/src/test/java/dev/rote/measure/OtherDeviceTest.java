package dev.rote.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.metrics.FeatureExtractor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A run that goes on where its bits may differ.
class OtherDeviceTest {
    @TempDir
    Path temp;

    @Test
    void onlyAResumeOnAnotherDeviceIsTold() throws InterruptedException {
        assertThat(changesHeard(2, 2)).isEmpty();
        List<String> heard = changesHeard(2, 1);
        assertThat(heard).hasSize(1);
        assertThat(heard.getFirst()).startsWith("cpu: 2 threads").contains(" -> cpu: 1 thread,");
    }

    /// Trains a few steps with one number of threads and goes on with another.
    private List<String> changesHeard(int first, int second) throws InterruptedException {
        List<String> heard = new ArrayList<>();
        Path folder = temp.resolve("moved" + first + second);
        for (int threads : new int[] {first, second}) {
            try (Device device = CpuDevice.open(threads);
                    TrainingData data = TinyRun.data()) {
                MeasuredRun[] run = new MeasuredRun[1];
                run[0] = MeasuredRun.open(
                        device,
                        TinyRun.config("").with("threads", Integer.toString(threads)),
                        data,
                        FeatureExtractor.standIn(8, 8, 1),
                        folder,
                        Map.of(),
                        new MovedListener(() -> run[0].cancel(), heard));
                try (MeasuredRun opened = run[0]) {
                    opened.run();
                }
            }
        }
        return heard;
    }

    private record MovedListener(Runnable loss, List<String> heard) implements RunListener {
        @Override
        public void onOtherDevice(String before, String now) {
            heard.add(before + " -> " + now);
        }

        @Override
        public void onLosses(int step, float[] losses, double imagesPerSecond) {
            loss.run();
        }

        @Override
        public void onResume(int step, Path checkpoint) {
            assertThat(checkpoint).exists();
        }

        @Override
        public void onMeasuring(int step, int done, int total) {
            loss.run();
        }

        @Override
        public void onMeasurement(Measurement measurement) {
            assertThat(measurement.frechet().orElseThrow().high()).isFinite();
        }

        @Override
        public void onCheckpoint(int step, Path path) {
            assertThat(path).exists();
        }
    }
}
