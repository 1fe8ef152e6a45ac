package dev.rote.tools.report;

import dev.rote.tools.report.AuditReport.Bars;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// A histogram as SVG inside the page: samples as bars, held-out images as a line of steps. The axis of shares is
/// logarithmic, so that a single copy among thousands can be seen.
final class HistogramSvg {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 300;
    private static final int LEFT = 64;
    private static final int BOTTOM = 44;
    private static final int TOP = 12;
    private static final int RIGHT = 12;
    private static final int TICKS = 5;

    private final Bars bars;
    private final int lowest; // power of ten below the smallest share

    private HistogramSvg(Bars bars) {
        this.bars = bars;
        double least = Stream.concat(bars.samples().stream(), bars.heldOut().stream())
                .filter(share -> share > 0)
                .mapToDouble(Double::doubleValue)
                .min()
                .orElse(0.1);
        this.lowest = Math.min(-1, (int) Math.ceil(Math.log10(least)) - 1);
    }

    static String of(Bars bars) {
        return new HistogramSvg(bars).draw();
    }

    private String draw() {
        StringBuilder svg = new StringBuilder(1 << 14);
        svg.append("<svg class=\"histogram\" viewBox=\"0 0 " + WIDTH + " " + HEIGHT + "\" role=\"img\" aria-label=\"")
                .append(Markup.escape(bars.title()))
                .append("\">\n");
        grid(svg);
        for (int i = 0; i < bars.samples().size(); i++) {
            double share = bars.samples().get(i);
            if (share > 0) {
                double y = y(share);
                add(
                        svg,
                        "<rect class=\"samples\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                        x(i) + 0.5,
                        y,
                        Math.max(1, x(i + 1) - x(i) - 1),
                        bottom() - y);
            }
        }
        steps(svg, bars.heldOut());
        mark(svg);
        add(
                svg,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                (LEFT + WIDTH - RIGHT) / 2,
                HEIGHT - 6,
                Markup.escape(bars.axis()));
        return svg.append("</svg>\n").toString();
    }

    private void grid(StringBuilder svg) {
        for (int power = lowest; power <= 0; power++) {
            double y = y(Math.pow(10, power));
            add(svg, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH - RIGHT, y, y);
            add(
                    svg,
                    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                    LEFT - 6,
                    y + 4,
                    Digits.percent(Math.pow(10, power)));
        }
        double end = bars.low() + bars.samples().size() * bars.width();
        double step = roundStep((end - bars.low()) / TICKS);
        for (double at = Math.ceil(bars.low() / step) * step; at <= end + 1e-9 * step; at += step) {
            String anchor = at > end - 0.1 * step ? "end" : "middle";
            add(
                    svg,
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>\n",
                    x((at - bars.low()) / bars.width()),
                    HEIGHT - BOTTOM + 18,
                    anchor,
                    Digits.compact(at));
        }
    }

    /// 1, 2 or 5 times a power of ten, at least `least`.
    private static double roundStep(double least) {
        double power = Math.pow(10, Math.floor(Math.log10(least)));
        double factor = least / power;
        return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
    }

    private void steps(StringBuilder svg, List<Double> shares) {
        if (shares.isEmpty()) {
            return;
        }
        svg.append("<path class=\"heldout\" d=\"");
        add(svg, "M%.1f %.1f", x(0), bottom());
        for (int i = 0; i < shares.size(); i++) {
            double y = shares.get(i) > 0 ? y(shares.get(i)) : bottom();
            add(svg, "L%.1f %.1fL%.1f %.1f", x(i), y, x(i + 1), y);
        }
        add(svg, "L%.1f %.1f\"/>\n", x(shares.size()), bottom());
    }

    private void mark(StringBuilder svg) {
        double bin = (bars.mark() - bars.low()) / bars.width();
        if (!(bin >= 0 && bin <= bars.samples().size())) {
            return;
        }
        add(svg, "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%.1f\"/>", x(bin), x(bin), TOP, bottom());
        add(
                svg,
                "<text class=\"mark\" x=\"%.1f\" y=\"%d\">%s</text>\n",
                x(bin) + 4,
                TOP + 12,
                Markup.escape(bars.markLabel()));
    }

    private double x(double bin) {
        return LEFT + bin / bars.samples().size() * (WIDTH - LEFT - RIGHT);
    }

    private double y(double share) {
        double part = Math.clamp((Math.log10(share) - lowest) / -lowest, 0.0, 1.0);
        return bottom() - part * (bottom() - TOP);
    }

    private static double bottom() {
        return HEIGHT - BOTTOM;
    }

    private static void add(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values));
    }
}
