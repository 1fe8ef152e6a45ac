package dev.rote.device.cuda;

import java.util.List;
import java.util.stream.IntStream;

/// Bytes of the device's memory, `end` excluded.
record Range(long from, long end) {
    long bytes() {
        return end - from;
    }

    boolean overlaps(Range other) {
        return from < other.end && other.from < end;
    }

    /// Whether none of them overlaps another one.
    static boolean areApart(List<Range> ranges) {
        return IntStream.range(1, ranges.size())
                .noneMatch(i -> anyOverlap(ranges.subList(0, i), ranges.subList(i, i + 1)));
    }

    static boolean anyOverlap(List<Range> some, List<Range> others) {
        return some.stream().anyMatch(one -> others.stream().anyMatch(one::overlaps));
    }
}
