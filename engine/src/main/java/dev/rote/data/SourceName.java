package dev.rote.data;

import dev.rote.errors.DataException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// A source as the user writes it: `PATH` or `PATH?key=value&key=value`. A file that really has a question mark in its
/// name wins over this reading.
record SourceName(String text, Path path, Map<String, String> query) {
    static SourceName parse(String text) {
        return parse(text, text);
    }

    /// `rest` is `text` without its `raw:`.
    static SourceName parse(String text, String rest) {
        int mark = rest.lastIndexOf('?');
        if (mark < 0 || Files.exists(path(text, rest))) {
            return new SourceName(text, path(text, rest), Map.of());
        }
        Map<String, String> query = new LinkedHashMap<>();
        for (String pair : rest.substring(mark + 1).split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals <= 0) {
                throw DataException.expected(text, "after '?'", "key=value", "'" + pair + "'");
            }
            query.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        return new SourceName(text, path(text, rest.substring(0, mark)), query);
    }

    private static Path path(String text, String path) {
        try {
            return Path.of(path);
        } catch (InvalidPathException e) {
            throw new DataException(text + ": not a path: " + e.getReason(), e);
        }
    }

    /// Refuses keys that the reader does not know.
    void allow(Set<String> keys) {
        for (String key : query.keySet()) {
            if (!keys.contains(key)) {
                String known = keys.isEmpty() ? "no keys for this kind of data" : "one of " + new TreeSet<>(keys);
                throw DataException.expected(text, "after '?'", known, key);
            }
        }
    }

    /// Values of black and white: `range=LOW,HIGH`, otherwise 0 and 1.
    double[] range() {
        String range = query.getOrDefault("range", "0,1");
        String[] ends = range.split(",", -1);
        try {
            if (ends.length == 2) {
                double low = Double.parseDouble(ends[0]);
                double high = Double.parseDouble(ends[1]);
                if (low < high && Double.isFinite(high - low)) {
                    return new double[] {low, high};
                }
            }
        } catch (NumberFormatException e) {
            throw badRange(range, e);
        }
        throw badRange(range, null);
    }

    private DataException badRange(String range, Throwable cause) {
        return new DataException(text + ": range: expected LOW,HIGH with LOW < HIGH, found " + range, cause);
    }
}
