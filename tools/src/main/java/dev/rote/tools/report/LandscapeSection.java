package dev.rote.tools.report;

import dev.rote.tools.report.PaperComparison.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The tables over several axes: the paper beside the study, exponents, collapses, ratios of times.
final class LandscapeSection {
    private LandscapeSection() {}

    /// Nothing for a study with one axis and no paper.
    static String of(Landscape landscape) {
        if (landscape.isEmpty()) {
            return "";
        }
        StringBuilder html = new StringBuilder("<div id=\"landscape\">\n");
        landscape.paper().ifPresent(paper -> paper(html, paper));
        if (!landscape.exponents().isEmpty()) {
            exponents(html, landscape.exponents());
        }
        if (!landscape.collapses().isEmpty()) {
            collapses(html, landscape.collapses());
        }
        if (!landscape.ratios().isEmpty()) {
            ratios(html, landscape.ratios());
        }
        return html.append("</div>\n").toString();
    }

    private static void paper(StringBuilder html, PaperComparison paper) {
        html.append(
                "<h2>Beside the paper</h2>\n<p class=\"hint\">Bonnaire et al. 2025, arXiv:2505.17638. The bands are ours:"
                        + " the paper gives none. Exponents and orders are judged for any study, constants only where the settings"
                        + " are the paper’s, and those read off the FID only with FID’s own features.");
        html.append(Markup.escape(
                paper.differences().isEmpty()
                        ? " They are."
                        : " Here they differ: " + String.join("; ", paper.differences()) + "."));
        paper.remarks().forEach(remark -> html.append(Markup.escape(" " + remark + ".")));
        html.append("</p>\n");
        List<Row> missing = paper.rows().stream()
                .filter(row -> row.outcome() == PaperComparison.Outcome.NOT_MEASURED)
                .toList();
        List<Row> there =
                paper.rows().stream().filter(row -> !missing.contains(row)).toList();
        if (!there.isEmpty()) {
            claims(html, there);
        }
        if (!missing.isEmpty()) {
            html.append("<details><summary>")
                    .append(missing.size() == 1 ? "1 claim that" : missing.size() + " claims that")
                    .append(" this study does not measure</summary>\n");
            claims(html, missing);
            html.append("</details>\n");
        }
    }

    private static void claims(StringBuilder html, List<Row> rows) {
        head(html, List.of("figure", "claim", "paper", "here", "band", "in the band?", ""));
        for (Row row : rows) {
            html.append("<tr class=\"")
                    .append(row.outcome().name().toLowerCase(Locale.ROOT))
                    .append("\">");
            cells(
                    html,
                    row.figure(),
                    row.claim(),
                    row.paper(),
                    row.ours().isEmpty() ? "–" : row.ours(),
                    row.band(),
                    row.outcome().word(),
                    row.note());
        }
        html.append("</tbody></table></div>\n");
    }

    private static void exponents(StringBuilder html, List<Exponents> laws) {
        List<String> variables = laws.stream()
                .flatMap(law -> law.terms().stream())
                .map(Exponents.Term::variable)
                .distinct()
                .toList();
        html.append("<h2>Laws in all axes</h2>\n<p class=\"hint\">")
                .append(Markup.math(
                        "τ = C nᵃ Wᵇ by maximum likelihood with log-normal scatter. Runs that did not reach the"
                                + " event, or had reached it at their first measurement, enter as bounds, so slow runs that ended"
                                + " too early do not bend the law. In brackets 95 % intervals of the regression; below them those"
                                + " from drawing the runs again (bootstrap), too narrow for fewer than about ten."))
                .append("</p>\n");
        List<String> names = new ArrayList<>(List.of("time", "setting"));
        variables.forEach(variable -> names.add("exponent of " + variable));
        names.addAll(List.of("C", "known", "bounds"));
        head(html, names);
        for (Exponents law : laws) {
            html.append("<tr>");
            cell(html, law.clock().label());
            cell(html, law.where().isEmpty() ? "all runs" : law.where());
            for (String variable : variables) {
                html.append("<td>")
                        .append(law.terms().stream()
                                .filter(term -> term.variable().equals(variable))
                                .findFirst()
                                .map(LandscapeSection::term)
                                .orElse("–"))
                        .append("</td>");
            }
            cells(
                    html,
                    Digits.compact(law.prefactor()),
                    Integer.toString(law.known()),
                    Integer.toString(law.bounded()));
        }
        html.append("</tbody></table></div>\n");
    }

    private static String term(Exponents.Term term) {
        return Markup.escape(term.text())
                + (Double.isFinite(term.drawnLow())
                        ? "<br><small>[" + Digits.twoDecimals(term.drawnLow()) + ", "
                                + Digits.twoDecimals(term.drawnHigh()) + "] over runs</small>"
                        : "");
    }

    private static void collapses(StringBuilder html, List<CollapseTest> tests) {
        html.append("<h2>Collapses</h2>\n<p class=\"hint\">")
                .append(
                        Markup.math(
                                "Within which factor the runs’ crossing times of one level agree, as they are and after"
                                        + " division; 1 is a perfect collapse. Beside it the power of the variable that collapses best, with"
                                        + " the 95 % interval from drawing the runs again: 1 says that the variable is the right one."))
                .append("</p>\n");
        head(html, List.of("curves", "setting", "τ divided by", "as they are", "divided", "best power", "crossings"));
        for (CollapseTest test : tests) {
            html.append("<tr>");
            cells(
                    html,
                    test.what(),
                    test.where().isEmpty() ? "all runs" : test.where(),
                    test.variable(),
                    "×" + Digits.compact(test.raw()),
                    "×" + Digits.compact(test.collapsed()),
                    Digits.twoDecimals(test.exponent())
                            + (Double.isFinite(test.low())
                                    ? " [" + Digits.twoDecimals(test.low()) + ", " + Digits.twoDecimals(test.high())
                                            + "]"
                                    : ""),
                    Integer.toString(test.crossings()));
        }
        html.append("</tbody></table></div>\n");
    }

    private static void ratios(StringBuilder html, List<TimeRatio> ratios) {
        html.append(
                "<h2>One setting over another</h2>\n<p class=\"hint\">Ratios of times over pairs of runs with the same n,"
                        + " width and seed; geometric mean with Student’s 95 % interval. Pairs of which a time is not known are left"
                        + " out.</p>\n");
        head(html, List.of("time", "setting", "over", "ratio", "pairs", "left out", "by n"));
        for (TimeRatio ratio : ratios) {
            html.append("<tr>");
            cells(
                    html,
                    ratio.clock().label(),
                    ratio.setting(),
                    ratio.reference(),
                    ratio.text(),
                    Integer.toString(ratio.pairs().size()),
                    Integer.toString(ratio.leftOut()),
                    ratio.pairs().stream()
                            .map(p -> Digits.compact(p.n()) + ": " + Digits.compact(p.ratio()))
                            .collect(Collectors.joining(", ")));
        }
        html.append("</tbody></table></div>\n");
    }

    private static void head(StringBuilder html, List<String> names) {
        html.append("<div class=\"scroll\"><table class=\"landscape\"><thead><tr>");
        names.forEach(name -> html.append("<th>").append(Markup.math(name)).append("</th>"));
        html.append("</tr></thead><tbody>\n");
    }

    private static void cells(StringBuilder html, String... texts) {
        for (String text : texts) {
            cell(html, text);
        }
        html.append("</tr>\n");
    }

    private static void cell(StringBuilder html, String text) {
        html.append("<td>").append(Markup.math(text)).append("</td>");
    }
}
