package dev.rote.tools.report;

import dev.rote.tools.report.Reading.AtLeast;
import dev.rote.tools.report.Reading.BeforeFirst;
import dev.rote.tools.report.Reading.NotReached;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.Reading.Unknown;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `report.json`: the whole report but for the images. Curves are arrays of `[step, value, low, high]`. A missing,
/// NaN or infinite number is null; an interval that is open above says `"open": true`. Over seeds, 0 is before the
/// first measurement and null not reached.
final class ReportJson {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private ReportJson() {}

    static String of(StudyReport report) {
        ObjectNode root = NODES.objectNode();
        root.put("format", "rote-report-1");
        root.put("name", report.name());
        root.put("description", report.description());
        root.put("verdict", Verdict.headline(report));
        ArrayNode details = root.putArray("details");
        Verdict.details(report).forEach(details::add);
        ObjectNode headline =
                root.putObject("headline").put("k", report.headline().k());
        report.headline().thresholds().forEach(headline.putArray("thresholds")::add);
        root.set("provenance", provenance(report.provenance()));
        root.put("configuration", report.configuration());
        ArrayNode warnings = root.putArray("warnings");
        report.warnings().forEach(warnings::add);
        ArrayNode runs = root.putArray("runs");
        report.runs().forEach(run -> runs.add(run(run)));
        ArrayNode fits = root.putArray("fits");
        report.fits().forEach(fit -> fits.add(fit(fit)));
        ArrayNode seeds = root.putArray("over_seeds");
        report.findings().seeds().forEach(group -> seeds.add(seeds(group)));
        ArrayNode collapses = root.putArray("collapses");
        report.findings().collapses().forEach(c -> collapses.add(collapse(c)));
        if (!report.findings().landscape().isEmpty()) {
            root.set("landscape", LandscapeTables.json(report.findings().landscape()));
        }
        ArrayNode sheets = root.putArray("sheets");
        for (Sheet sheet : report.sheets()) {
            sheets.addObject()
                    .put("title", sheet.title())
                    .put("caption", sheet.caption())
                    .put("file", String.valueOf(sheet.file().getFileName()));
        }
        return JSON.writeValueAsString(root) + "\n";
    }

    private static ObjectNode provenance(Provenance made) {
        ObjectNode node = NODES.objectNode()
                .put("version", made.version())
                .put("commit", made.commit())
                .put("device", made.device())
                .put("date", made.date().toString());
        ObjectNode environment = node.putObject("environment");
        made.environment().forEach(environment::put);
        return node;
    }

    private static ObjectNode run(RunCurves run) {
        ObjectNode node =
                NODES.objectNode().put("name", run.name()).put("n", run.n()).put("samples", run.samples());
        ObjectNode keys = node.putObject("keys");
        run.keys().forEach(keys::put);
        node.putObject("status")
                .put("state", run.status().state().word())
                .put("step", run.status().step())
                .put("steps", run.status().steps())
                .put("note", run.status().note());
        ObjectNode curves = node.putObject("curves");
        for (Curve curve : run.curves()) {
            ArrayNode points = curves.putArray(curve.quantity().key());
            for (Point p : curve.points()) {
                numbers(points.addArray(), p.x(), p.y(), p.low(), p.high());
            }
        }
        ObjectNode bases = node.putObject("base_rates");
        for (BaseRate base : run.baseRates()) {
            numbers(
                    bases.putArray("k=" + Digits.ratio(base.k())),
                    base.value(),
                    base.low(),
                    base.high(),
                    base.images());
        }
        ObjectNode times = node.putObject("times");
        run.times().forEach(t -> times.set(t.clock().key(), reading(t.reading())));
        return node;
    }

    private static ObjectNode reading(Reading reading) {
        ObjectNode node = NODES.objectNode();
        switch (reading) {
            case Reached r -> {
                node.put("state", "reached");
                number(node, "value", r.value());
                number(node, "low", r.low());
                number(node, "high", r.high());
                if (Double.isInfinite(r.high())) {
                    node.put("open", true);
                }
            }
            case NotReached r -> number(node.put("state", "not_reached"), "last_step", r.lastStep());
            case BeforeFirst r -> number(node.put("state", "before_first"), "first_step", r.firstStep());
            case AtLeast r -> number(node.put("state", "at_least").put("reason", r.reason()), "value", r.value());
            case Unknown r -> node.put("state", "unknown").put("reason", r.reason());
        }
        return node;
    }

    private static ObjectNode fit(ScalingFit fit) {
        ObjectNode node = NODES.objectNode()
                .put("clock", fit.clock().key())
                .put("variable", fit.variable())
                .put("where", fit.where());
        ArrayNode points = node.putArray("points");
        for (ScalingFit.FitPoint point : fit.points()) {
            ObjectNode at = reading(point.reading());
            at.put("run", point.run());
            number(at, "x", point.x());
            points.add(at);
        }
        fit.law().ifPresent(law -> {
            ObjectNode drawn = node.putObject("law");
            number(drawn, "prefactor", law.prefactor());
            number(drawn, "slope", law.slope());
            number(drawn, "slope_low", law.low());
            number(drawn, "slope_high", law.high());
            number(drawn, "slope_over_runs_low", law.bootstrapLow());
            number(drawn, "slope_over_runs_high", law.bootstrapHigh());
            number(drawn, "r_squared", law.rSquared());
            ArrayNode line = drawn.putArray("line");
            law.line().forEach(p -> numbers(line.addArray(), p.x(), p.y(), p.low(), p.high()));
        });
        return node;
    }

    private static ObjectNode seeds(OverSeeds group) {
        ObjectNode node = NODES.objectNode().put("n", group.n()).put("runs", group.runs());
        ObjectNode keys = node.putObject("keys");
        group.keys().forEach(keys::put);
        ObjectNode times = node.putObject("times");
        for (OverSeeds.Time time : group.times()) {
            ObjectNode at = times.putObject(time.clock().key()).put("reached", time.reached());
            number(at, "value", time.value());
            number(at, "low", time.low());
            number(at, "high", time.high());
            if (time.bounds()) {
                at.put("lower_bound", true);
            }
        }
        return node;
    }

    private static ObjectNode collapse(Collapse c) {
        ObjectNode node = NODES.objectNode().put("variable", c.variable());
        number(node, "k", c.k());
        number(node, "factor", c.collapsed());
        number(node, "factor_raw", c.raw());
        number(node, "best_exponent", c.bestExponent());
        number(node, "factor_best", c.best());
        return node.put("crossings", c.crossings());
    }

    private static void number(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) {
            node.put(name, value);
        } else {
            node.putNull(name);
        }
    }

    private static void numbers(ArrayNode array, double... values) {
        for (double value : values) {
            if (Double.isFinite(value)) {
                array.add(value);
            } else {
                array.addNull();
            }
        }
    }
}
