package dev.rote.tools.report;

import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/// The picture sheets, inside the page.
final class SheetSection {
    private SheetSection() {}

    /// A sheet whose file does not exist (yet) is named and left out; one that cannot be read is an error.
    ///
    /// @throws EnvironmentException when an existing image cannot be read
    static void appendTo(StringBuilder html, List<Sheet> sheets) {
        if (sheets.isEmpty()) {
            return;
        }
        html.append(
                "<section id=\"sheets\">\n<h2>Samples and their nearest training images</h2>\n<div class=\"sheets\">\n");
        for (Sheet sheet : sheets) {
            html.append("<figure>\n<h3>").append(Markup.math(sheet.title())).append("</h3>\n");
            if (Files.exists(sheet.file())) {
                html.append("<img alt=\"")
                        .append(Markup.escape(sheet.title()))
                        .append("\" src=\"data:image/png;base64,");
                html.append(Base64.getEncoder().encodeToString(read(sheet.file())))
                        .append("\">\n");
            } else {
                html.append("<p class=\"hint\">")
                        .append(Markup.escape(String.valueOf(sheet.file().getFileName())));
                html.append(" has not been written.</p>\n");
            }
            html.append("<figcaption>").append(Markup.math(sheet.caption())).append("</figcaption>\n</figure>\n");
        }
        html.append("</div>\n</section>\n");
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new EnvironmentException("cannot read the sheet " + file + ": " + e.getMessage(), e);
        }
    }
}
