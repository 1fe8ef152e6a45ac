package dev.rote.tools.study;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.config.TomlText;
import dev.rote.errors.DataException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// The product of what a study varies: every combination of the lists under `[grid]`, in the order in which they are
/// written, the last one fastest. Lists under `[zip]` advance together and count as one list, slower than all of
/// `[grid]`.
public final class Grid {
    /// More runs than this are a mistake in the file.
    private static final int MAX_RUNS = 100_000;

    private final List<Axis> zipped;
    private final List<Axis> crossed;

    private Grid(List<Axis> zipped, List<Axis> crossed) {
        this.zipped = zipped;
        this.crossed = crossed;
    }

    /// One run of a study.
    ///
    /// @param name name of its folder, made from the varied keys: `n=64,seed=0`
    /// @param point the varied keys and the text of their values, in the study's order
    /// @param config its configuration, whose name is `name`
    public record Run(String name, Map<String, String> point, RunConfig config) {
        public Run {
            point = Collections.unmodifiableMap(new LinkedHashMap<>(point));
        }
    }

    /// Reads `[grid]` and `[zip]`, which may be absent.
    ///
    /// @throws DataException with file, line and key when a list is not one that a study can vary
    static Grid of(ConfigTree tree) {
        List<Axis> zipped = axes(tree, "zip");
        List<Axis> crossed = axes(tree, "grid");
        for (Axis axis : zipped) {
            Axis first = zipped.getFirst();
            if (axis.values().size() != first.values().size()) {
                throw DataException.expected(
                        axis.place(),
                        axis.key(),
                        "as many values as " + first.key() + " ("
                                + first.values().size() + ")",
                        String.valueOf(axis.values().size()));
            }
            if (crossed.stream().anyMatch(other -> other.key().equals(axis.key()))) {
                throw DataException.expected(axis.place(), axis.key(), "a key that is not in [grid] too", axis.key());
            }
        }
        checkRows(zipped);
        var grid = new Grid(zipped, crossed);
        if (grid.size() > MAX_RUNS) {
            throw DataException.expected(
                    tree.place("grid"), "grid", "at most " + MAX_RUNS + " runs", "more than that many");
        }
        return grid;
    }

    /// Values may come back in lists that advance together, rows may not.
    private static void checkRows(List<Axis> zipped) {
        var seen = new HashSet<List<String>>();
        for (int i = 0; !zipped.isEmpty() && i < zipped.getFirst().values().size(); i++) {
            int row = i;
            List<String> texts =
                    zipped.stream().map(axis -> axis.texts().get(row)).toList();
            if (!seen.add(texts)) {
                throw DataException.expected(
                        zipped.getFirst().place(),
                        zipped.stream().map(Axis::key).collect(Collectors.joining(", ")),
                        "different values",
                        String.join(", ", texts) + " twice");
            }
        }
    }

    private static List<Axis> axes(ConfigTree tree, String table) {
        JsonNode node = tree.find(table).orElse(null);
        if (node == null) {
            return List.of();
        }
        if (!(node instanceof ObjectNode keys)) {
            throw tree.wrong(table, "a table of dotted keys and lists", TomlText.shown(node));
        }
        var axes = new ArrayList<Axis>();
        collect(tree, table, "", keys, axes);
        return List.copyOf(axes);
    }

    /// `"data.n" = [..]` and `data.n = [..]` mean the same here.
    private static void collect(ConfigTree tree, String table, String prefix, ObjectNode keys, List<Axis> axes) {
        for (Map.Entry<String, JsonNode> entry : keys.properties()) {
            String key = prefix + entry.getKey();
            String place = tree.place(table + "." + key) + ": [" + table + "]";
            if (entry.getValue() instanceof ObjectNode inner) {
                collect(tree, table, key + ".", inner, axes);
            } else if (axes.stream().anyMatch(axis -> axis.key().equals(key))) {
                throw DataException.expected(place, key, "each key once", key + " twice");
            } else {
                axes.add(Axis.of(key, entry.getValue(), place, table.equals("zip")));
            }
        }
    }

    /// Number of runs; [Integer#MAX_VALUE] when there are more than that.
    public int size() {
        long size = zipped.isEmpty() ? 1 : zipped.getFirst().values().size();
        for (Axis axis : crossed) {
            size = Math.min(Integer.MAX_VALUE, size * axis.values().size());
        }
        return (int) size;
    }

    /// The varied dotted keys, slowest first.
    public List<String> keys() {
        return axes().stream().map(Axis::key).toList();
    }

    /// The keys whose values advance with those of `key`: its fellows under `[zip]`, and itself.
    Set<String> together(String key) {
        Set<String> zip = zipped.stream().map(Axis::key).collect(Collectors.toSet());
        return zip.contains(key) ? zip : Set.of(key);
    }

    /// What advances together.
    List<Axis> zipped() {
        return zipped;
    }

    /// What is combined with everything else.
    List<Axis> crossed() {
        return crossed;
    }

    private List<Axis> axes() {
        var axes = new ArrayList<>(zipped);
        axes.addAll(crossed);
        return axes;
    }

    /// All runs, each the `base` with its own values set.
    ///
    /// @throws DataException when a value does not fit its key or the rest of the configuration
    List<Run> runs(ConfigTree base) {
        var runs = new ArrayList<Run>();
        for (int number = 0; number < size(); number++) {
            runs.add(run(base, number));
        }
        return List.copyOf(runs);
    }

    private Run run(ConfigTree base, int number) {
        List<Axis> axes = axes();
        var index = new int[axes.size()];
        int rest = number;
        for (int i = axes.size() - 1; i >= zipped.size(); i--) {
            index[i] = rest % axes.get(i).values().size();
            rest /= axes.get(i).values().size();
        }
        ConfigTree tree = base;
        var point = new LinkedHashMap<String, String>();
        var name = new ArrayList<String>();
        for (int i = 0; i < axes.size(); i++) {
            Axis axis = axes.get(i);
            int at = i < zipped.size() ? rest : index[i];
            tree = axis.set(tree, at);
            point.put(axis.key(), axis.texts().get(at));
            name.add(folderKey(axis, axes) + "=" + axis.labels().get(at));
        }
        String folder = name.isEmpty() ? "run" : String.join(",", name);
        return new Run(folder, point, RunConfig.of(tree.with("name", text(folder), base.origin())));
    }

    private static JsonNode text(String value) {
        return JsonNodeFactory.instance.stringNode(value);
    }

    /// The last part of the key, or all of it where two varied keys share the last part.
    private static String folderKey(Axis axis, List<Axis> axes) {
        long same = axes.stream()
                .filter(other -> other.shortKey().equals(axis.shortKey()))
                .count();
        return same > 1 ? axis.key() : axis.shortKey();
    }
}
