package dev.rote.tools.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// The times of runs that differ in nothing but their seed, or their block of images.
///
/// @param keys the grid values that they share, dotted key to value
/// @param n training set size in images
/// @param runs how many they are, at least 2
/// @param times one per clock that every run has a reading of
public record OverSeeds(Map<String, String> keys, long n, int runs, List<Time> times) {
    /// Median over the seeds with its 95 % bootstrap interval.
    ///
    /// @param reached how many of the runs reached the event between their first and last measurement
    /// @param value 0 when the event came before the first measurement, infinite when it did not come
    /// @param low 0 alike
    /// @param high infinite alike
    /// @param bounds true when some of the runs know a lower bound only ([Reading.AtLeast])
    public record Time(Clock clock, int reached, double value, double low, double high, boolean bounds) {}

    public OverSeeds {
        Objects.requireNonNull(times, "times");
        keys = Collections.unmodifiableMap(new LinkedHashMap<>(keys));
        times = List.copyOf(times);
    }
}
