package dev.rote.tools.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/// A white sheet with header lines and images enlarged pixel by pixel.
final class SheetCanvas {
    static final int MARGIN = 16;
    static final int LINE = 20;
    static final Color SOFT = new Color(0x5c6370);
    static final Color COPY = new Color(0xd55e00);
    private static final Color TEXT = new Color(0x1d2026);
    private static final int CELL = 84;

    final BufferedImage image;
    final Graphics2D pen;

    /// @param lines header lines, first in bold; the width grows until the longest fits
    SheetCanvas(int width, int bodyHeight, List<String> lines) {
        int needed = lines.stream()
                .mapToInt(l -> textWidth(l, font(l.equals(lines.getFirst()))))
                .max()
                .orElse(0);
        int full = Math.max(width, needed) + 2 * MARGIN;
        image = new BufferedImage(full, top(lines.size()) + bodyHeight + MARGIN, BufferedImage.TYPE_INT_RGB);
        pen = image.createGraphics();
        pen.setColor(Color.WHITE);
        pen.fillRect(0, 0, image.getWidth(), image.getHeight());
        pen.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        for (int i = 0; i < lines.size(); i++) {
            pen.setFont(font(i == 0));
            pen.setColor(i == 0 ? TEXT : SOFT);
            pen.drawString(lines.get(i), MARGIN, MARGIN + 14 + i * LINE);
        }
    }

    /// Distance of the body from the upper edge.
    static int top(int lines) {
        return MARGIN + lines * LINE + 8;
    }

    /// The factor by which images are enlarged: a whole number, so that every pixel keeps its shape.
    static int scale(ImageBatch images) {
        return Math.max(1, CELL / Math.max(images.width(), images.height()));
    }

    void picture(ImageBatch images, int index, int left, int top, int scale) {
        for (int y = 0; y < images.height() * scale; y++) {
            for (int x = 0; x < images.width() * scale; x++) {
                image.setRGB(left + x, top + y, images.rgb(index, y / scale, x / scale));
            }
        }
    }

    void frame(int left, int top, int width, int height, Color colour, int thickness) {
        pen.setColor(colour);
        pen.setStroke(new BasicStroke(thickness, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER));
        int out = thickness / 2;
        pen.drawRect(left - out - 1, top - out - 1, width + 2 * out + 1, height + 2 * out + 1);
    }

    /// Writes `text` centered under a cell; text that is wider than the cell ends in an ellipsis.
    void label(String text, int left, int baseline, int width, Color colour) {
        pen.setFont(font(false));
        pen.setColor(colour);
        FontMetrics metrics = pen.getFontMetrics();
        String shown = text;
        while (metrics.stringWidth(shown) > width && shown.length() > 1) {
            shown = shown.substring(0, shown.length() - (shown.endsWith("…") ? 2 : 1)) + "…";
        }
        pen.drawString(shown, left + (width - metrics.stringWidth(shown)) / 2, baseline);
    }

    BufferedImage finish() {
        pen.dispose();
        return image;
    }

    private static Font font(boolean bold) {
        return Lettering.font(bold, bold ? 15 : 13);
    }

    private static int textWidth(String text, Font font) {
        Graphics2D probe = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        int width = probe.getFontMetrics(font).stringWidth(text);
        probe.dispose();
        return width;
    }
}
