package dev.rote.tools.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The report of a study as one self-contained page: no request leaves it, images and the chart library (Apache
/// ECharts, Apache-2.0) are inside.
public final class HtmlReport {
    /// Forbids every request by the page; only what is inside it may run or show.
    static final String POLICY =
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

    static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("d MMMM yyyy, HH:mm 'UTC'", Locale.ENGLISH)
            .withZone(ZoneOffset.UTC);

    private HtmlReport() {}

    /// Writes `report.html` into `folder`, which is made when absent; an older report is replaced in one move.
    ///
    /// @return the file
    /// @throws EnvironmentException when it cannot be written, or a sheet's image cannot be read
    public static Path write(StudyReport report, Path folder) {
        return Output.write(folder.resolve("report.html"), page(report));
    }

    static String page(StudyReport report) {
        List<ChartSpec> charts = Charts.of(report);
        StringBuilder html = new StringBuilder(1 << 21);
        html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.append("<meta http-equiv=\"Content-Security-Policy\" content=\"" + POLICY + "\">\n");
        html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.append("<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
        html.append(Markup.escape(report.name())).append("</title>\n<style>\n");
        html.append(resource("report.css")).append("</style>\n</head>\n<body>\n<main>\n");
        header(html, report);
        summary(html, report);
        new FigureSection(report, charts).appendTo(html);
        SheetSection.appendTo(html, report.sheets());
        html.append(definitions(report.headline()));
        setup(html, report);
        html.append("</main>\n<script type=\"application/json\" id=\"charts\">");
        html.append(Markup.scriptJson(PageCharts.json(charts))).append("</script>\n<script>");
        html.append(resource("echarts/echarts.min.js")).append("</script>\n<script>\n");
        html.append(resource("axes.js")).append(resource("charts.js")).append(resource("page.js"));
        return html.append("</script>\n</body>\n</html>\n").toString();
    }

    private static void header(StringBuilder html, StudyReport report) {
        Provenance made = report.provenance();
        html.append("<header>\n<p class=\"kicker\">Memorization study</p>\n<h1>")
                .append(Markup.escape(report.name()))
                .append("</h1>\n");
        if (!report.description().isBlank()) {
            html.append("<p class=\"lead\">")
                    .append(Markup.escape(report.description()))
                    .append("</p>\n");
        }
        html.append("<p class=\"made\">").append(DATE.format(made.date())).append(" · Rote ");
        html.append(Markup.escape(made.version()));
        if (!made.commit().isEmpty()) {
            html.append(" (").append(Markup.escape(made.commit())).append(")");
        }
        html.append(" · ").append(Markup.escape(made.device())).append("</p>\n</header>\n");
    }

    private static void summary(StringBuilder html, StudyReport report) {
        SummaryTable table = new SummaryTable(report);
        html.append("<section id=\"summary\">\n<p class=\"verdict\">");
        html.append(Markup.math(Verdict.headline(report))).append("</p>\n<ul class=\"facts\">\n");
        for (String sentence : Verdict.details(report)) {
            html.append("<li>").append(Markup.math(sentence)).append("</li>\n");
        }
        html.append("</ul>\n");
        for (String warning : report.warnings()) {
            html.append("<p class=\"warning\"><strong>Note.</strong> ")
                    .append(Markup.math(warning))
                    .append("</p>\n");
        }
        html.append(LandscapeSection.of(report.findings().landscape()));
        if (!report.runs().isEmpty()) {
            html.append("<h2>Runs</h2>\n<p class=\"hint\">")
                    .append(Markup.math(table.intervals()))
                    .append("</p>\n");
            html.append(table.runs()).append(table.otherClocks()).append(table.overSeeds());
        }
        html.append("</section>\n");
    }

    /// The definitions with the study's own thresholds and ratio.
    private static String definitions(Headline headline) {
        List<String> thresholds =
                headline.thresholds().stream().map(Digits::percent).toList();
        return resource("definitions.html")
                .replace("{thresholds}", String.join(", ", thresholds))
                .replace("{threshold}", thresholds.getFirst())
                .replace("{k}", Digits.ratio(headline.k()));
    }

    private static void setup(StringBuilder html, StudyReport report) {
        Provenance made = report.provenance();
        html.append(
                "<section id=\"setup\">\n<h2>Setup</h2>\n<div class=\"columns\">\n<div><h3>Configuration</h3>\n<pre>");
        html.append(Markup.escape(report.configuration())).append("</pre></div>\n<div><h3>Environment</h3>\n<dl>\n");
        term(html, "version", made.version());
        term(html, "commit", made.commit().isEmpty() ? "unknown" : made.commit());
        term(html, "device", made.device());
        term(html, "written", made.date().toString());
        for (Map.Entry<String, String> line : made.environment().entrySet()) {
            term(html, line.getKey(), line.getValue());
        }
        html.append("</dl></div>\n</div>\n</section>\n");
    }

    static void term(StringBuilder html, String name, String value) {
        html.append("<dt>").append(Markup.escape(name)).append("</dt><dd>");
        html.append(Markup.escape(value)).append("</dd>\n");
    }

    static String resource(String name) {
        try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new AssertionError("resource " + name + " is missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
