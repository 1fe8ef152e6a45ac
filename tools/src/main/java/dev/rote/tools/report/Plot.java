package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Panel;
import dev.rote.tools.report.ChartSpec.Role;
import dev.rote.tools.report.ChartSpec.Series;
import java.util.List;

/// A figure with lines and points of any kind, for reports that are not about runs.
///
/// @param id file name without ending, unique in a report
/// @param frame plots of one frame are shown as its tabs
/// @param tab the tab's label
/// @param title over the figure
/// @param note below it, plain text
/// @param series in drawing order; equal labels share an entry of the legend
public record Plot(String id, String frame, String tab, String title, String note, Axis x, Axis y, List<Line> series) {
    public Plot {
        series = List.copyOf(series);
    }

    /// @param log whether the axis is logarithmic at first
    public record Axis(String label, boolean log) {}

    /// How a series is drawn.
    public enum Style {
        SOLID,
        DASHED,
        /// Markers without a line; error bars where points have intervals.
        POINTS
    }

    /// A colour: number `index` of `count` in order, or of a set without order if `count` is 0.
    public record Shade(int index, int count) {}

    public record Line(String label, Shade shade, Style style, List<Point> points) {
        public Line {
            points = List.copyOf(points);
        }
    }

    ChartSpec spec() {
        return new ChartSpec(
                id,
                Panel.THEORY,
                tab,
                title,
                note,
                new ChartSpec.Axis(x.label, x.log, false),
                new ChartSpec.Axis(y.label, y.log, false),
                series.stream().map(Plot::drawn).toList(),
                List.of());
    }

    private static Series drawn(Line line) {
        Shade shade = line.shade;
        boolean ordered = shade.count > 0;
        int light =
                ordered ? Palette.sequential(shade.index, shade.count, false) : Palette.category(shade.index, false);
        int dark = ordered ? Palette.sequential(shade.index, shade.count, true) : Palette.category(shade.index, true);
        Ink.Symbol symbol = Ink.Symbol.values()[Math.floorMod(shade.index, Ink.Symbol.values().length)];
        Ink.Dash dash = line.style == Style.DASHED ? Ink.Dash.DASHED : Ink.Dash.SOLID;
        Role role = line.style == Style.POINTS ? Role.POINTS : Role.FIT;
        return new Series(line.label, -1, new Ink(light, dark, dash, symbol), role, line.points);
    }
}
