package dev.rote.tools.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The report of a theory computation as one self-contained page, and its figures as PNG files.
public final class TheoryPage {
    private TheoryPage() {}

    /// Writes `report.html` into `folder`, which is made when absent.
    ///
    /// @return the file
    /// @throws dev.rote.errors.EnvironmentException when it cannot be written
    public static Path write(TheoryReport report, Path folder) {
        return Output.write(folder.resolve("report.html"), page(report));
    }

    /// Writes every plot that has something to show as `ID.png`; nothing where [Lettering] is missing.
    ///
    /// @throws dev.rote.errors.EnvironmentException when one cannot be written
    public static List<Path> writePng(List<Plot> plots, Path folder) {
        List<Path> files = new ArrayList<>();
        for (ChartSpec chart : specs(plots)) {
            if (Lettering.missing().isEmpty()) {
                files.add(Output.writePng(folder.resolve(chart.id() + ".png"), PaperPlot.draw(chart)));
            }
        }
        return files;
    }

    private static List<ChartSpec> specs(List<Plot> plots) {
        return plots.stream().map(Plot::spec).filter(spec -> !spec.isEmpty()).toList();
    }

    static String page(TheoryReport report) {
        StringBuilder html = new StringBuilder(1 << 21);
        html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.append("<meta http-equiv=\"Content-Security-Policy\" content=\"" + HtmlReport.POLICY + "\">\n");
        html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.append("<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
        html.append(Markup.escape(report.name())).append("</title>\n<style>\n");
        html.append(HtmlReport.resource("report.css")).append(HtmlReport.resource("audit.css"));
        html.append("figure .plot { height: 29rem; }\n</style>\n</head>\n<body>\n<main>\n");
        top(html, report);
        figures(html, report.plots());
        pictures(html, report.pictures());
        report.tables().forEach(table -> table(html, table));
        html.append(HtmlReport.resource("theory-definitions.html"));
        setup(html, report);
        html.append("</main>\n<script type=\"application/json\" id=\"charts\">");
        html.append(Markup.scriptJson(PageCharts.json(specs(report.plots()))));
        html.append("</script>\n<script>").append(HtmlReport.resource("echarts/echarts.min.js"));
        html.append("</script>\n<script>\n").append(HtmlReport.resource("axes.js"));
        html.append(HtmlReport.resource("charts.js")).append(HtmlReport.resource("page.js"));
        return html.append("</script>\n</body>\n</html>\n").toString();
    }

    private static void top(StringBuilder html, TheoryReport report) {
        Provenance made = report.provenance();
        html.append("<header>\n<p class=\"kicker\">Random features: theory and simulation</p>\n<h1>")
                .append(Markup.escape(report.name()))
                .append("</h1>\n");
        if (!report.description().isBlank()) {
            html.append("<p class=\"lead\">")
                    .append(Markup.escape(report.description()))
                    .append("</p>\n");
        }
        html.append("<p class=\"made\">")
                .append(HtmlReport.DATE.format(made.date()))
                .append(" · Rote ");
        html.append(Markup.escape(made.version())).append("</p>\n</header>\n<section id=\"summary\">\n");
        html.append("<p class=\"verdict\">")
                .append(Markup.math(report.verdict()))
                .append("</p>\n<ul class=\"facts\">\n");
        for (String fact : report.facts()) {
            html.append("<li>").append(Markup.math(fact)).append("</li>\n");
        }
        html.append("</ul>\n");
        for (String warning : report.warnings()) {
            html.append("<p class=\"warning\"><strong>Note.</strong> ")
                    .append(Markup.math(warning))
                    .append("</p>\n");
        }
        html.append("</section>\n");
    }

    private static void figures(StringBuilder html, List<Plot> plots) {
        Map<String, List<Plot>> frames = plots.stream()
                .filter(plot -> !plot.spec().isEmpty())
                .collect(Collectors.groupingBy(Plot::frame, LinkedHashMap::new, Collectors.toList()));
        html.append("<section id=\"figures\">\n<h2>Figures</h2>\n<div class=\"panels\">\n");
        frames.values().forEach(frame -> frame(html, frame));
        html.append(
                "</div>\n<noscript><p class=\"warning\">The curves need JavaScript; the PNG figures beside this page"
                        + " show the same.</p></noscript>\n</section>\n");
    }

    private static void frame(StringBuilder html, List<Plot> plots) {
        html.append("<figure class=\"panel\">\n<div class=\"bar\">");
        if (plots.size() > 1) {
            html.append("<div class=\"tabs\" role=\"group\">");
            for (Plot plot : plots) {
                html.append("<button type=\"button\" data-tab=\"")
                        .append(Markup.escape(plot.id()))
                        .append("\">")
                        .append(Markup.escape(plot.tab()))
                        .append("</button>");
            }
            html.append("</div>");
        }
        html.append("<div class=\"scales\"><button type=\"button\" data-scale=\"x\">log x</button>")
                .append("<button type=\"button\" data-scale=\"y\">log y</button></div></div>\n");
        for (Plot plot : plots) {
            html.append("<div class=\"chart\" data-chart=\"")
                    .append(Markup.escape(plot.id()))
                    .append("\">\n<h3>")
                    .append(Markup.math(plot.title()))
                    .append("</h3>\n<div class=\"plot\"></div>\n<figcaption>")
                    .append(Markup.math(plot.note()))
                    .append("</figcaption>\n</div>\n");
        }
        html.append("</figure>\n");
    }

    private static void pictures(StringBuilder html, List<Sheet> pictures) {
        if (pictures.isEmpty()) {
            return;
        }
        html.append("<section id=\"pictures\">\n<h2>Maps</h2>\n<div class=\"sheets\">\n");
        for (Sheet picture : pictures) {
            html.append("<figure>\n<h3>")
                    .append(Markup.math(picture.title()))
                    .append("</h3>\n<img alt=\"")
                    .append(Markup.escape(picture.title()))
                    .append("\" src=\"data:image/png;base64,")
                    .append(base64(picture.file()))
                    .append("\">\n<figcaption>")
                    .append(Markup.math(picture.caption()))
                    .append("</figcaption>\n</figure>\n");
        }
        html.append("</div>\n</section>\n");
    }

    private static String base64(Path file) {
        try {
            return Base64.getEncoder().encodeToString(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void table(StringBuilder html, AuditReport.Table table) {
        html.append("<section>\n<h2>").append(Markup.escape(table.title()));
        html.append("</h2>\n<div class=\"scroll\"><table class=\"scores\">\n<thead><tr>");
        for (int i = 0; i < table.head().size(); i++) {
            html.append(i == 0 ? "<th>" : "<th class=\"num\">")
                    .append(Markup.math(table.head().get(i)))
                    .append("</th>");
        }
        html.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : table.rows()) {
            html.append("<tr>");
            for (int i = 0; i < row.size(); i++) {
                html.append(i == 0 ? "<td>" : "<td class=\"num\">")
                        .append(Markup.math(row.get(i)))
                        .append("</td>");
            }
            html.append("</tr>\n");
        }
        html.append("</tbody></table></div>\n<p class=\"hint\">")
                .append(Markup.math(table.note()))
                .append("</p>\n</section>\n");
    }

    private static void setup(StringBuilder html, TheoryReport report) {
        Provenance made = report.provenance();
        html.append(
                "<section id=\"setup\">\n<h2>Setup</h2>\n<div class=\"columns\">\n<div><h3>Configuration</h3>\n<pre>");
        html.append(Markup.escape(report.configuration())).append("</pre></div>\n<div><h3>Environment</h3>\n<dl>\n");
        HtmlReport.term(html, "version", made.version());
        HtmlReport.term(html, "commit", made.commit().isEmpty() ? "unknown" : made.commit());
        HtmlReport.term(html, "device", made.device());
        made.environment().forEach((name, value) -> HtmlReport.term(html, name, value));
        html.append("</dl></div>\n</div>\n</section>\n");
    }
}
