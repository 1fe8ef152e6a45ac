package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Panel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The interactive figures: the legend that all of them share, and a frame for each panel. The script fills them.
final class FigureSection {
    private final List<RunCurves> runs;
    private final RunStyles styles;
    private final SummaryTable table;
    private final Map<Panel, List<ChartSpec>> panels;

    FigureSection(StudyReport report, List<ChartSpec> charts) {
        runs = report.runs();
        styles = new RunStyles(runs);
        table = new SummaryTable(report);
        panels = charts.stream()
                .collect(Collectors.groupingBy(ChartSpec::panel, LinkedHashMap::new, Collectors.toList()));
    }

    void appendTo(StringBuilder html) {
        html.append("<section id=\"figures\">\n");
        if (panels.isEmpty()) {
            html.append("<h2>Figures</h2>\n<p class=\"hint\">Nothing has been measured yet.</p>\n</section>\n");
            return;
        }
        legend(html);
        String section = "";
        for (Map.Entry<Panel, List<ChartSpec>> entry : panels.entrySet()) {
            String next = entry.getKey().section();
            if (!next.equals(section)) {
                html.append(section.isEmpty() ? "" : "</div>\n");
                html.append("<h2>").append(next).append("</h2>\n<div class=\"panels\">\n");
                section = next;
            }
            panel(html, entry.getKey(), entry.getValue());
            if (entry.getKey() == Panel.FIT) {
                html.append("<figure class=\"law\">\n<h3>Power laws</h3>\n").append(table.fits());
                html.append(
                        "<figcaption>Least squares in log-log. Every run that reached the event counts alike: the intervals"
                                + " of single times do not enter, their scatter about the line does. Intervals of the"
                                + " exponent at 95 %: Student’s t of the regression, and the bootstrap over runs, which is"
                                + " too narrow for fewer than about ten. The prefactor is in optimizer updates. An exponent"
                                + " of 1 is growth proportional to the variable, 0 is independence of it.</figcaption>\n"
                                + "</figure>\n");
            }
        }
        html.append("</div>\n<noscript><p class=\"warning\">The curves need JavaScript; the PNG figures beside this"
                + " page show the same.</p></noscript>\n</section>\n");
    }

    private void legend(StringBuilder html) {
        html.append("<div class=\"legend\" role=\"group\" aria-label=\"runs shown\">\n");
        for (int i = 0; i < runs.size(); i++) {
            html.append("<button type=\"button\" aria-pressed=\"true\" data-run=\"")
                    .append(i)
                    .append("\">");
            html.append(SummaryTable.swatch(styles.of(i)));
            html.append(Markup.escape(styles.label(i))).append("</button>\n");
        }
        html.append("<button type=\"button\" class=\"all\" data-run=\"all\">show all</button>\n</div>\n");
    }

    private static void panel(StringBuilder html, Panel panel, List<ChartSpec> charts) {
        html.append("<figure class=\"panel\" id=\"").append(panel.id()).append("\">\n<div class=\"bar\">");
        if (charts.size() > 1) {
            html.append("<div class=\"tabs\" role=\"group\">");
            for (ChartSpec chart : charts) {
                html.append("<button type=\"button\" data-tab=\"")
                        .append(Markup.escape(chart.id()))
                        .append("\">");
                html.append(Markup.escape(chart.tab())).append("</button>");
            }
            html.append("</div>");
        }
        html.append("<div class=\"scales\"><button type=\"button\" data-scale=\"x\">log x</button>")
                .append("<button type=\"button\" data-scale=\"y\">log y</button></div></div>\n");
        for (ChartSpec chart : charts) {
            html.append("<div class=\"chart\" data-chart=\"")
                    .append(Markup.escape(chart.id()))
                    .append("\">\n<h3>");
            html.append(Markup.math(chart.title())).append("</h3>\n<div class=\"plot\"></div>\n<figcaption>");
            html.append(Markup.math(chart.note())).append("</figcaption>\n</div>\n");
        }
        html.append("</figure>\n");
    }
}
