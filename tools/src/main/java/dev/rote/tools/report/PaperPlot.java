package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Axis;
import dev.rote.tools.report.ChartSpec.Panel;
import dev.rote.tools.report.ChartSpec.Role;
import dev.rote.tools.report.ChartSpec.Rule;
import dev.rote.tools.report.ChartSpec.Series;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// One [ChartSpec] on paper, drawn by XChart.
final class PaperPlot {
    static final int WIDTH = 1200;
    static final int HEIGHT = 800;
    private static final Color TEXT = new Color(0x1d2026);
    private static final Color GRID = new Color(0xe8e8e6);

    private final ChartSpec spec;
    private final XYChart chart;
    private final Set<String> listed = new HashSet<>();
    private double[] xRange;
    private double[] yRange;
    private int parts;

    private PaperPlot(ChartSpec spec) {
        this.spec = spec;
        chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(spec.title())
                .xAxisTitle(spec.x().label())
                .yAxisTitle(spec.y().label())
                .build();
    }

    static BufferedImage draw(ChartSpec spec) {
        return BitmapEncoder.getBufferedImage(chart(spec));
    }

    /// What is drawn; series that are not shown in the legend have names of their own.
    static XYChart chart(ChartSpec spec) {
        PaperPlot plot = new PaperPlot(spec);
        plot.ranges();
        plot.style();
        plot.rules();
        plot.bands();
        spec.series().forEach(plot::line);
        plot.explain();
        return plot.chart;
    }

    private void ranges() {
        xRange = range(spec.x(), points().mapToDouble(Point::x));
        DoubleStream ends = points().flatMapToDouble(p -> DoubleStream.of(p.y(), p.low(), p.high()));
        DoubleStream bases = spec.rules().stream().filter(r -> r.run() >= 0).mapToDouble(Rule::y);
        yRange = range(spec.y(), DoubleStream.concat(spec.y().log() ? points().mapToDouble(Point::y) : ends, bases));
    }

    private Stream<Point> points() {
        return spec.series().stream().flatMap(s -> drawable(s).stream());
    }

    private static double[] range(Axis axis, DoubleStream values) {
        var found =
                values.filter(v -> Double.isFinite(v) && (!axis.log() || v > 0)).summaryStatistics();
        if (found.getCount() == 0) {
            return axis.log() ? new double[] {1, 10} : new double[] {0, 1};
        }
        double low = found.getMin();
        double high = found.getMax();
        if (axis.log()) {
            double pad = Math.pow(high / low, 0.04) * 1.04;
            return new double[] {low / pad, high * pad};
        }
        double span = high > low ? high - low : Math.max(1e-9, Math.abs(high));
        return new double[] {axis.percent() ? 0 : low - 0.05 * span, high + 0.06 * span};
    }

    private void style() {
        XYStyler style = chart.getStyler();
        Font font = Lettering.font(false, 18);
        style.setChartBackgroundColor(Color.WHITE).setChartFontColor(TEXT).setBaseFont(font);
        style.setChartTitleFont(Lettering.font(true, 20))
                .setChartTitleBoxVisible(false)
                .setChartTitlePadding(12);
        style.setChartPadding(18).setPlotBackgroundColor(Color.WHITE).setPlotBorderColor(new Color(0x70757d));
        style.setLegendFont(font.deriveFont(16f))
                .setLegendBorderColor(Color.WHITE)
                .setLegendSeriesLineLength(44);
        style.setLegendPosition(LegendPosition.OutsideE);
        style.setLegendBackgroundColor(Color.WHITE);
        style.setMarkerSize(8);
        style.setAxisTitleFont(font).setAxisTickLabelsFont(font.deriveFont(16f)).setAxisTitlePadding(12);
        style.setPlotGridLinesColor(GRID)
                .setPlotGridLinesStroke(new BasicStroke(1))
                .setPlotContentSize(1);
        style.setPlotMargin(0);
        style.setXAxisLogarithmic(spec.x().log()).setYAxisLogarithmic(spec.y().log());
        style.setXAxisMin(xRange[0])
                .setXAxisMax(xRange[1])
                .setYAxisMin(yRange[0])
                .setYAxisMax(yRange[1]);
        style.setXAxisTickLabelsFormattingFunction(v -> label(spec.x(), v, xRange));
        style.setYAxisTickLabelsFormattingFunction(v -> label(spec.y(), v, yRange));
        style.setXAxisLogarithmicDecadeOnly(false).setYAxisLogarithmicDecadeOnly(false);
        style.setAxisTickPadding(8);
        style.setXAxisTickMarkSpacingHint(120).setYAxisTickMarkSpacingHint(70);
    }

    /// Powers of ten are written as such beyond 10 000; between them a log axis labels 2 and 5 when it is short.
    private static String label(Axis axis, double value, double[] range) {
        if (axis.percent()) {
            return Digits.percent(value);
        }
        if (!axis.log()) {
            return Digits.compact(value);
        }
        double decades = Math.log10(range[1] / range[0]);
        int exponent = (int) Math.floor(Math.log10(value) + 1e-9);
        double digit = value / Math.pow(10, exponent);
        boolean written = Math.abs(digit - 1) < 1e-6
                || (decades < 2.6 && (Math.abs(digit - 2) < 1e-6 || Math.abs(digit - 5) < 1e-6))
                || decades < 0.8;
        if (!written) {
            return "";
        }
        boolean power = Math.abs(digit - 1) < 1e-6 && (value >= 1e5 || value < 1e-3);
        return power ? Digits.powerOfTen(exponent) : Digits.compact(value);
    }

    private void rules() {
        for (int i = 0; i < spec.rules().size(); i++) {
            Rule rule = spec.rules().get(i);
            if (rule.y() > yRange[1] || rule.y() < yRange[0]) {
                continue;
            }
            boolean own = rule.run() >= 0;
            XYSeries series =
                    chart.addSeries("rule" + i, new double[] {xRange[0], xRange[1]}, new double[] {rule.y(), rule.y()});
            series.setXYSeriesRenderStyle(XYSeriesRenderStyle.Line).setMarker(SeriesMarkers.NONE);
            series.setLineColor(new Color(rule.ink().light()));
            series.setLineStyle(own ? stroke(1.6f, 2, 4) : stroke(1f, 7, 5));
            series.setShowInLegend(false);
        }
    }

    private void bands() {
        for (int i = 0; i < spec.series().size(); i++) {
            Series series = spec.series().get(i);
            List<Point> bounded =
                    drawable(series).stream().filter(Point::hasInterval).toList();
            if (series.role() != Role.POINTS && bounded.size() > 1) {
                band("band" + i, bounded, series.ink());
            }
        }
    }

    private void band(String name, List<Point> points, Ink ink) {
        List<double[]> outline = new ArrayList<>();
        points.forEach(p -> outline.add(new double[] {p.x(), inRange(p.high())}));
        points.reversed().forEach(p -> outline.add(new double[] {p.x(), inRange(p.low())}));
        XYSeries series = chart.addSeries(
                name,
                outline.stream().mapToDouble(p -> p[0]).toArray(),
                outline.stream().mapToDouble(p -> p[1]).toArray());
        Color colour = new Color(ink.light());
        series.setXYSeriesRenderStyle(XYSeriesRenderStyle.PolygonArea).setMarker(SeriesMarkers.NONE);
        series.setFillColor(new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), 34));
        series.setLineColor(new Color(0, 0, 0, 0)).setLineStyle(stroke(0.1f));
        series.setShowInLegend(false);
    }

    private double inRange(double y) {
        return Math.clamp(y, yRange[0], yRange[1]);
    }

    private void line(Series series) {
        if (drawable(series).isEmpty()) {
            return;
        }
        List<Point> points = gapped(series);
        if (spec.panel() == Panel.FIT && series.role() == Role.FIT) {
            points = List.of(points.getFirst(), points.getLast()); // straight on these axes
        }
        String name = series.label();
        double[] x = points.stream().mapToDouble(Point::x).toArray();
        double[] y = points.stream().mapToDouble(Point::y).toArray();
        Color colour = new Color(series.ink().light());
        if (series.role() == Role.POINTS) {
            points.stream().filter(Point::hasOpenInterval).forEach(p -> errorBar(p, colour));
        }
        XYSeries drawn = chart.addSeries(unique(name, "series" + parts++), x, y);
        boolean lined = series.role() == Role.CURVE || series.role() == Role.COMPANION || series.role() == Role.FIT;
        drawn.setXYSeriesRenderStyle(lined ? XYSeriesRenderStyle.Line : XYSeriesRenderStyle.Scatter);
        drawn.setLineColor(colour);
        drawn.setMarkerColor(colour);
        drawn.setMarker(marker(series));
        drawn.setLineStyle(stroke(
                series.role() == Role.COMPANION ? 1.2f : 2.4f,
                series.ink().dash().lengths()));
        drawn.setShowInLegend(spec.isListed(series) && listed.add(name));
    }

    /// Whether some series of a role are not named themselves.
    private boolean hasUnlisted(Role role) {
        return spec.series().stream().anyMatch(s -> s.role() == role && !spec.isListed(s));
    }

    private void errorBar(Point point, Color colour) {
        String name = "bar" + parts++;
        XYSeries bar = chart.addSeries(
                name, new double[] {point.x(), point.x()}, new double[] {inRange(point.low()), inRange(point.high())});
        bar.setXYSeriesRenderStyle(XYSeriesRenderStyle.Line).setMarker(SeriesMarkers.NONE);
        bar.setLineColor(colour).setLineStyle(stroke(1.8f));
        bar.setShowInLegend(false);
    }

    /// Legend entries for what has no run of its own, in grey.
    private void explain() {
        if (hasUnlisted(Role.BOUNDS)) {
            entry("lower bound", stroke(0f)).setMarker(new HollowTriangle(true));
        }
        if (hasUnlisted(Role.UPPER_BOUNDS)) {
            entry("upper bound", stroke(0f)).setMarker(new HollowTriangle(false));
        }
        if (hasUnlisted(Role.COMPANION)) {
            entry("thin: training images", stroke(1.2f));
        }
        if (spec.rules().stream().anyMatch(r -> r.run() >= 0)) {
            entry("base rate (held-out)", stroke(1.6f, 2, 4));
        }
        if (spec.rules().stream().anyMatch(r -> r.run() < 0)) {
            entry(
                    spec.rules().stream()
                            .filter(r -> r.run() < 0)
                            .map(Rule::label)
                            .collect(Collectors.joining(", ")),
                    stroke(1f, 7, 5));
        }
    }

    private XYSeries entry(String name, BasicStroke line) {
        XYSeries series = chart.addSeries(name, new double[] {xRange[0]}, new double[] {Double.NaN});
        series.setXYSeriesRenderStyle(XYSeriesRenderStyle.Line).setMarker(SeriesMarkers.NONE);
        series.setLineColor(new Color(0x5c6370)).setLineStyle(line);
        series.setMarkerColor(new Color(0x5c6370));
        if (line.getLineWidth() == 0) {
            series.setXYSeriesRenderStyle(XYSeriesRenderStyle.Scatter);
        }
        return series;
    }

    /// XChart wants a name per series; only the first of those that share a legend entry bears the visible one.
    private String unique(String name, String otherwise) {
        return listed.contains(name) ? otherwise : name;
    }

    private static Marker marker(Series series) {
        return switch (series.role()) {
            case CURVE, POINTS ->
                switch (series.ink().symbol()) {
                    case CIRCLE -> SeriesMarkers.CIRCLE;
                    case SQUARE -> SeriesMarkers.SQUARE;
                    case DIAMOND -> SeriesMarkers.DIAMOND;
                    case TRIANGLE -> SeriesMarkers.TRIANGLE_UP;
                };
            case BOUNDS -> new HollowTriangle(true);
            case UPPER_BOUNDS -> new HollowTriangle(false);
            case COMPANION, FIT -> SeriesMarkers.NONE;
        };
    }

    /// An open triangle, which points up for a lower bound and down for an upper one.
    private static final class HollowTriangle extends Marker {
        private final boolean up;

        HollowTriangle(boolean up) {
            this.up = up;
        }

        @Override
        public void paint(Graphics2D g, double x, double y, int size) {
            double half = 0.75 * size;
            double tip = up ? -half : half;
            var path = new Path2D.Double();
            path.moveTo(x, y + tip);
            path.lineTo(x - half, y - tip);
            path.lineTo(x + half, y - tip);
            path.closePath();
            g.setStroke(new BasicStroke(2));
            g.draw(path);
        }
    }

    private static BasicStroke stroke(float width, float... dash) {
        return dash.length == 0
                ? new BasicStroke(width, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND)
                : new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, dash, 0);
    }

    /// The series with NaN, which XChart leaves open, for every value that the axis cannot show.
    private List<Point> gapped(Series series) {
        return series.points().stream()
                .filter(p -> Double.isFinite(p.x()) && (!spec.x().log() || p.x() > 0))
                .map(p -> p.isDrawable() && (!spec.y().log() || p.y() > 0) ? p : Point.of(p.x(), Double.NaN))
                .toList();
    }

    private List<Point> drawable(Series series) {
        return series.points().stream()
                .filter(p -> p.isDrawable()
                        && (!spec.x().log() || p.x() > 0)
                        && (!spec.y().log() || p.y() > 0))
                .toList();
    }
}
