package dev.rote.config;

import java.math.BigDecimal;
import java.util.Collection;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/// Values as TOML text: the canonical spelling that configurations are written and hashed in.
public final class TomlText {
    private final StringBuilder text = new StringBuilder();

    TomlText() {}

    /// The shortest decimal that reads back as `value`: `0.001`, `1e-5`, `2.0`. Never an integer.
    ///
    /// @throws IllegalArgumentException never: infinities and NaN are spelt as TOML does
    public static String number(double value) {
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }
        double size = Math.abs(value);
        if (size != 0 && (size < 1e-4 || size >= 1e9)) {
            var exact = new BigDecimal(Double.toString(value)).stripTrailingZeros();
            int exponent = exact.precision() - exact.scale() - 1;
            return exact.movePointLeft(exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
        }
        String plain =
                new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
        return plain.contains(".") ? plain : plain + ".0";
    }

    /// A basic string with the escapes that TOML asks for.
    public static String quoted(String value) {
        var out = new StringBuilder("\"");
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c < 0x20 || c == 0x7f) {
                        out.append("\\u00").append(Character.forDigit(c >> 4, 16));
                        out.append(Character.forDigit(c & 15, 16));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.append('"').toString();
    }

    /// How an error message shows a value: its kind and, shortened to 60 characters, its text.
    public static String shown(JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> "the string " + shortened(quoted(value.stringValue()));
            case NUMBER -> (value.isIntegralNumber() ? "the integer " : "the number ") + shortened(value.asString());
            case BOOLEAN -> value.asString();
            case ARRAY -> value.isEmpty() ? "an empty list" : "a list";
            case OBJECT -> "a table";
            default -> shortened(value.toString());
        };
    }

    /// `key` as it is written in a file: quoted unless it is bare.
    static String key(String key) {
        return !key.isEmpty() && key.chars().allMatch(c -> KeyLines.isBare((char) c)) ? key : shortened(quoted(key));
    }

    private static String shortened(String text) {
        return text.length() <= 60 ? text : text.substring(0, 57) + "...";
    }

    TomlText table(String name) {
        text.append(text.isEmpty() ? "" : "\n").append('[').append(name).append("]\n");
        return this;
    }

    TomlText put(String key, Object value) {
        text.append(key).append(" = ").append(spelt(value)).append('\n');
        return this;
    }

    private static String spelt(Object value) {
        return switch (value) {
            case Double real -> number(real);
            case Named choice -> quoted(choice.word());
            case Spelt own -> own.toml();
            case String string -> quoted(string);
            case Collection<?> all -> all.stream().map(TomlText::spelt).collect(Collectors.joining(", ", "[", "]"));
            default -> value.toString();
        };
    }

    @Override
    public String toString() {
        return text.toString();
    }

    /// A value that knows its own TOML.
    interface Spelt {
        String toml();
    }
}
