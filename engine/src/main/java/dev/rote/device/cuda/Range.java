package dev.rote.device.cuda;

import java.util.List;

/// Bytes of the device's memory, `end` excluded.
record Range(long from, long end) {
    boolean overlaps(Range other) {
        return from < other.end && other.from < end;
    }

    static boolean anyOverlap(List<Range> some, List<Range> others) {
        return some.stream().anyMatch(one -> others.stream().anyMatch(one::overlaps));
    }
}
