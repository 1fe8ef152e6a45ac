package dev.rote.tools.cli;

import dev.rote.measure.Measurement;
import dev.rote.measure.RunListener;
import dev.rote.measure.StopRule;
import java.nio.file.Path;

/// Passes on what it hears, and draws the sheets of each measurement before it tells of it.
///
/// @param next who is told
/// @param draw draws the sheets of all samples that have none
record DrawingListener(RunListener next, Runnable draw) implements RunListener {
    @Override
    public void onLosses(int step, float[] losses, double imagesPerSecond) {
        next.onLosses(step, losses, imagesPerSecond);
    }

    @Override
    public void onResume(int step, Path checkpoint) {
        next.onResume(step, checkpoint);
    }

    @Override
    public void onMeasuring(int step, int done, int total) {
        next.onMeasuring(step, done, total);
    }

    @Override
    public void onMeasurement(Measurement measurement) {
        draw.run();
        next.onMeasurement(measurement);
    }

    @Override
    public void onOtherDevice(String before, String now) {
        next.onOtherDevice(before, now);
    }

    @Override
    public void onCheck(StopRule.Check check, StopRule.Decision decision) {
        next.onCheck(check, decision);
    }

    @Override
    public void onStop(StopRule.Decision decision, String why, Path best) {
        next.onStop(decision, why, best);
    }

    @Override
    public void onCheckpoint(int step, Path path) {
        next.onCheckpoint(step, path);
    }
}
