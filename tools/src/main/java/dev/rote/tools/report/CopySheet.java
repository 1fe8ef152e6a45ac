package dev.rote.tools.report;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// Images beside the training images nearest to them, in the order given; copies are framed.
public final class CopySheet {
    private static final int GAP = 3;
    private static final int FRAME = 4;
    private static final int BETWEEN = 20;

    private CopySheet() {}

    /// What a sheet shows; row i of each batch belongs together.
    ///
    /// @param title the first line
    /// @param legend the second line
    /// @param images the audited images
    /// @param nearest their nearest training images
    /// @param second their second nearest training images
    /// @param copies whether each is framed
    /// @param labels below each
    public record Matches(
            String title,
            String legend,
            ImageBatch images,
            ImageBatch nearest,
            ImageBatch second,
            List<Boolean> copies,
            List<String> labels) {
        public Matches {
            Objects.requireNonNull(title, "title");
            Objects.requireNonNull(legend, "legend");
            images.requireSameShape(nearest, "nearest");
            images.requireSameShape(second, "second");
            copies = List.copyOf(copies);
            labels = List.copyOf(labels);
            if (copies.size() != images.count() || labels.size() != images.count()) {
                throw new IllegalArgumentException("copies and labels: expected " + images.count() + ", found "
                        + copies.size() + " and " + labels.size());
            }
        }
    }

    /// @param perRow matches beside each other, at least 1
    public static BufferedImage draw(Matches matches, int perRow) {
        if (perRow < 1) {
            throw new IllegalArgumentException("perRow must be at least 1, is " + perRow);
        }
        int scale = SheetCanvas.scale(matches.images());
        int width = matches.images().width() * scale;
        int height = matches.images().height() * scale;
        int cell = 3 * width + 2 * GAP;
        int rowHeight = height + 2 * FRAME + SheetCanvas.LINE + 8;
        int used = Math.max(1, Math.min(perRow, matches.images().count()));
        int rows = Math.ceilDiv(matches.images().count(), used);
        List<String> lines = List.of(matches.title(), matches.legend());
        SheetCanvas canvas = new SheetCanvas(used * (cell + BETWEEN) - BETWEEN, rows * rowHeight, lines);
        for (int i = 0; i < matches.images().count(); i++) {
            int left = SheetCanvas.MARGIN + i % used * (cell + BETWEEN);
            int top = SheetCanvas.top(lines.size()) + FRAME + i / used * rowHeight;
            canvas.picture(matches.images(), i, left, top, scale);
            canvas.picture(matches.nearest(), i, left + width + GAP, top, scale);
            canvas.picture(matches.second(), i, left + 2 * (width + GAP), top, scale);
            boolean copy = matches.copies().get(i);
            if (copy) {
                canvas.frame(left, top, 2 * width + GAP, height, SheetCanvas.COPY, FRAME);
            }
            Color colour = copy ? SheetCanvas.COPY : SheetCanvas.SOFT;
            canvas.label(matches.labels().get(i), left, top + height + FRAME + 16, cell, colour);
        }
        return canvas.finish();
    }

    /// Draws and writes a PNG.
    ///
    /// @throws EnvironmentException when it cannot be written
    public static Path writePng(Path file, Matches matches, int perRow) {
        return Output.writePng(file, draw(matches, perRow));
    }
}
