package dev.rote.tools.report;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;

/// A grid of generated images.
public final class SampleSheet {
    private static final int GAP = 8;

    private SampleSheet() {}

    /// Draws `images` row by row.
    ///
    /// @param labels one per image, or empty for none
    /// @param columns images per row, at least 1
    /// @throws IllegalArgumentException when the number of labels is neither 0 nor N
    public static BufferedImage draw(SheetHeader header, ImageBatch images, List<String> labels, int columns) {
        if (columns < 1) {
            throw new IllegalArgumentException("columns must be at least 1, is " + columns);
        }
        if (!labels.isEmpty() && labels.size() != images.count()) {
            throw new IllegalArgumentException(
                    "labels: expected none or " + images.count() + ", found " + labels.size());
        }
        int scale = SheetCanvas.scale(images);
        int width = images.width() * scale;
        int height = images.height() * scale;
        int used = Math.max(1, Math.min(columns, images.count()));
        int rowHeight = height + GAP + (labels.isEmpty() ? 0 : SheetCanvas.LINE);
        int rows = Math.ceilDiv(images.count(), used);
        SheetCanvas canvas = new SheetCanvas(used * (width + GAP) - GAP, rows * rowHeight, List.of(header.text()));
        for (int i = 0; i < images.count(); i++) {
            int left = SheetCanvas.MARGIN + i % used * (width + GAP);
            int top = SheetCanvas.top(1) + i / used * rowHeight;
            canvas.picture(images, i, left, top, scale);
            if (!labels.isEmpty()) {
                canvas.label(labels.get(i), left, top + height + 15, width, SheetCanvas.SOFT);
            }
        }
        return canvas.finish();
    }

    /// Draws and writes a PNG.
    ///
    /// @throws EnvironmentException when it cannot be written
    public static Path writePng(Path file, SheetHeader header, ImageBatch images, List<String> labels, int columns) {
        return Output.writePng(file, draw(header, images, labels, columns));
    }
}
