package dev.rote.tools.report;

import dev.rote.tools.report.Quantity.MemorizedFraction;
import dev.rote.tools.report.Reading.BeforeFirst;
import dev.rote.tools.report.Reading.NotReached;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.Reading.Unknown;
import dev.rote.tools.report.ScalingFit.PowerLaw;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The tables of the report: one row per run with its times and its window, and one row per fit.
final class SummaryTable {
    private final StudyReport report;
    private final RunStyles styles;
    private final WindowStrip strip;

    SummaryTable(StudyReport report) {
        this.report = report;
        styles = new RunStyles(report.runs());
        strip = new WindowStrip(report.runs());
    }

    /// Grid values, status, headline times, last f_mem and the window of every run.
    String runs() {
        List<Clock> clocks = clocks(true);
        StringBuilder html = new StringBuilder("<div class=\"scroll\"><table class=\"runs\">\n<thead><tr><th></th>");
        List<String> keys = RunStyles.keys(report.runs());
        if (keys.isEmpty()) {
            html.append("<th>run</th>");
        }
        for (String key : keys) {
            html.append("<th>").append(Markup.escape(RunCurves.shortKey(key))).append("</th>");
        }
        html.append("<th>status</th>");
        clocks.forEach(c ->
                html.append("<th class=\"num\">").append(Markup.math(c.label())).append("</th>"));
        html.append("<th class=\"num\">last ").append(Markup.math("f_mem")).append("</th>");
        html.append("<th>").append(strip.header()).append("</th></tr></thead>\n<tbody>\n");
        for (int i = 0; i < report.runs().size(); i++) {
            RunCurves run = report.runs().get(i);
            boolean first = i > 0 && run.n() != report.runs().get(i - 1).n();
            html.append(first ? "<tr class=\"first\">" : "<tr>");
            html.append("<td>").append(swatch(styles.of(i))).append("</td>");
            if (keys.isEmpty()) {
                html.append("<td>").append(Markup.escape(run.name())).append("</td>");
            }
            for (String key : keys) {
                html.append("<td>")
                        .append(Markup.escape(run.keys().getOrDefault(key, "–")))
                        .append("</td>");
            }
            html.append(status(run.status()));
            clocks.forEach(c -> html.append(cell(run, c)));
            html.append(lastFraction(run)).append("<td>").append(strip.of(run)).append("</td></tr>\n");
        }
        return html.append("</tbody></table></div>\n").toString();
    }

    /// The clocks at other ratios than k = 1/3; empty text when there are none.
    String otherClocks() {
        List<Clock> clocks = clocks(false);
        if (clocks.isEmpty()) {
            return "";
        }
        StringBuilder html = new StringBuilder("<details><summary>Times at other ratios k</summary>")
                .append("<div class=\"scroll\"><table><thead><tr><th>run</th>");
        clocks.forEach(c ->
                html.append("<th class=\"num\">").append(Markup.math(c.label())).append("</th>"));
        html.append("</tr></thead><tbody>\n");
        for (RunCurves run : report.runs()) {
            html.append("<tr><td>").append(Markup.escape(run.label())).append("</td>");
            clocks.forEach(c -> html.append(cell(run, c)));
            html.append("</tr>\n");
        }
        return html.append("</tbody></table></div></details>\n").toString();
    }

    /// Exponents with intervals, prefactors and R²; empty text when nothing was fitted.
    String fits() {
        if (report.fits().isEmpty()) {
            return "";
        }
        StringBuilder html = new StringBuilder("<div class=\"scroll\"><table><thead><tr><th>time</th>")
                .append("<th>law</th><th class=\"num\">95 % interval</th>")
                .append("<th class=\"num\">prefactor</th><th class=\"num\">R²</th>")
                .append("<th class=\"num\">runs</th></tr></thead><tbody>\n");
        for (ScalingFit fit : report.fits()) {
            long reached = fit.points().stream()
                    .filter(p -> p.reading() instanceof Reached)
                    .count();
            html.append("<tr><td>").append(Markup.math(fit.label())).append("</td>");
            html.append(fit.law().map(l -> law(fit, l)).orElse("<td colspan=\"4\">too few points</td>"));
            html.append(num(reached + " of " + fit.points().size())).append("</tr>\n");
        }
        return html.append("</tbody></table></div>\n").toString();
    }

    private static String law(ScalingFit fit, PowerLaw law) {
        boolean bounded = Double.isFinite(law.low()) && Double.isFinite(law.high());
        String text = fit.variable() + "^" + Digits.twoDecimals(law.slope());
        return "<td>∝ " + Markup.math(text) + "</td>"
                + num(bounded ? Digits.twoDecimals(law.low()) + " to " + Digits.twoDecimals(law.high()) : "–")
                + num(Digits.compact(law.prefactor()))
                + num(Double.isFinite(law.rSquared()) ? String.format(Locale.ROOT, "%.3f", law.rSquared()) : "–");
    }

    private static String num(String text) {
        return "<td class=\"num\">" + text + "</td>";
    }

    private List<Clock> clocks(boolean headline) {
        List<Clock> clocks = new ArrayList<>();
        for (RunCurves run : report.runs()) {
            for (TimeScale time : run.times()) {
                if (time.clock().isHeadline() == headline && !clocks.contains(time.clock())) {
                    clocks.add(time.clock());
                }
            }
        }
        return clocks;
    }

    private static String status(RunStatus status) {
        String note = status.note().isEmpty() ? "" : "<small>" + Markup.escape(status.note()) + "</small>";
        return "<td class=\"state " + status.state().word() + "\"><span>" + Markup.escape(status.describe()) + "</span>"
                + note + "</td>";
    }

    private static String cell(RunCurves run, Clock clock) {
        return num(run.time(clock).map(r -> reading(r, run.status().isOver())).orElse("–"));
    }

    private static String reading(Reading reading, boolean over) {
        return switch (reading) {
            case Reached r -> Digits.compact(r.value()) + interval(r);
            case NotReached r ->
                "&gt; " + Digits.steps(r.lastStep()) + "<small>" + (over ? "not reached" : "not yet reached")
                        + "</small>";
            case BeforeFirst r -> "&lt; " + Digits.steps(r.firstStep()) + "<small>before the first measurement</small>";
            case Unknown r -> "–<small>" + Markup.escape(r.reason()) + "</small>";
        };
    }

    private static String interval(Reached r) {
        if (Double.isNaN(r.low()) || Double.isNaN(r.high())) {
            return "";
        }
        String high = Double.isInfinite(r.high()) ? "open)" : Digits.compact(r.high()) + "]";
        return "<small>[" + Digits.compact(r.low()) + ", " + high + "</small>";
    }

    private static String lastFraction(RunCurves run) {
        return run.curve(new MemorizedFraction(Clock.PAPER_K))
                .filter(c -> !c.points().isEmpty())
                .map(c -> c.points().getLast())
                .map(p -> num(Digits.percent(p.y())
                        + (p.hasInterval()
                                ? "<small>[" + Digits.compact(100 * p.low()) + ", " + Digits.compact(100 * p.high())
                                        + "]</small>"
                                : "")))
                .orElse(num("–"));
    }

    /// A short line in the run's ink.
    static String swatch(Ink ink) {
        StringBuilder dash = new StringBuilder();
        for (float length : ink.dash().lengths()) {
            dash.append(dash.isEmpty() ? "" : " ").append(Math.round(length * 0.7f));
        }
        return "<svg class=\"swatch\" style=\"--light:" + Ink.css(ink.light()) + ";--dark:" + Ink.css(ink.dark())
                + "\" width=\"34\" height=\"10\" aria-hidden=\"true\"><line x1=\"1\" y1=\"5\" x2=\"33\" y2=\"5\""
                + " stroke-width=\"3\" stroke-dasharray=\"" + dash + "\"/></svg>";
    }
}
