package dev.rote.tools.study;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.config.TomlText;
import dev.rote.errors.DataException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// One key that a study varies.
///
/// @param key dotted key of a run
/// @param values what it becomes, in the study's order; treat them as read-only
/// @param texts the values as text
/// @param labels the values as parts of folder names: letters, digits and `. _ - +`, different for different values
/// even where case is ignored
/// @param place where messages say the values came from
record Axis(String key, List<JsonNode> values, List<String> texts, List<String> labels, String place) {
    private static final int MAX_LABEL = 40;

    /// Checks one entry of a grid.
    ///
    /// @param repeats whether values may come back, as they do where lists advance together
    /// @throws DataException when the key is none of a run, or the values are no list, empty or repeated
    static Axis of(String key, JsonNode list, String place, boolean repeats) {
        if (!RunConfig.keys().contains(key)) {
            throw new DataException(place + ": " + RunConfig.unknownKey(key));
        }
        if (key.equals("name")) {
            throw DataException.expected(place, key, "another key, because each run is named after its values", "name");
        }
        if (!(list instanceof ArrayNode array)) {
            throw DataException.expected(place, key, "a list of values", TomlText.shown(list));
        }
        if (array.isEmpty()) {
            throw DataException.expected(place, key, "at least one value", "an empty list");
        }
        var values = new ArrayList<JsonNode>();
        var spelt = new ArrayList<String>();
        for (JsonNode value : array) {
            String text = spelt(value);
            if (!repeats && spelt.contains(text)) {
                throw DataException.expected(place, key, "different values", TomlText.shown(value) + " twice");
            }
            spelt.add(text);
            values.add(value);
        }
        return new Axis(key, List.copyOf(values), List.copyOf(spelt), labels(spelt), place);
    }

    ConfigTree set(ConfigTree tree, int index) {
        return tree.with(key, values.get(index), place);
    }

    /// The last part of the key.
    String shortKey() {
        return key.substring(key.lastIndexOf('.') + 1);
    }

    /// Equal for values that mean the same, such as 1 and 1.0.
    private static String spelt(JsonNode value) {
        if (value.isNumber()) {
            String text = TomlText.number(Double.parseDouble(value.asString()));
            boolean exact = !value.isIntegralNumber() || value.asString().length() < 16;
            return exact ? text.endsWith(".0") ? text.substring(0, text.length() - 2) : text : value.asString();
        }
        if (value instanceof ArrayNode list) {
            return String.join("-", list.valueStream().map(Axis::spelt).toList());
        }
        return value.isString() ? value.stringValue() : value.toString();
    }

    private static List<String> labels(List<String> spelt) {
        var byText = new LinkedHashMap<String, String>();
        var taken = new HashSet<String>();
        for (String text : spelt) {
            byText.computeIfAbsent(text, value -> label(value, taken));
        }
        return spelt.stream().map(byText::get).toList();
    }

    private static String label(String text, Set<String> taken) {
        String safe = text.replaceAll("[^A-Za-z0-9._+-]+", "-").replaceAll("^-(?![0-9])|[.-]+$", "");
        String stem = safe.isEmpty() ? "value" : safe.substring(Math.max(0, safe.length() - MAX_LABEL));
        String label = stem;
        for (int i = 2; !taken.add(label.toLowerCase(Locale.ROOT)); i++) {
            label = stem + "+" + i;
        }
        return label;
    }
}
