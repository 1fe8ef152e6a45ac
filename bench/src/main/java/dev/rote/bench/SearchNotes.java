package dev.rote.bench;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The ceiling of searches on CUDA, and what logs of [NearestNeighbourBench] say of queries certified at once: JMH's
/// JSON has no place for it in single shots.
///
/// @param certified shares by `shape type on device`
record SearchNotes(Ceiling ceiling, Map<String, Double> certified) {
    private static final Pattern CERTIFIED =
            Pattern.compile("(\\S+ \\S+ on \\S+): (\\d+) of (\\d+) queries certified at once");

    /// What the benchmark prints and [#of] reads.
    static String line(String shape, String type, String device, int certified, int queries) {
        return key(shape, type, device) + ": " + certified + " of " + queries + " queries certified at once";
    }

    /// @param logs text of any kind; the last line on a case counts
    static SearchNotes of(Ceiling ceiling, Iterable<String> logs) {
        Map<String, Double> certified = new HashMap<>();
        for (String log : logs) {
            Matcher matcher = CERTIFIED.matcher(log);
            while (matcher.find()) {
                certified.put(
                        matcher.group(1), Double.parseDouble(matcher.group(2)) / Double.parseDouble(matcher.group(3)));
            }
        }
        return new SearchNotes(ceiling, certified);
    }

    SearchResult search(String shape, String type, String device) {
        Double share = certified.get(key(shape, type, device));
        return new SearchResult(
                device.equals("cuda") ? OptionalDouble.of(floorMs(shape, type)) : OptionalDouble.empty(),
                share == null ? OptionalDouble.empty() : OptionalDouble.of(share));
    }

    /// One product of all pairs, in bf16 of floats and in 8 bits of bytes; queries and references read once.
    private double floorMs(String shape, String type) {
        boolean bytes = type.equals("u8");
        return ceiling.floorMs(
                bytes ? "u8" : "bf16",
                NearestNeighbourBench.flops(shape, "cuda"),
                NearestNeighbourBench.values(shape) * (bytes ? 1 : Float.BYTES));
    }

    private static String key(String shape, String type, String device) {
        return String.format(Locale.ROOT, "%s %s on %s", shape, type, device);
    }
}
