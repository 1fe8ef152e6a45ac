package dev.rote.tools.report;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/// Generated images beside their nearest training images, the most alike first; copies are framed. A sample is a copy
/// when `d1/d2 < k` (Bonnaire et al. 2025, arXiv:2505.17638, k = 1/3).
public final class NeighbourSheet {
    private static final int GAP = 3;
    private static final int FRAME = 4;
    private static final int BETWEEN = 18;

    private NeighbourSheet() {}

    /// What a sheet shows. All batches have the same N, H and W; row i belongs together.
    ///
    /// @param samples generated images
    /// @param nearest their nearest training images
    /// @param second their second nearest training images, or empty to leave them out
    /// @param ratios `d1/d2` of each sample
    /// @param k threshold below which a sample is a copy
    public record Matches(
            ImageBatch samples, ImageBatch nearest, Optional<ImageBatch> second, List<Double> ratios, double k) {
        public Matches {
            samples.requireSameShape(nearest, "nearest");
            second.ifPresent(s -> samples.requireSameShape(s, "second"));
            ratios = List.copyOf(ratios);
            if (ratios.size() != samples.count()) {
                throw new IllegalArgumentException("ratios: expected " + samples.count() + ", found " + ratios.size());
            }
        }

        private List<ImageBatch> columns() {
            List<ImageBatch> columns = new ArrayList<>(List.of(samples, nearest));
            second.ifPresent(columns::add);
            return columns;
        }

        private boolean isCopy(int i) {
            return ratios.get(i) < k;
        }
    }

    /// Draws the matches sorted by ratio, NaN last.
    ///
    /// @param perRow matches beside each other, at least 1
    public static BufferedImage draw(SheetHeader header, Matches matches, int perRow) {
        if (perRow < 1) {
            throw new IllegalArgumentException("perRow must be at least 1, is " + perRow);
        }
        int scale = SheetCanvas.scale(matches.samples());
        int width = matches.samples().width() * scale;
        int height = matches.samples().height() * scale;
        List<ImageBatch> columns = matches.columns();
        int cell = columns.size() * width + (columns.size() - 1) * GAP;
        int rowHeight = height + 2 * FRAME + SheetCanvas.LINE + 8;
        int used = Math.max(1, Math.min(perRow, matches.samples().count()));
        int rows = Math.ceilDiv(matches.samples().count(), used);
        List<String> lines = List.of(header.text(), legend(matches));
        SheetCanvas canvas = new SheetCanvas(used * (cell + BETWEEN) - BETWEEN, rows * rowHeight, lines);
        List<Integer> order = order(matches);
        for (int i = 0; i < order.size(); i++) {
            int match = order.get(i);
            int left = SheetCanvas.MARGIN + i % used * (cell + BETWEEN);
            int top = SheetCanvas.top(lines.size()) + FRAME + i / used * rowHeight;
            for (int c = 0; c < columns.size(); c++) {
                canvas.picture(columns.get(c), match, left + c * (width + GAP), top, scale);
            }
            if (matches.isCopy(match)) {
                canvas.frame(left, top, cell, height, SheetCanvas.COPY, FRAME);
            }
            Color colour = matches.isCopy(match) ? SheetCanvas.COPY : SheetCanvas.SOFT;
            canvas.label(ratio(matches.ratios().get(match)), left, top + height + FRAME + 16, cell, colour);
        }
        return canvas.finish();
    }

    /// Draws and writes a PNG.
    ///
    /// @throws EnvironmentException when it cannot be written
    public static Path writePng(Path file, SheetHeader header, Matches matches, int perRow) {
        return Output.writePng(file, draw(header, matches, perRow));
    }

    static List<Integer> order(Matches matches) {
        return IntStream.range(0, matches.samples().count())
                .boxed()
                .sorted(Comparator.comparingDouble(matches.ratios()::get))
                .toList();
    }

    private static String legend(Matches matches) {
        long copies = IntStream.range(0, matches.ratios().size())
                .filter(matches::isCopy)
                .count();
        String columns = matches.second().isPresent()
                ? "sample, nearest and second nearest training image"
                : "sample, nearest training image";
        return columns + "; below: d1/d2. Framed: copies (d1/d2 < " + Digits.ratio(matches.k()) + "), " + copies
                + " of " + matches.ratios().size() + " here";
    }

    private static String ratio(double ratio) {
        return Double.isFinite(ratio) ? String.format(Locale.ROOT, "%.2f", ratio) : "–";
    }
}
