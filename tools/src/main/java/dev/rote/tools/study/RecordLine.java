package dev.rote.tools.study;

import dev.rote.errors.DataException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// One line of a run's records, or a part of it, that complains with file and line about what it does not hold.
///
/// @param file `metrics.jsonl`
/// @param line its number, from 1
/// @param name what the part is called: `frechet.value`, empty for the whole line
record RecordLine(Path file, int line, String name, JsonNode node) {
    boolean has(String key) {
        return node.has(key);
    }

    RecordLine get(String key) {
        return new RecordLine(file, line, name.isEmpty() ? key : name + "." + key, node.path(key));
    }

    /// The members of a list.
    List<RecordLine> list() {
        if (!(node instanceof ArrayNode array)) {
            throw wrong("a list");
        }
        List<RecordLine> members = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            members.add(new RecordLine(file, line, name + "[" + i + "]", array.get(i)));
        }
        return members;
    }

    String text() {
        if (!node.isString()) {
            throw wrong("a string");
        }
        return node.stringValue();
    }

    boolean flag() {
        if (!node.isBoolean()) {
            throw wrong("true or false");
        }
        return node.booleanValue();
    }

    int count() {
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.asInt() < 0) {
            throw wrong("a number of 0 or more");
        }
        return node.asInt();
    }

    /// A number, also one that is not finite: those are written as strings.
    double number() {
        if (node.isNumber()) {
            return node.asDouble();
        }
        return switch (node.isString() ? node.stringValue() : "") {
            case "NaN" -> Double.NaN;
            case "Infinity" -> Double.POSITIVE_INFINITY;
            case "-Infinity" -> Double.NEGATIVE_INFINITY;
            default -> throw wrong("a number");
        };
    }

    double between(double low, double high) {
        double value = number();
        if (!(value >= low && value <= high)) {
            throw wrong("a number from " + low + " to " + high);
        }
        return value;
    }

    DataException wrong(String expected) {
        String found = node.isMissingNode() ? "nothing" : node.toString();
        String shown = found.length() <= 60 ? found : found.substring(0, 57) + "...";
        return DataException.expected(
                file, "line " + line, name.isEmpty() ? expected : expected + " as " + name, shown);
    }
}
