package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Rule;
import dev.rote.tools.report.ChartSpec.Series;
import dev.rote.tools.report.Reading.AtLeast;
import dev.rote.tools.report.Reading.BeforeFirst;
import dev.rote.tools.report.Reading.NotReached;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.Reading.Unknown;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Every number of a report for other programs: UTF-8 CSV after RFC 4180 (comma, quotes where needed, CRLF), and
/// JSON. A number that is missing or NaN is an empty field (null in JSON), an infinite one `inf` or `-inf`.
public final class Tables {
    private Tables() {}

    /// Writes `curves.csv`, `summary.csv`, `figures.csv` and `report.json` into `folder`; for a study with several axes
    /// or a paper beside it `laws.csv`, `phase.csv` and `paper.csv` too, as far as there is something in them.
    ///
    /// @return the files
    /// @throws EnvironmentException when one cannot be written
    public static List<Path> write(StudyReport report, Path folder) {
        List<Path> files = new ArrayList<>(List.of(
                Output.write(folder.resolve("curves.csv"), curves(report)),
                Output.write(folder.resolve("summary.csv"), summary(report)),
                Output.write(folder.resolve("figures.csv"), figures(report)),
                Output.write(folder.resolve("report.json"), ReportJson.of(report))));
        Landscape landscape = report.findings().landscape();
        if (!landscape.isEmpty()) {
            files.add(Output.write(folder.resolve("laws.csv"), LandscapeTables.laws(landscape)));
        }
        if (!landscape.phases().isEmpty()) {
            files.add(Output.write(folder.resolve("phase.csv"), LandscapeTables.phases(landscape)));
        }
        landscape
                .paper()
                .ifPresent(paper -> files.add(Output.write(folder.resolve("paper.csv"), LandscapeTables.paper(paper))));
        return List.copyOf(files);
    }

    /// `run`, one column per grid key, `n`, `step`, `quantity`, `value`, `low`, `high`: one line per point. Base
    /// rates have the quantity `f_mem_base[k=...]` and no step.
    static String curves(StudyReport report) {
        List<String> keys = RunStyles.keys(report.runs());
        StringBuilder csv = new StringBuilder();
        line(csv, head(keys, "step", "quantity", "value", "low", "high"));
        for (RunCurves run : report.runs()) {
            for (Curve curve : run.curves()) {
                for (Point p : curve.points()) {
                    String key = curve.quantity().key();
                    line(csv, row(run, keys, number(p.x()), key, number(p.y()), number(p.low()), number(p.high())));
                }
            }
            for (BaseRate base : run.baseRates()) {
                String key = "f_mem_base[k=" + Digits.ratio(base.k()) + "]";
                line(csv, row(run, keys, "", key, number(base.value()), number(base.low()), number(base.high())));
            }
        }
        return csv.toString();
    }

    /// `run`, one column per grid key, `n`, `status`, `step`, `clock`, `state`, `value`, `low`, `high`: one line
    /// per time scale, a run without any has one line with empty fields. `value` is the time when `state` is
    /// `reached`, the last measured step when `not_reached` (a lower bound), the first one when `before_first` (an
    /// upper bound). `at_least` is a lower bound as well: `value` may still grow. Medians over seeds follow with
    /// `run` and `seed` empty and `state` `over_seeds`: 0 is before the first measurement, `inf` not reached. Fits
    /// follow with `run` empty: `state` `fit`, `fit_over_runs` (the bootstrap) and `fit_prefactor`. Then collapses:
    /// `collapse`, the factor within which times agree, `collapse_raw` without division, `collapse_exponent` and
    /// `collapse_best`.
    static String summary(StudyReport report) {
        List<String> keys = RunStyles.keys(report.runs());
        StringBuilder csv = new StringBuilder();
        line(csv, head(keys, "status", "step", "clock", "state", "value", "low", "high"));
        for (RunCurves run : report.runs()) {
            String status = run.status().state().word();
            String step = Long.toString(run.status().step());
            if (run.times().isEmpty()) {
                line(csv, row(run, keys, status, step, "", "", "", "", ""));
            }
            for (TimeScale time : run.times()) {
                List<String> fields = new ArrayList<>(
                        row(run, keys, status, step, time.clock().key()));
                fields.addAll(reading(time.reading()));
                line(csv, fields);
            }
        }
        for (OverSeeds group : report.findings().seeds()) {
            for (OverSeeds.Time time : group.times()) {
                List<String> fields = new ArrayList<>(List.of(""));
                keys.forEach(key -> fields.add(group.keys().getOrDefault(key, "")));
                fields.addAll(List.of(
                        group.n() > 0 ? Long.toString(group.n()) : "",
                        "",
                        "",
                        time.clock().key()));
                fields.addAll(List.of("over_seeds", number(time.value()), number(time.low()), number(time.high())));
                line(csv, fields);
            }
        }
        for (ScalingFit fit : report.fits()) {
            String name = fit.clock().key() + " against " + fit.variable()
                    + (fit.where().isEmpty() ? "" : " at " + fit.where());
            if (fit.law().isEmpty()) {
                line(csv, over(keys.size(), name, "fit", Double.NaN, Double.NaN, Double.NaN));
            }
            fit.law().ifPresent(law -> {
                line(csv, over(keys.size(), name, "fit", law.slope(), law.low(), law.high()));
                line(
                        csv,
                        over(keys.size(), name, "fit_over_runs", law.slope(), law.bootstrapLow(), law.bootstrapHigh()));
                line(csv, over(keys.size(), name, "fit_prefactor", law.prefactor(), Double.NaN, Double.NaN));
            });
        }
        for (Collapse c : report.findings().collapses()) {
            String name = "f_mem[k=" + Digits.ratio(c.k()) + "] over " + c.variable();
            line(csv, over(keys.size(), name, "collapse", c.collapsed(), Double.NaN, Double.NaN));
            line(csv, over(keys.size(), name, "collapse_raw", c.raw(), Double.NaN, Double.NaN));
            line(csv, over(keys.size(), name, "collapse_exponent", c.bestExponent(), Double.NaN, Double.NaN));
            line(csv, over(keys.size(), name, "collapse_best", c.best(), Double.NaN, Double.NaN));
        }
        return csv.toString();
    }

    /// `figure`, `series`, `role`, `x`, `y`, `low`, `high`: every point that a figure draws, as it is drawn (divided,
    /// averaged or subtracted), the lines of the fits and the horizontal lines, which have no `x`.
    static String figures(StudyReport report) {
        StringBuilder csv = new StringBuilder();
        line(csv, List.of("figure", "series", "role", "x", "y", "low", "high"));
        for (ChartSpec chart : Charts.of(report)) {
            for (Series series : chart.series()) {
                String role = series.role().name().toLowerCase(Locale.ROOT);
                for (Point p : series.points()) {
                    line(
                            csv,
                            List.of(
                                    chart.id(),
                                    series.label(),
                                    role,
                                    number(p.x()),
                                    number(p.y()),
                                    number(p.low()),
                                    number(p.high())));
                }
            }
            for (Rule rule : chart.rules()) {
                String label = rule.run() < 0
                        ? rule.label()
                        : rule.label() + " of " + report.runs().get(rule.run()).name();
                line(csv, List.of(chart.id(), label, "rule", "", number(rule.y()), "", ""));
            }
        }
        return csv.toString();
    }

    /// A line that belongs to no run.
    private static List<String> over(int keys, String clock, String state, double value, double low, double high) {
        List<String> fields = new ArrayList<>();
        for (int i = 0; i < keys + 4; i++) {
            fields.add("");
        }
        fields.addAll(List.of(clock, state, number(value), number(low), number(high)));
        return fields;
    }

    private static List<String> head(List<String> keys, String... rest) {
        List<String> fields = new ArrayList<>(List.of("run"));
        fields.addAll(keys);
        fields.add("n");
        fields.addAll(List.of(rest));
        return fields;
    }

    private static List<String> row(RunCurves run, List<String> keys, String... rest) {
        List<String> fields = new ArrayList<>(List.of(run.name()));
        keys.forEach(key -> fields.add(run.keys().getOrDefault(key, "")));
        fields.add(run.n() > 0 ? Long.toString(run.n()) : "");
        fields.addAll(List.of(rest));
        return fields;
    }

    private static List<String> reading(Reading reading) {
        return switch (reading) {
            case Reached r -> List.of("reached", number(r.value()), number(r.low()), number(r.high()));
            case NotReached r -> List.of("not_reached", number(r.lastStep()), "", "");
            case BeforeFirst r -> List.of("before_first", number(r.firstStep()), "", "");
            case AtLeast r -> List.of("at_least", number(r.value()), "", "");
            case Unknown unknown -> List.of("unknown", "", "", "");
        };
    }

    static String number(double value) {
        if (Double.isNaN(value)) {
            return "";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    static void line(StringBuilder csv, List<String> fields) {
        for (int i = 0; i < fields.size(); i++) {
            csv.append(i == 0 ? "" : ",").append(quoted(fields.get(i)));
        }
        csv.append("\r\n");
    }

    private static String quoted(String field) {
        boolean plain = field.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        return plain ? field : '"' + field.replace("\"", "\"\"") + '"';
    }
}
