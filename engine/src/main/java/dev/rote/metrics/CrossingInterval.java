package dev.rote.metrics;

import java.util.Optional;

/// A crossing with the interval that resampling gives it.
///
/// @param crossing of the measured curve; empty if it never crosses
/// @param interval percentile interval of the step. Its value is the measured crossing or +infinity. A resample that
///     never crosses counts as +infinity, one whose first measurement is above already as 0: an infinite high end means
///     "perhaps not within the measured steps", a low end of 0 "perhaps before the first"
/// @param never resamples that never crossed
/// @param censored resamples that were above at the first measurement
public record CrossingInterval(Optional<Crossing> crossing, Interval interval, int never, int censored) {}
