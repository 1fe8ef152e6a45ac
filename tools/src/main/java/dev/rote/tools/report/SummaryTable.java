package dev.rote.tools.report;

import dev.rote.tools.report.Quantity.MemorizedFraction;
import dev.rote.tools.report.Reading.AtLeast;
import dev.rote.tools.report.Reading.BeforeFirst;
import dev.rote.tools.report.Reading.NotReached;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.Reading.Unknown;
import dev.rote.tools.report.ScalingFit.PowerLaw;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The tables of the report: one row per run with its times and its window, one per setting over its seeds, and one
/// per fit.
final class SummaryTable {
    private final StudyReport report;
    private final RunStyles styles;
    private final WindowStrip strip;

    SummaryTable(StudyReport report) {
        this.report = report;
        styles = new RunStyles(report.runs());
        strip = new WindowStrip(
                report.runs(), report.generation(), report.headline().tauMem());
    }

    /// Grid values, status, headline times, last f_mem and the window of every run.
    String runs() {
        List<Clock> clocks = clocks(true);
        StringBuilder html = new StringBuilder("<div class=\"scroll\"><table class=\"runs\">\n<thead><tr><th></th>");
        List<String> keys = RunStyles.labelKeys(report.runs());
        if (keys.isEmpty()) {
            html.append("<th>run</th>");
        }
        for (String key : keys) {
            html.append("<th>").append(Markup.escape(RunCurves.shortKey(key))).append("</th>");
        }
        html.append("<th>status</th>");
        heads(html, clocks);
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

    /// The clocks at other ratios than the headline's; empty text when there are none.
    String otherClocks() {
        List<Clock> clocks = clocks(false);
        if (clocks.isEmpty()) {
            return "";
        }
        StringBuilder html = new StringBuilder("<details><summary>Times at other ratios k</summary>")
                .append("<div class=\"scroll\"><table><thead><tr><th>run</th>");
        heads(html, clocks);
        html.append("</tr></thead><tbody>\n");
        for (int i = 0; i < report.runs().size(); i++) {
            RunCurves run = report.runs().get(i);
            html.append("<tr><td>").append(Markup.escape(styles.label(i))).append("</td>");
            clocks.forEach(c -> html.append(cell(run, c)));
            html.append("</tr>\n");
        }
        return html.append("</tbody></table></div></details>\n").toString();
    }

    /// Medians over the seeds of one setting with their intervals; empty text when no setting has several.
    String overSeeds() {
        List<OverSeeds> groups = report.findings().seeds();
        if (groups.isEmpty()) {
            return "";
        }
        List<Clock> clocks = groups.stream()
                .flatMap(group -> group.times().stream())
                .map(OverSeeds.Time::clock)
                .filter(report.headline()::leads)
                .distinct()
                .toList();
        List<String> keys = RunStyles.labelKeys(report.runs());
        StringBuilder html = new StringBuilder("<h2>Over seeds</h2>\n<p class=\"hint\">Medians over the runs of one")
                .append(
                        " setting, which differ in seed or block of images, with 95 % intervals from drawing the runs again (bootstrap). With two runs that is")
                .append(" their range, with few it is too narrow.</p>\n")
                .append("<div class=\"scroll\"><table><thead><tr><th>setting</th><th class=\"num\">runs</th>");
        heads(html, clocks);
        html.append("</tr></thead><tbody>\n");
        for (OverSeeds group : groups) {
            html.append("<tr><td>").append(Markup.escape(setting(group, keys))).append("</td>");
            html.append(num(Integer.toString(group.runs())));
            clocks.forEach(clock -> html.append(num(group.times().stream()
                    .filter(time -> time.clock().equals(clock))
                    .findFirst()
                    .map(time -> overSeeds(time, group.runs()))
                    .orElse("–"))));
            html.append("</tr>\n");
        }
        return html.append("</tbody></table></div>\n").toString();
    }

    private static String setting(OverSeeds group, List<String> shown) {
        String text = group.keys().entrySet().stream()
                .filter(entry -> shown.contains(entry.getKey()))
                .map(entry -> RunCurves.shortKey(entry.getKey()) + " = " + entry.getValue())
                .collect(Collectors.joining(", "));
        return text.isEmpty() ? "all runs" : text;
    }

    private static String overSeeds(OverSeeds.Time time, int runs) {
        String value = time.value() == 0
                ? "before first"
                : Double.isInfinite(time.value())
                        ? "not reached"
                        : (time.bounds() ? "≥ " : "") + Digits.compact(time.value());
        String reached = time.reached() == runs ? "" : "<small>" + time.reached() + " of " + runs + " known</small>";
        boolean known = time.high() > 0 && !Double.isInfinite(time.low());
        return value + (known ? "<small>" + interval(time.low(), time.high()) + "</small>" : "") + reached;
    }

    /// Exponents with intervals, prefactors and R²; empty text when nothing was fitted.
    String fits() {
        if (report.fits().isEmpty()) {
            return "";
        }
        StringBuilder html = new StringBuilder("<div class=\"scroll\"><table><thead><tr><th>time</th>")
                .append("<th>law</th><th class=\"num\">95 % interval</th><th class=\"num\">over runs</th>")
                .append("<th class=\"num\">prefactor</th><th class=\"num\">R²</th>")
                .append("<th class=\"num\">runs</th></tr></thead><tbody>\n");
        for (ScalingFit fit : report.fits()) {
            long reached = count(fit, Reached.class);
            long early = count(fit, BeforeFirst.class);
            html.append("<tr><td>").append(Markup.math(fit.label())).append("</td>");
            html.append(fit.law().map(l -> law(fit, l)).orElse("<td colspan=\"5\">too few points</td>"));
            html.append(num(reached + " of " + fit.points().size()
                            + (early > 0 ? "<small>" + early + " before first</small>" : "")))
                    .append("</tr>\n");
        }
        return html.append("</tbody></table></div>\n").toString();
    }

    private static long count(ScalingFit fit, Class<? extends Reading> kind) {
        return fit.points().stream().filter(p -> kind.isInstance(p.reading())).count();
    }

    private static String law(ScalingFit fit, PowerLaw law) {
        String text = fit.variable() + "^" + Digits.twoDecimals(law.slope());
        return "<td>∝ " + Markup.math(text) + "</td>"
                + num(exponents(law.low(), law.high()))
                + num(exponents(law.bootstrapLow(), law.bootstrapHigh()))
                + num(Digits.compact(law.prefactor()))
                + num(
                        Double.isFinite(law.rSquared()) && Double.isFinite(law.low())
                                ? String.format(Locale.ROOT, "%.3f", law.rSquared())
                                : "–");
    }

    private static String exponents(double low, double high) {
        return Double.isFinite(low) && Double.isFinite(high)
                ? Digits.twoDecimals(low) + " to " + Digits.twoDecimals(high)
                : "–";
    }

    private static String num(String text) {
        return "<td class=\"num\">" + text + "</td>";
    }

    private static void heads(StringBuilder html, List<Clock> clocks) {
        clocks.forEach(c -> html.append("<th class=\"num\">")
                .append(Markup.math(unbroken(c.label())))
                .append("</th>"));
    }

    /// No line break inside parentheses.
    private static String unbroken(String label) {
        int from = label.indexOf('(');
        return from < 0
                ? label
                : label.substring(0, from) + label.substring(from).replace(' ', '\u00a0');
    }

    /// Where the intervals of the main table come from.
    String intervals() {
        List<String> sources = new ArrayList<>();
        List<Clock> clocks = clocks(true);
        if (clocks.stream().anyMatch(clock -> clock instanceof Clock.TauMem || clock instanceof Clock.FirstCopy)) {
            sources.add("τ_mem and first copy by bootstrap");
        }
        if (clocks.contains(new Clock.TauGen())) {
            sources.add("τ_gen from the intervals of the Fréchet distance");
        }
        if (clocks.stream().anyMatch(Clock.TauKl.class::isInstance)) {
            sources.add("τ_KL from those of KL");
        }
        if (clocks.stream().anyMatch(Clock.LossSplit.class::isInstance)) {
            sources.add("the loss split from those of the losses");
        }
        String times = sources.isEmpty()
                ? "Times in optimizer updates."
                : "Times in optimizer updates with 95 % intervals over the samples of the run: "
                        + String.join(", ", sources) + ".";
        return times + " f_mem at k = " + Digits.ratio(report.headline().k()) + " with Wilson’s interval.";
    }

    private List<Clock> clocks(boolean headline) {
        List<Clock> clocks = new ArrayList<>();
        for (RunCurves run : report.runs()) {
            for (TimeScale time : run.times()) {
                if (report.headline().leads(time.clock()) == headline && !clocks.contains(time.clock())) {
                    clocks.add(time.clock());
                }
            }
        }
        return clocks;
    }

    private static String status(RunStatus status) {
        String note =
                status.note().isEmpty() ? "" : "<small class=\"note\">" + Markup.escape(status.note()) + "</small>";
        return "<td class=\"state " + status.state().word() + "\"><span>" + Markup.escape(status.describe()) + "</span>"
                + note + "</td>";
    }

    private static String cell(RunCurves run, Clock clock) {
        return num(
                run.time(clock).map(r -> reading(r, run.status().isComplete())).orElse("–"));
    }

    private static String reading(Reading reading, boolean complete) {
        return switch (reading) {
            case Reached r -> Digits.compact(r.value()) + interval(r);
            case NotReached r ->
                "&gt; " + Digits.steps(r.lastStep()) + "<small class=\"note\">"
                        + (complete ? "not reached" : "not yet reached") + "</small>";
            case BeforeFirst r -> "&lt; " + Digits.steps(r.firstStep()) + "<small class=\"note\">before first</small>";
            case AtLeast r ->
                "≥ " + Digits.steps(r.value()) + "<small class=\"note\">" + Markup.escape(r.reason()) + "</small>";
            case Unknown r -> "–<small class=\"note\">" + Markup.escape(r.reason()) + "</small>";
        };
    }

    private static String interval(Reached r) {
        return Double.isNaN(r.low()) || Double.isNaN(r.high())
                ? ""
                : "<small>" + interval(r.low(), r.high()) + "</small>";
    }

    /// `[320, 410]`; an end that lies beyond the measurements is open.
    private static String interval(double low, double high) {
        String from = low == 0 ? "(open" : "[" + Digits.compact(low);
        return from + ", " + (Double.isInfinite(high) ? "open)" : Digits.compact(high) + "]");
    }

    private String lastFraction(RunCurves run) {
        return run.curve(new MemorizedFraction(report.headline().k()))
                .filter(c -> !c.points().isEmpty())
                .map(c -> c.points().getLast())
                .map(p -> num(Digits.percent(p.y()) + "<small>" + Verdict.bounds(p.low(), p.high()) + "</small>"))
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
