package dev.rote.measure;

import java.util.OptionalLong;

/// What a run will take, for `--dry-run`: counts from the graph, times from a few rehearsed steps on the device.
///
/// @param parameters trained parameters
/// @param memoryBytes what must be free: model, images, step, measurements and the program itself
/// @param freeBytes what was free before; empty where nobody knows
/// @param flopsPerStep floating-point operations of one update
/// @param secondsPerStep measured
/// @param measurements number of measurements
/// @param secondsPerMeasurement from rehearsed sampler updates and losses
/// @param steps optimizer updates
/// @param totalSeconds predicted
public record Estimate(
        long parameters,
        long memoryBytes,
        OptionalLong freeBytes,
        long flopsPerStep,
        double secondsPerStep,
        int measurements,
        double secondsPerMeasurement,
        int steps,
        double totalSeconds) {}
