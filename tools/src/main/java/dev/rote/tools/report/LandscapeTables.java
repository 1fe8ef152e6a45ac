package dev.rote.tools.report;

import dev.rote.metrics.PhaseBoundary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// A [Landscape] for other programs: `phase.csv`, `paper.csv`, `laws.csv`, and a node of `report.json`.
final class LandscapeTables {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private LandscapeTables() {}

    /// `where`, `line`, `threshold`, `width`, `parameters`, `tau`, `side`, `n`, `low`, `high`: one line per point of a
    /// boundary. `side` is `within`, or `above` and `below` with the outermost measured n, or `unknown`.
    static String phases(Landscape landscape) {
        StringBuilder csv = new StringBuilder();
        Tables.line(
                csv, List.of("where", "line", "threshold", "width", "parameters", "tau", "side", "n", "low", "high"));
        for (PhaseDiagram phase : landscape.phases()) {
            phase.lines().forEach(line -> edges(csv, phase, line, phase.threshold()));
            phase.strict().forEach(line -> edges(csv, phase, line, 0));
        }
        return csv.toString();
    }

    private static void edges(StringBuilder csv, PhaseDiagram phase, PhaseDiagram.Line line, double threshold) {
        for (PhaseDiagram.Edge edge : line.edges()) {
            PhaseBoundary at = edge.boundary();
            Tables.line(
                    csv,
                    List.of(
                            phase.where(),
                            line.label(),
                            Tables.number(threshold),
                            Tables.number(edge.width()),
                            Tables.number(edge.parameters()),
                            Tables.number(edge.tau()),
                            word(at.side()),
                            Tables.number(at.n()),
                            Tables.number(at.interval().low()),
                            Tables.number(at.interval().high())));
        }
    }

    /// `figure`, `claim`, `paper`, `here`, `band`, `in_the_band`, `note`.
    static String paper(PaperComparison paper) {
        StringBuilder csv = new StringBuilder();
        Tables.line(csv, List.of("figure", "claim", "paper", "here", "band", "in_the_band", "note"));
        for (PaperComparison.Row row : paper.rows()) {
            Tables.line(
                    csv,
                    List.of(
                            row.figure(),
                            row.claim(),
                            row.paper(),
                            row.ours(),
                            row.band(),
                            row.outcome().word(),
                            row.note()));
        }
        return csv.toString();
    }

    /// `kind`, `what`, `where`, `variable`, `value`, `low`, `high`, `low_over_runs`, `high_over_runs`, `known`,
    /// `bounds`: exponents (`exponent`, `prefactor`), collapses (`collapse_raw`, `collapse`, `collapse_power`) and
    /// ratios (`ratio`).
    static String laws(Landscape landscape) {
        StringBuilder csv = new StringBuilder();
        Tables.line(
                csv,
                List.of(
                        "kind",
                        "what",
                        "where",
                        "variable",
                        "value",
                        "low",
                        "high",
                        "low_over_runs",
                        "high_over_runs",
                        "known",
                        "bounds"));
        double none = Double.NaN;
        for (Exponents law : landscape.exponents()) {
            String what = law.clock().key();
            for (Exponents.Term t : law.terms()) {
                double[] numbers = {t.value(), t.low(), t.high(), t.drawnLow(), t.drawnHigh()};
                row(csv, "exponent", what, law.where(), t.variable(), numbers, law.known(), law.bounded());
            }
            double[] prefactor = {law.prefactor(), none, none, none, none};
            row(csv, "prefactor", what, law.where(), "", prefactor, law.known(), law.bounded());
        }
        for (CollapseTest c : landscape.collapses()) {
            double[] raw = {c.raw(), none, none, none, none};
            double[] collapsed = {c.collapsed(), none, none, none, none};
            double[] power = {c.exponent(), none, none, c.low(), c.high()};
            row(csv, "collapse_raw", c.what(), c.where(), c.variable(), raw, c.crossings(), 0);
            row(csv, "collapse", c.what(), c.where(), c.variable(), collapsed, c.crossings(), 0);
            row(csv, "collapse_power", c.what(), c.where(), c.variable(), power, c.crossings(), 0);
        }
        for (TimeRatio r : landscape.ratios()) {
            double[] ratio = {r.value(), r.low(), r.high(), none, none};
            String where = r.setting() + " over " + r.reference();
            row(csv, "ratio", r.clock().key(), where, "", ratio, r.pairs().size(), r.leftOut());
        }
        return csv.toString();
    }

    private static void row(
            StringBuilder csv,
            String kind,
            String what,
            String where,
            String variable,
            double[] numbers,
            int known,
            int bounds) {
        List<String> fields = new ArrayList<>(List.of(kind, what, where, variable));
        for (double number : numbers) {
            fields.add(Tables.number(number));
        }
        fields.addAll(List.of(Integer.toString(known), Integer.toString(bounds)));
        Tables.line(csv, fields);
    }

    static ObjectNode json(Landscape landscape) {
        ObjectNode root = NODES.objectNode();
        ArrayNode phases = root.putArray("phase_diagrams");
        landscape.phases().forEach(phase -> phases.add(phase(phase)));
        ArrayNode exponents = root.putArray("exponents");
        landscape.exponents().forEach(law -> exponents.add(exponents(law)));
        ArrayNode collapses = root.putArray("collapses");
        for (CollapseTest c : landscape.collapses()) {
            ObjectNode node = collapses.addObject().put("what", c.what()).put("where", c.where());
            node.put("variable", c.variable()).put("crossings", c.crossings());
            numbers(node, new String[] {"raw", "collapsed", "power", "power_low", "power_high"}, new double[] {
                c.raw(), c.collapsed(), c.exponent(), c.low(), c.high()
            });
        }
        ArrayNode ratios = root.putArray("ratios");
        for (TimeRatio r : landscape.ratios()) {
            ObjectNode node = ratios.addObject().put("clock", r.clock().key());
            node.put("setting", r.setting()).put("reference", r.reference()).put("left_out", r.leftOut());
            numbers(node, new String[] {"value", "low", "high"}, new double[] {r.value(), r.low(), r.high()});
            ArrayNode pairs = node.putArray("pairs");
            r.pairs()
                    .forEach(p ->
                            numbers(pairs.addObject().put("run", p.run()), new String[] {"n", "ratio"}, new double[] {
                                p.n(), p.ratio()
                            }));
        }
        landscape.paper().ifPresent(paper -> root.set("paper", comparison(paper)));
        return root;
    }

    private static ObjectNode phase(PhaseDiagram phase) {
        ObjectNode node = NODES.objectNode().put("where", phase.where());
        numbers(node, new String[] {"k", "threshold"}, new double[] {phase.k(), phase.threshold()});
        ArrayNode moments = node.putArray("tau_gen");
        phase.moments()
                .forEach(m -> numbers(
                        moments.addObject().put("runs", m.runs()),
                        new String[] {"width", "parameters", "tau"},
                        new double[] {m.width(), m.parameters(), m.tau()}));
        lines(node.putArray("lines"), phase.lines());
        lines(node.putArray("strict"), phase.strict());
        ArrayNode cells = node.putArray("measured");
        phase.cells()
                .forEach(c -> numbers(
                        cells.addObject().put("runs", c.runs()).put("copies", c.copies()),
                        new String[] {"width", "parameters", "n", "last"},
                        new double[] {c.width(), c.parameters(), c.n(), c.last()}));
        return node;
    }

    private static void lines(ArrayNode array, List<PhaseDiagram.Line> lines) {
        for (PhaseDiagram.Line line : lines) {
            ArrayNode edges = array.addObject().put("label", line.label()).putArray("points");
            for (PhaseDiagram.Edge edge : line.edges()) {
                PhaseBoundary at = edge.boundary();
                numbers(
                        edges.addObject().put("side", word(at.side())),
                        new String[] {"width", "parameters", "tau", "n", "low", "high"},
                        new double[] {
                            edge.width(),
                            edge.parameters(),
                            edge.tau(),
                            at.n(),
                            at.interval().low(),
                            at.interval().high()
                        });
            }
        }
    }

    private static ObjectNode exponents(Exponents law) {
        ObjectNode node = NODES.objectNode().put("clock", law.clock().key()).put("where", law.where());
        node.put("known", law.known()).put("bounds", law.bounded());
        numbers(node, new String[] {"prefactor"}, new double[] {law.prefactor()});
        ObjectNode terms = node.putObject("exponents");
        for (Exponents.Term t : law.terms()) {
            numbers(
                    terms.putObject(t.variable()),
                    new String[] {"value", "low", "high", "low_over_runs", "high_over_runs"},
                    new double[] {t.value(), t.low(), t.high(), t.drawnLow(), t.drawnHigh()});
        }
        return node;
    }

    private static ObjectNode comparison(PaperComparison paper) {
        ObjectNode node = NODES.objectNode();
        ArrayNode differences = node.putArray("differences");
        paper.differences().forEach(differences::add);
        ArrayNode remarks = node.putArray("remarks");
        paper.remarks().forEach(remarks::add);
        ArrayNode rows = node.putArray("rows");
        for (PaperComparison.Row row : paper.rows()) {
            rows.addObject()
                    .put("figure", row.figure())
                    .put("claim", row.claim())
                    .put("paper", row.paper())
                    .put("here", row.ours())
                    .put("band", row.band())
                    .put("in_the_band", row.outcome().word())
                    .put("note", row.note());
        }
        return node;
    }

    private static String word(PhaseBoundary.Side side) {
        return side.name().toLowerCase(Locale.ROOT);
    }

    private static void numbers(ObjectNode node, String[] names, double[] values) {
        for (int i = 0; i < names.length; i++) {
            if (Double.isFinite(values[i])) {
                node.put(names[i], values[i]);
            } else {
                node.putNull(names[i]);
            }
        }
    }
}
