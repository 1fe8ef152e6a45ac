package dev.rote.tools.report;

import java.util.Objects;

/// One derived time of one run.
public record TimeScale(Clock clock, Reading reading) {
    public TimeScale {
        Objects.requireNonNull(clock, "clock");
        Objects.requireNonNull(reading, "reading");
    }
}
