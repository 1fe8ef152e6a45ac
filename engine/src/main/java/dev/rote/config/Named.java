package dev.rote.config;

import java.util.Arrays;
import java.util.List;

/// A choice that a configuration spells as a lower-case word.
public interface Named {
    /// The word used in a configuration, for example `adamw`.
    String word();

    /// The words of all `values`, in order.
    static List<String> words(Named[] values) {
        return Arrays.stream(values).map(Named::word).toList();
    }
}
