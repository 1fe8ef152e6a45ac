package dev.rote.tools.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;

/// Values over a grid as coloured cells with their numbers, on a white ground, with a stepped line where they cross a
/// level.
///
/// @param title over the map
/// @param x label and cell labels of the horizontal axis
/// @param y label and cell labels of the vertical axis, first at the bottom
/// @param values `[y][x]`, 0 or more; NaN leaves a cell empty
/// @param level where the line is drawn
/// @param scale what the colours mean
public record HeatMap(String title, Labels x, Labels y, double[][] values, double level, String scale) {
    private static final int CELL_WIDTH = 84;
    private static final int CELL_HEIGHT = 52;
    private static final int LEFT = 110;
    private static final int TOP = 60;
    private static final int BOTTOM = 110;
    private static final int RIGHT = 40;

    /// Room for the line below the map.
    private static final int LEAST_WIDTH = 720;

    /// Decades below the largest value that colours show.
    private static final double DECADES = 4;

    private static final int SHADES = 256;

    /// An axis of the map.
    public record Labels(String name, List<String> cells) {
        public Labels {
            cells = List.copyOf(cells);
        }
    }

    /// Writes it.
    ///
    /// @throws dev.rote.errors.EnvironmentException when it cannot be written
    public Path writePng(Path file) {
        return Output.writePng(file, draw());
    }

    private BufferedImage draw() {
        int columns = x.cells.size();
        int rows = y.cells.size();
        int width = Math.max(LEAST_WIDTH, LEFT + columns * CELL_WIDTH + RIGHT);
        var image = new BufferedImage(width, TOP + rows * CELL_HEIGHT + BOTTOM, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = image.createGraphics();
        pen.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        pen.setColor(Color.WHITE);
        pen.fillRect(0, 0, image.getWidth(), image.getHeight());
        double largest = 0;
        for (double[] row : values) {
            for (double value : row) {
                largest = value > largest ? value : largest;
            }
        }
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                cell(pen, row, column, largest);
            }
        }
        boundary(pen);
        letters(pen, rows, columns);
        pen.dispose();
        return image;
    }

    private void cell(Graphics2D pen, int row, int column, double largest) {
        double value = values[row][column];
        if (Double.isNaN(value)) {
            return;
        }
        double part = Math.clamp(1 + Math.log10(Math.max(value, 1e-300) / largest) / DECADES, 0, 1);
        int colour = Palette.sequential((int) Math.round(part * (SHADES - 1)), SHADES, true);
        pen.setColor(new Color(colour));
        pen.fillRect(left(column), top(row), CELL_WIDTH, CELL_HEIGHT);
        double light = 0.3 * (colour >> 16 & 255) + 0.6 * (colour >> 8 & 255) + 0.1 * (colour & 255);
        pen.setColor(light > 130 ? Color.BLACK : Color.WHITE);
        pen.setFont(Lettering.font(false, 14));
        centred(pen, Digits.compact(value), left(column) + CELL_WIDTH / 2, top(row) + CELL_HEIGHT / 2 + 5);
    }

    private void boundary(Graphics2D pen) {
        pen.setColor(Color.BLACK);
        pen.setStroke(new BasicStroke(3));
        for (int row = 0; row < values.length; row++) {
            for (int column = 0; column < values[row].length; column++) {
                boolean above = values[row][column] > level;
                if (column + 1 < values[row].length && above != values[row][column + 1] > level) {
                    pen.drawLine(left(column + 1), top(row), left(column + 1), top(row) + CELL_HEIGHT);
                }
                if (row + 1 < values.length && above != values[row + 1][column] > level) {
                    pen.drawLine(left(column), top(row), left(column + 1), top(row));
                }
            }
        }
    }

    private void letters(Graphics2D pen, int rows, int columns) {
        pen.setColor(new Color(0x1d2026));
        pen.setFont(Lettering.font(true, 18));
        pen.drawString(title, LEFT, 36);
        pen.setFont(Lettering.font(false, 16));
        int bottom = TOP + rows * CELL_HEIGHT;
        for (int column = 0; column < columns; column++) {
            centred(pen, x.cells.get(column), left(column) + CELL_WIDTH / 2, bottom + 24);
        }
        for (int row = 0; row < rows; row++) {
            String label = y.cells.get(row);
            int width = pen.getFontMetrics().stringWidth(label);
            pen.drawString(label, LEFT - 12 - width, top(row) + CELL_HEIGHT / 2 + 6);
        }
        centred(pen, x.name, LEFT + columns * CELL_WIDTH / 2, bottom + 52);
        pen.drawString(scale, LEFT, bottom + 84);
        var turned = (Graphics2D) pen.create();
        turned.rotate(-Math.PI / 2, 30, TOP + rows * CELL_HEIGHT / 2.0);
        centred(turned, y.name, 30, TOP + rows * CELL_HEIGHT / 2);
        turned.dispose();
    }

    private int left(int column) {
        return LEFT + column * CELL_WIDTH;
    }

    private int top(int row) {
        return TOP + (values.length - 1 - row) * CELL_HEIGHT;
    }

    private static void centred(Graphics2D pen, String text, int middle, int baseline) {
        pen.drawString(text, middle - pen.getFontMetrics().stringWidth(text) / 2, baseline);
    }
}
