package dev.rote.tools.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// One run of a study: where it lies on the grid, how far it came, and what was measured.
///
/// @param name the run's folder name
/// @param keys its grid values, dotted key to value as written in the study file, in grid order; may be empty
/// @param n training set size in images, 0 when unknown (the run is then left out of every plot over `tau/n`)
/// @param status how far it came
/// @param curves at most one per [Quantity]
/// @param times derived time scales, at most one per [Clock]
/// @param baseRates memorized fraction of held-out images against the training set
/// @param samples generated images behind each memorized fraction, 0 when unknown
public record RunCurves(
        String name,
        Map<String, String> keys,
        long n,
        RunStatus status,
        List<Curve> curves,
        List<TimeScale> times,
        List<BaseRate> baseRates,
        int samples) {
    public RunCurves {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(status, "status");
        if (n < 0) {
            throw new IllegalArgumentException("run " + name + ": n must be 0 (unknown) or more, is " + n);
        }
        keys = Collections.unmodifiableMap(new LinkedHashMap<>(keys));
        curves = List.copyOf(curves);
        times = List.copyOf(times);
        baseRates = List.copyOf(baseRates);
        long distinct = curves.stream().map(Curve::quantity).distinct().count();
        if (distinct != curves.size()) {
            throw new IllegalArgumentException("run " + name + ": two curves of the same quantity");
        }
        long clocks = times.stream().map(TimeScale::clock).distinct().count();
        if (clocks != times.size()) {
            throw new IllegalArgumentException("run " + name + ": two time scales of the same clock");
        }
    }

    /// The curve of `quantity`, if it was measured.
    public Optional<Curve> curve(Quantity quantity) {
        return curves.stream().filter(c -> c.quantity().equals(quantity)).findFirst();
    }

    /// The reading of `clock`, if it was taken.
    public Optional<Reading> time(Clock clock) {
        return times.stream()
                .filter(t -> t.clock().equals(clock))
                .map(TimeScale::reading)
                .findFirst();
    }

    /// How the run is called in legends, where room is scarce: `n = 64, width = 16, seed 0`. Those of its grid values
    /// where there are any, by the last part of their keys where only one ends so, otherwise the name.
    ///
    /// @param shown the dotted keys to show
    String label(List<String> shown) {
        StringBuilder text = new StringBuilder();
        keys.forEach((key, value) -> {
            if (shown.contains(key)) {
                text.append(text.isEmpty() ? "" : ", ");
                text.append(key.equals("seed") ? "seed " + value : lastPart(key) + " = " + value);
            }
        });
        return text.isEmpty() ? name : text.toString();
    }

    /// The same with all its grid values.
    public String label() {
        return label(List.copyOf(keys.keySet()));
    }

    private String lastPart(String key) {
        String last = key.substring(key.lastIndexOf('.') + 1);
        long same = keys.keySet().stream()
                .filter(other -> other.equals(last) || other.endsWith("." + last))
                .count();
        return same == 1 ? last : shortKey(key);
    }

    /// `data.n` is written `n`, as in the papers; every other key keeps its full dotted name.
    static String shortKey(String key) {
        return key.equals("data.n") ? "n" : key;
    }
}
