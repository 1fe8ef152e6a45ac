package dev.rote.tools.report;

import java.nio.file.Path;
import java.util.Map;

/// The report of an audit as one self-contained page without scripts: no request leaves it.
public final class AuditPage {
    private AuditPage() {}

    /// Writes `report.html` into `folder`, which is made when absent.
    ///
    /// @return the file
    /// @throws EnvironmentException when it cannot be written, or a sheet's image cannot be read
    public static Path write(AuditReport report, Path folder) {
        return Output.write(folder.resolve("report.html"), page(report));
    }

    /// Writes a text file beside it, whole or not at all.
    ///
    /// @throws EnvironmentException when it cannot be written
    public static Path writeText(Path file, String text) {
        return Output.write(file, text);
    }

    static String page(AuditReport report) {
        StringBuilder html = new StringBuilder(1 << 20);
        html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.append("<meta http-equiv=\"Content-Security-Policy\" content=\"" + HtmlReport.POLICY + "\">\n");
        html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.append("<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
        html.append(Markup.escape(report.title())).append("</title>\n<style>\n");
        html.append(HtmlReport.resource("report.css")).append(HtmlReport.resource("audit.css"));
        html.append("</style>\n</head>\n<body>\n<main>\n");
        top(html, report);
        for (AuditReport.Table table : report.tables()) {
            table(html, table);
        }
        histograms(html, report);
        SheetSection.appendTo(html, report.sheets());
        html.append(HtmlReport.resource("audit-definitions.html"));
        setup(html, report);
        return html.append("</main>\n</body>\n</html>\n").toString();
    }

    private static void top(StringBuilder html, AuditReport report) {
        Provenance made = report.provenance();
        html.append("<header>\n<p class=\"kicker\">Memorization audit</p>\n<h1>")
                .append(Markup.escape(report.title()))
                .append("</h1>\n<p class=\"made\">")
                .append(HtmlReport.DATE.format(made.date()))
                .append(" · Rote ")
                .append(Markup.escape(made.version()))
                .append("</p>\n</header>\n<section id=\"summary\">\n<p class=\"verdict\">")
                .append(Markup.math(report.verdict()))
                .append("</p>\n<ul class=\"facts\">\n");
        for (String sentence : report.facts()) {
            html.append("<li>").append(Markup.math(sentence)).append("</li>\n");
        }
        html.append("</ul>\n");
        for (String warning : report.warnings()) {
            html.append("<p class=\"warning\"><strong>Note.</strong> ")
                    .append(Markup.math(warning))
                    .append("</p>\n");
        }
        html.append("</section>\n");
    }

    private static void table(StringBuilder html, AuditReport.Table table) {
        html.append("<section>\n<h2>")
                .append(Markup.escape(table.title()))
                .append("</h2>\n<div class=\"scroll\"><table");
        html.append(" class=\"scores\">\n<thead><tr>");
        for (int i = 0; i < table.head().size(); i++) {
            html.append(i == 0 ? "<th>" : "<th class=\"num\">")
                    .append(Markup.escape(table.head().get(i)))
                    .append("</th>");
        }
        html.append("</tr></thead>\n<tbody>\n");
        for (var row : table.rows()) {
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

    private static void histograms(StringBuilder html, AuditReport report) {
        html.append("<section id=\"histograms\">\n<h2>Distances</h2>\n<div class=\"panels\">\n");
        for (AuditReport.Bars bars : report.histograms()) {
            html.append("<figure>\n<h3>").append(Markup.math(bars.title())).append("</h3>\n");
            html.append("<p class=\"keys\"><span class=\"key samples\">samples</span>");
            html.append(bars.heldOut().isEmpty() ? "" : "<span class=\"key heldout\">held-out images</span>");
            html.append("</p>\n").append(HistogramSvg.of(bars)).append("<figcaption>");
            html.append(Markup.math(bars.note())).append("</figcaption>\n</figure>\n");
        }
        html.append("</div>\n</section>\n");
    }

    private static void setup(StringBuilder html, AuditReport report) {
        html.append("<section id=\"setup\">\n<h2>Setup</h2>\n<dl>\n");
        report.setup().forEach((name, value) -> HtmlReport.term(html, name, value));
        for (Map.Entry<String, String> line : report.provenance().environment().entrySet()) {
            HtmlReport.term(html, line.getKey(), line.getValue());
        }
        html.append("</dl>\n</section>\n");
    }
}
