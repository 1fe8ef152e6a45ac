package dev.rote.measure;

import dev.rote.train.TrainingListener;
import java.nio.file.Path;

/// Is told what happens in a [MeasuredRun], on the thread that runs it.
public interface RunListener extends TrainingListener {
    /// Training goes on from a checkpoint.
    void onResume(int step, Path checkpoint);

    /// A measurement is under way: `done` of `total` units of work.
    void onMeasuring(int step, int done, int total);

    /// A measurement is complete and recorded.
    void onMeasurement(Measurement measurement);

    /// A checkpoint is on the disk.
    void onCheckpoint(int step, Path path);

    /// Hears nothing.
    static RunListener silent() {
        return new RunListener() {
            @Override
            public void onLosses(int step, float[] losses, double imagesPerSecond) {}

            @Override
            public void onResume(int step, Path checkpoint) {}

            @Override
            public void onMeasuring(int step, int done, int total) {}

            @Override
            public void onMeasurement(Measurement measurement) {}

            @Override
            public void onCheckpoint(int step, Path path) {}
        };
    }
}
