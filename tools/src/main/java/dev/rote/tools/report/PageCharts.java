package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Axis;
import dev.rote.tools.report.ChartSpec.Rule;
import dev.rote.tools.report.ChartSpec.Series;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// The figures as the JSON that the page's script reads: `{id: {x, y, series: [{points: [[x, y, low, high]]}]}}`.
final class PageCharts {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private PageCharts() {}

    static String json(List<ChartSpec> charts) {
        ObjectNode all = NODES.objectNode();
        for (ChartSpec chart : charts) {
            ObjectNode node = all.putObject(chart.id());
            node.put("title", chart.title());
            node.put("legend", chart.panel().hasLegend());
            node.set("x", axis(chart.x()));
            node.set("y", axis(chart.y()));
            ArrayNode series = node.putArray("series");
            chart.series().forEach(s -> series.add(series(s).put("listed", chart.isListed(s))));
            ArrayNode rules = node.putArray("rules");
            chart.rules().forEach(r -> rules.add(rule(r)));
        }
        return JSON.writeValueAsString(all);
    }

    private static ObjectNode axis(Axis axis) {
        ObjectNode node = NODES.objectNode()
                .put("label", axis.label())
                .put("log", axis.log())
                .put("percent", axis.percent());
        ArrayNode ticks = node.putArray("ticks");
        axis.ticks().forEach(ticks::add);
        return node;
    }

    private static ObjectNode series(Series series) {
        ObjectNode node = ink(series.ink())
                .put("label", series.label())
                .put("run", series.run())
                .put("role", series.role().name().toLowerCase(Locale.ROOT));
        ArrayNode points = node.putArray("points");
        for (Point p : series.points()) {
            if (Double.isFinite(p.x())) {
                ArrayNode point = points.addArray();
                add(point, p.x());
                add(point, p.y());
                if (series.role() == ChartSpec.Role.POINTS ? p.hasOpenInterval() : p.hasInterval()) {
                    add(point, p.low());
                    add(point, p.high());
                }
            }
        }
        return node;
    }

    private static ObjectNode rule(Rule rule) {
        return ink(rule.ink()).put("y", rule.y()).put("label", rule.label()).put("run", rule.run());
    }

    private static ObjectNode ink(Ink ink) {
        ObjectNode node = NODES.objectNode();
        node.put("light", Ink.css(ink.light()));
        node.put("dark", Ink.css(ink.dark()));
        ArrayNode dash = node.putArray("dash");
        for (float length : ink.dash().lengths()) {
            dash.add(Math.round(length));
        }
        return node.put("symbol", ink.symbol().name().toLowerCase(Locale.ROOT));
    }

    /// JSON has no NaN and no infinity: a gap and an open end are null. Seven digits are more than a screen shows.
    private static void add(ArrayNode array, double value) {
        if (Double.isFinite(value)) {
            array.add(new BigDecimal(value).round(new MathContext(7)).doubleValue());
        } else {
            array.addNull();
        }
    }
}
