package dev.rote.tools.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Which colour, line and marker each run has: one colour per n, in order, and one line pattern per run that shares
/// it (its seed). A study over something else than n is coloured by the first grid key that varies.
final class RunStyles {
    /// Numbers by value, before words; words by letter.
    static final Comparator<String> NATURAL =
            Comparator.comparingDouble(RunStyles::number).thenComparing(Comparator.naturalOrder());

    private final List<RunCurves> runs;
    private final List<String> labelKeys;
    private final List<String> levels;
    private final List<Ink> inks;

    RunStyles(List<RunCurves> runs) {
        this.runs = runs;
        this.labelKeys = labelKeys(runs);
        List<String> values = colourValues(runs);
        levels = new ArrayList<>(sortedDistinct(values));
        inks = new ArrayList<>();
        int[] used = new int[levels.size()];
        for (String value : values) {
            int level = levels.indexOf(value);
            inks.add(ink(level, levels.size(), used[level]++));
        }
    }

    Ink of(int run) {
        return inks.get(run);
    }

    /// `n = 64, seed 0`: the grid values that tell the runs apart, otherwise the name.
    String label(int run) {
        return runs.get(run).label(labelKeys);
    }

    /// The grid keys without those that an earlier one decides, as where lists advance together.
    static List<String> labelKeys(List<RunCurves> runs) {
        List<String> kept = new ArrayList<>();
        for (String key : keys(runs)) {
            boolean decided = !key.equals("data.n") && kept.stream().anyMatch(earlier -> decides(runs, earlier, key));
            if (!decided) {
                kept.add(key);
            }
        }
        return kept;
    }

    /// Whether a value of one key always comes with the same value of another, which varies.
    private static boolean decides(List<RunCurves> runs, String key, String other) {
        Map<String, String> seen = new HashMap<>();
        for (RunCurves run : runs) {
            String value = run.keys().getOrDefault(other, "");
            if (!value.equals(seen.computeIfAbsent(run.keys().getOrDefault(key, ""), k -> value))) {
                return false;
            }
        }
        return seen.size() > 1;
    }

    private static Ink ink(int level, int count, int sibling) {
        Ink.Dash[] dashes = Ink.Dash.values();
        Ink.Symbol[] symbols = Ink.Symbol.values();
        return new Ink(
                Palette.sequential(level, count, false),
                Palette.sequential(level, count, true),
                dashes[sibling % dashes.length],
                symbols[sibling % symbols.length]);
    }

    private static List<String> colourValues(List<RunCurves> runs) {
        List<String> byN = runs.stream().map(r -> Long.toString(r.n())).toList();
        if (sortedDistinct(byN).size() > 1) {
            return byN;
        }
        for (String key : keys(runs)) {
            List<String> values =
                    runs.stream().map(r -> r.keys().getOrDefault(key, "")).toList();
            if (!key.equals("seed") && sortedDistinct(values).size() > 1) {
                return values;
            }
        }
        return byN;
    }

    /// All grid keys of the runs, in order of appearance.
    static List<String> keys(List<RunCurves> runs) {
        return runs.stream()
                .map(RunCurves::keys)
                .map(Map::keySet)
                .flatMap(Collection::stream)
                .distinct()
                .toList();
    }

    private static Set<String> sortedDistinct(List<String> values) {
        TreeSet<String> sorted = new TreeSet<>(NATURAL);
        sorted.addAll(values);
        return sorted;
    }

    private static double number(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            return Double.POSITIVE_INFINITY;
        }
    }
}
