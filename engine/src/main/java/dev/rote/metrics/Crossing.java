package dev.rote.metrics;

/// Where a curve first rises above a threshold.
///
/// @param step the crossing, interpolated
/// @param before last measured step at or below the threshold; 0 if there is none
/// @param after first measured step above the threshold
/// @param censored the first measurement is above already: the crossing lies somewhere before `step`
public record Crossing(double step, double before, double after, boolean censored) {}
