package dev.rote.tools.report;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/// What made the numbers of a report.
///
/// @param version of this program
/// @param commit of its source, or empty when unknown
/// @param device as its `describe()` says
/// @param date when the report was written
/// @param environment further lines, name to value, in their order (Java, operating system, precision, ...)
public record Provenance(String version, String commit, String device, Instant date, Map<String, String> environment) {
    public Provenance {
        Objects.requireNonNull(version, "version");
        Objects.requireNonNull(commit, "commit");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(date, "date");
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    }
}
