package dev.rote.tools.report;

import java.nio.file.Path;
import java.util.Objects;

/// A picture sheet that goes into the report as it is.
///
/// @param title a few words
/// @param caption one or two sentences
/// @param file a PNG
public record Sheet(String title, String caption, Path file) {
    public Sheet {
        Objects.requireNonNull(title, "title");
        Objects.requireNonNull(caption, "caption");
        Objects.requireNonNull(file, "file");
    }
}
