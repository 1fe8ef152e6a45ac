package dev.rote.config;

import java.util.HashSet;
import java.util.List;

/// The range checks of the records. Each failure names the dotted key, what was expected and what was found.
final class Check {
    private Check() {}

    static void that(boolean holds, String key, String expected, Object found) {
        if (!holds) {
            throw new InvalidKey(key, expected, found instanceof Double d ? TomlText.number(d) : String.valueOf(found));
        }
    }

    static void atLeast(long low, String key, long value) {
        that(value >= low, key, "at least " + low, value);
    }

    static void between(long low, long high, String key, long value) {
        that(value >= low && value <= high, key, "an integer from " + low + " to " + high, value);
    }

    /// A finite number above zero.
    static void positive(String key, double value) {
        that(value > 0 && Double.isFinite(value), key, "a finite number above 0", value);
    }

    /// A finite number, zero or more.
    static void notNegative(String key, double value) {
        that(value >= 0 && Double.isFinite(value), key, "a finite number of at least 0", value);
    }

    /// Runs compute in 32 bits: a number that becomes 0 or infinite there is not what it says.
    static void survivesFloat(String key, double value) {
        float narrow = (float) value;
        that(
                Float.isFinite(narrow) && (narrow != 0 || value == 0),
                key,
                "0 or a number of a magnitude from 1e-45 to 3.4e38, which 32 bits can hold",
                value);
    }

    /// A number in [0, 1).
    static void fraction(String key, double value) {
        that(value >= 0 && value < 1, key, "a number from 0 up to, but not, 1", value);
    }

    static void distinct(String key, List<?> values) {
        var seen = new HashSet<Object>();
        for (Object value : values) {
            that(seen.add(value), key, "different values", value + " twice");
        }
    }
}
