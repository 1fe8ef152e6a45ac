package dev.rote.measure;

import dev.rote.train.TrainingListener;
import java.nio.file.Path;

/// Is told what happens in a [MeasuredRun], on the thread that runs it.
public interface RunListener extends TrainingListener {
    /// Training goes on from a checkpoint.
    void onResume(int step, Path checkpoint);

    /// Training goes on from a checkpoint on another device than that of the last start, or with another number of
    /// threads, as the devices' descriptions say: sums are added in another order, so the bits will not be those of a
    /// run without the change.
    default void onOtherDevice(String before, String now) {}

    /// A measurement is under way: `done` of `total` units of work.
    void onMeasuring(int step, int done, int total);

    /// A measurement is complete and recorded.
    void onMeasurement(Measurement measurement);

    /// A checkpoint is on the disk.
    void onCheckpoint(int step, Path path);

    /// The signals of a rule for stopping were looked at.
    default void onCheck(StopRule.Check check, StopRule.Decision decision) {}

    /// A run with such a rule is complete: a model was chosen, if the decision says so.
    ///
    /// @param why in one sentence
    /// @param best where it is
    default void onStop(StopRule.Decision decision, String why, Path best) {}

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
