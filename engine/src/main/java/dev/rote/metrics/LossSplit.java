package dev.rote.metrics;

import java.util.Optional;

/// When test loss leaves train loss.
///
/// @param split first step at which (test - train) / test exceeds the margin, interpolated; empty if never
/// @param interval of the split from the losses' intervals; its ends are those of [TimeScales#crossingBand]
/// @param testMinimumStep measured step of the smallest test loss
/// @param testMinimum the smallest test loss
public record LossSplit(Optional<Crossing> split, Interval interval, double testMinimumStep, double testMinimum) {}
