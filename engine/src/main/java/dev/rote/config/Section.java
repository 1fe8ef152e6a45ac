package dev.rote.config;

import dev.rote.errors.DataException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// One table of a configuration, read strictly: a key that is not known, or a value of another type than asked for, is
/// a [DataException] that names file, line, dotted key, what was expected and what was found.
///
/// Every `fallback` is what an absent key means; the methods without one are for required keys.
public final class Section {
    private final ConfigTree tree;
    private final String path;

    private Section(ConfigTree tree, String path) {
        this.tree = tree;
        this.path = path;
    }

    /// The table at the dotted `path` (empty for the top), which may be absent, with exactly these keys.
    ///
    /// @throws DataException when it is not a table or holds another key; the message proposes the nearest known one
    public static Section of(ConfigTree tree, String path, List<String> keys) {
        var section = new Section(tree, path);
        Optional<JsonNode> node = tree.find(path);
        if (node.isPresent()) {
            if (!(node.get() instanceof ObjectNode table)) {
                throw tree.wrong(path, "a table", TomlText.shown(node.get()));
            }
            for (String name : table.propertyNames()) {
                if (!keys.contains(name)) {
                    throw new DataException(tree.place(section.dotted(name)) + ": "
                            + Keys.unknown(path.isEmpty() ? "" : path + ".", name, keys));
                }
            }
        }
        return section;
    }

    /// The dotted form of one of this table's keys.
    public String dotted(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /// The value as it is in the tree.
    public Optional<JsonNode> find(String key) {
        return tree.find(path).filter(ObjectNode.class::isInstance).map(table -> table.get(key));
    }

    /// The error for a value of this table that is not what it must be.
    public DataException wrong(String key, String expected, JsonNode found) {
        return tree.wrong(dotted(key), expected, TomlText.shown(found));
    }

    public String text(String key) {
        return find(key).map(node -> asText(key, node)).orElseThrow(() -> missing(key, "a string"));
    }

    public String text(String key, String fallback) {
        return find(key).map(node -> asText(key, node)).orElse(fallback);
    }

    public int integer(String key) {
        return find(key).map(node -> asInt(key, node)).orElseThrow(() -> missing(key, "an integer"));
    }

    public int integer(String key, int fallback) {
        return find(key).map(node -> asInt(key, node)).orElse(fallback);
    }

    public OptionalLong wide(String key) {
        return find(key).map(node -> OptionalLong.of(asLong(key, node))).orElseGet(OptionalLong::empty);
    }

    public double real(String key, double fallback) {
        return find(key).map(node -> asDouble(key, node)).orElse(fallback);
    }

    public boolean flag(String key, boolean fallback) {
        return find(key).map(node -> asFlag(key, node)).orElse(fallback);
    }

    public List<Integer> integers(String key, List<Integer> fallback) {
        return list(key, "a list of integers", fallback, node -> asInt(key, node));
    }

    public List<Double> reals(String key, List<Double> fallback) {
        return list(key, "a list of numbers", fallback, node -> asDouble(key, node));
    }

    public List<String> texts(String key, List<String> fallback) {
        return list(key, "a list of strings", fallback, node -> asText(key, node));
    }

    /// One of the words of `choices`.
    public <E extends Named> E choice(String key, E[] choices, E fallback) {
        return find(key).map(node -> asChoice(key, node, choices)).orElse(fallback);
    }

    private <T> List<T> list(String key, String expected, List<T> fallback, Function<JsonNode, T> element) {
        Optional<JsonNode> node = find(key);
        if (node.isEmpty()) {
            return fallback;
        }
        if (!node.get().isArray()) {
            throw wrong(key, expected, node.get());
        }
        var values = new ArrayList<T>();
        for (JsonNode each : node.get()) {
            values.add(element.apply(each));
        }
        return List.copyOf(values);
    }

    private <E extends Named> E asChoice(String key, JsonNode node, E[] choices) {
        List<String> words = Named.words(choices);
        int index = node.isString() ? words.indexOf(node.stringValue()) : -1;
        if (index < 0) {
            String all = String.join(", ", words.stream().map(TomlText::quoted).toList());
            throw wrong(key, words.size() == 1 ? all : "one of " + all, node);
        }
        return choices[index];
    }

    private String asText(String key, JsonNode node) {
        if (!node.isString()) {
            throw wrong(key, "a string", node);
        }
        return node.stringValue();
    }

    private boolean asFlag(String key, JsonNode node) {
        if (!node.isBoolean()) {
            throw wrong(key, "true or false", node);
        }
        return node.booleanValue();
    }

    private double asDouble(String key, JsonNode node) {
        double value = number(node);
        if (!Double.isFinite(value)) {
            throw wrong(key, "a finite number", node);
        }
        return value;
    }

    /// The nearest double of a number of any size; NaN for what is no number.
    private static double number(JsonNode node) {
        return node.isNumber() ? Double.parseDouble(node.asString()) : Double.NaN;
    }

    private int asInt(String key, JsonNode node) {
        long value = asLong(key, node);
        if (value != (int) value) {
            throw wrong(key, "an integer of at most 32 bits", node);
        }
        return (int) value;
    }

    private long asLong(String key, JsonNode node) {
        if (!node.isIntegralNumber()) {
            double value = number(node);
            boolean whole = value == Math.rint(value) && Math.abs(value) < 1e15;
            String hint = whole ? " (write " + (long) value + ")" : "";
            throw wrong(key, "an integer" + hint, node);
        }
        if (!node.canConvertToLong()) {
            throw wrong(key, "an integer of at most 64 bits", node);
        }
        return node.longValue();
    }

    private DataException missing(String key, String expected) {
        return tree.wrong(dotted(key), expected + " (the key is required)", "nothing");
    }
}
