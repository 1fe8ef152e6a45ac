package dev.rote.measure;

/// What a run will take, for `--dry-run`: counts from the graph, times from a few rehearsed steps on the device.
///
/// @param parameters trained parameters
/// @param memoryBytes model, data and step on the device
/// @param flopsPerStep floating-point operations of one update
/// @param secondsPerStep measured
/// @param measurements number of measurements
/// @param secondsPerMeasurement from rehearsed sampler updates and losses
/// @param steps optimizer updates
/// @param totalSeconds predicted
public record Estimate(
        long parameters,
        long memoryBytes,
        long flopsPerStep,
        double secondsPerStep,
        int measurements,
        double secondsPerMeasurement,
        int steps,
        double totalSeconds) {}
