package dev.rote.tools.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Which colour, line and marker each run has: one colour per n, in order, and one line pattern per run that shares it
/// (its seed). A study over something else than n is coloured by the first grid key that varies.
final class RunStyles {
    /// Numbers by value, before words; words by letter.
    static final Comparator<String> NATURAL =
            Comparator.comparingDouble(RunStyles::number).thenComparing(Comparator.naturalOrder());

    private final List<String> levels;
    private final List<Ink> inks;

    RunStyles(List<RunCurves> runs) {
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
