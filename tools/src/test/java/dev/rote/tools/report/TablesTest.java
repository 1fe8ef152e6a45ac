package dev.rote.tools.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.tools.report.Quantity.MemorizedFraction;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.RunStatus.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TablesTest {
    @TempDir
    Path folder;

    @Test
    void curvesReadBackAsTheyWere() throws IOException {
        StudyReport report = SyntheticStudy.of(false, List.of());
        Tables.write(report, folder);
        List<Map<String, String>> rows = parse(Files.readString(folder.resolve("curves.csv")));
        for (RunCurves run : report.runs()) {
            for (Curve curve : run.curves()) {
                List<Point> read = rows.stream()
                        .filter(r -> r.get("run").equals(run.name())
                                && r.get("quantity").equals(curve.quantity().key()))
                        .map(r -> new Point(number(r, "step"), number(r, "value"), number(r, "low"), number(r, "high")))
                        .toList();
                assertThat(read).isEqualTo(curve.points());
            }
        }
        assertThat(rows.getFirst())
                .containsEntry("data.n", "32")
                .containsEntry("seed", "0")
                .containsEntry("n", "32");
        assertThat(rows.stream().filter(r -> r.get("quantity").equals("f_mem_base[k=1/3]")))
                .hasSize(8);
    }

    @Test
    void summaryHoldsEveryTimeAndEveryFit() throws IOException {
        StudyReport report = SyntheticStudy.of(false, List.of());
        List<Map<String, String>> rows = parse(Tables.summary(report));
        int times = report.runs().stream().mapToInt(r -> r.times().size()).sum();
        assertThat(rows).hasSize(times + 3 * report.fits().size());
        assertThat(rows).anySatisfy(r -> assertThat(r)
                .containsEntry("run", "n256_seed1")
                .containsEntry("clock", "tau_mem[50%,k=1/3]")
                .containsEntry("state", "not_reached")
                .containsEntry("value", "9000")
                .containsEntry("status", "running"));
        assertThat(rows.get(times))
                .containsEntry("state", "fit")
                .containsEntry("clock", "tau_mem[1%,k=1/3] against n")
                .containsEntry("value", "0.97")
                .containsEntry("low", "0.85");
    }

    /// What a reader sees in any figure, they can also compute with.
    @Test
    void everyNumberOfEveryFigureIsInATable() throws IOException {
        StudyReport report = SyntheticStudy.of(false, List.of());
        Tables.write(report, folder);
        List<Map<String, String>> rows = parse(Files.readString(folder.resolve("figures.csv")));
        int drawn = 0;
        for (ChartSpec chart : Charts.of(report)) {
            for (ChartSpec.Series series : chart.series()) {
                List<Point> read = rows.stream()
                        .filter(r -> r.get("figure").equals(chart.id())
                                && r.get("series").equals(series.label())
                                && r.get("role").equals(series.role().name().toLowerCase(java.util.Locale.ROOT)))
                        .map(r -> new Point(number(r, "x"), number(r, "y"), number(r, "low"), number(r, "high")))
                        .toList();
                assertThat(read).as(chart.id() + " " + series.label()).containsAll(series.points());
                drawn += series.points().size();
            }
            drawn += chart.rules().size();
        }
        assertThat(rows).hasSize(drawn);
        assertThat(rows)
                .anySatisfy(r ->
                        assertThat(r).containsEntry("figure", "loss_gap_t0.01").doesNotContainEntry("low", ""));
    }

    @Test
    void seedsAndCollapsesAreInTheTables() {
        StudyReport plain = SyntheticStudy.of(true, List.of());
        OverSeeds.Time time = new OverSeeds.Time(new Clock.TauGen(), 2, 600, 560, Double.POSITIVE_INFINITY, false);
        OverSeeds group = new OverSeeds(Map.of("data.n", "32"), 32, 2, List.of(time));
        Collapse collapse = new Collapse(1.0 / 3, "n", 2.5, 1.25, 1.1, 1.2, 23);
        Findings findings = new Findings(Headline.PAPER, List.of(group), List.of(), List.of(collapse));
        StudyReport report =
                new StudyReport("s", "", plain.provenance(), "", plain.runs(), findings, List.of(), List.of());
        List<Map<String, String>> rows = parse(Tables.summary(report));
        assertThat(rows).anySatisfy(r -> assertThat(r)
                .containsEntry("run", "")
                .containsEntry("data.n", "32")
                .containsEntry("state", "over_seeds")
                .containsEntry("value", "600")
                .containsEntry("high", "inf"));
        assertThat(rows).anySatisfy(r -> assertThat(r)
                .containsEntry("clock", "f_mem[k=1/3] over n")
                .containsEntry("state", "collapse")
                .containsEntry("value", "1.25"));
        JsonNode root = JsonMapper.builder().build().readTree(ReportJson.of(report));
        assertThat(root.get("over_seeds")
                        .get(0)
                        .get("times")
                        .get("tau_gen")
                        .get("low")
                        .asDouble())
                .isEqualTo(560);
        assertThat(root.get("collapses").get(0).get("factor").asDouble()).isEqualTo(1.25);
        assertThat(HtmlReport.page(report)).contains("Over seeds", "[560, open)", "within a factor 1.25");
    }

    @Test
    void commasQuotesAndLineBreaksSurvive() {
        String name = "a,\"b\"\r\nc";
        RunCurves run = new RunCurves(
                name,
                Map.of("x,y", "\"1\""),
                0,
                new RunStatus(State.WAITING, 0, 0, ""),
                List.of(new Curve(
                        new MemorizedFraction(0.5), List.of(new Point(3, Double.NaN, 0, Double.POSITIVE_INFINITY)))),
                List.of(),
                List.of(),
                0);
        StudyReport report = of(run);
        assertThat(parse(Tables.curves(report)).getFirst())
                .containsEntry("run", name)
                .containsEntry("x,y", "\"1\"")
                .containsEntry("n", "")
                .containsEntry("value", "")
                .containsEntry("high", "inf");
        assertThat(parse(Tables.summary(report))).hasSize(1).first().satisfies(r -> assertThat(r)
                .containsEntry("status", "waiting")
                .containsEntry("clock", ""));
    }

    @Test
    void jsonHasTheNumbersAndNoNan() throws IOException {
        StudyReport report = SyntheticStudy.of(false, List.of());
        Tables.write(report, folder);
        JsonNode root = JsonMapper.builder().build().readTree(Files.readString(folder.resolve("report.json")));
        assertThat(root.get("runs").size()).isEqualTo(8);
        JsonNode first = root.get("runs").get(0);
        Reached gen = (Reached) report.runs().getFirst().time(Verdict.TAU_GEN).orElseThrow();
        assertThat(first.get("times").get("tau_gen").get("value").asDouble()).isEqualTo(gen.value());
        assertThat(first.get("curves").get("training_loss").get(0).get(2).isNull())
                .isTrue();
        assertThat(root.get("fits").get(0).get("law").get("slope").asDouble()).isEqualTo(0.97);
        assertThat(root.get("configuration").asString()).isEqualTo(report.configuration());
    }

    @Test
    void openIntervalsAreMarkedInJson() {
        TimeScale time = new TimeScale(Headline.PAPER.tauMem(), new Reached(10, 8, Double.POSITIVE_INFINITY));
        RunCurves run = new RunCurves(
                "r", Map.of(), 4, new RunStatus(State.FINISHED, 1, 1, ""), List.of(), List.of(time), List.of(), 0);
        assertThat(ReportJson.of(of(run))).contains("\"open\" : true").doesNotContain("Infinity", "NaN");
    }

    @Test
    void numbersHaveSensibleDigits() {
        assertThat(Digits.compact(2345.6)).isEqualTo("2\u202f350");
        assertThat(Digits.compact(0.0123456)).isEqualTo("0.0123");
        assertThat(Digits.compact(0.00001234)).isEqualTo("1.23×10⁻⁵");
        assertThat(Digits.compact(-12.0)).isEqualTo("−12");
        assertThat(Digits.compact(999_999)).isEqualTo("1\u202f000\u202f000");
        assertThat(Digits.compact(Double.NaN)).isEqualTo("–");
        assertThat(Digits.steps(9_876)).isEqualTo("9\u202f876");
        assertThat(Digits.percent(0.0125)).isEqualTo("1.25 %");
        assertThat(Digits.ratio(1.0 / 3)).isEqualTo("1/3");
        assertThat(Digits.ratio(0.4)).isEqualTo("0.4");
        assertThat(Digits.plain(0.01)).isEqualTo("0.01");
    }

    private static StudyReport of(RunCurves run) {
        return new StudyReport(
                "s", "", SyntheticStudy.provenance(), "", List.of(run), Findings.of(List.of()), List.of(), List.of());
    }

    private static double number(Map<String, String> row, String column) {
        return row.get(column).isEmpty() ? Double.NaN : Double.parseDouble(row.get(column));
    }

    /// RFC 4180, as a reader that shares nothing with the writer.
    private static List<Map<String, String>> parse(String csv) {
        List<List<String>> lines = new ArrayList<>();
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < csv.length(); i++) {
            char c = csv.charAt(i);
            if (quoted && c == '"' && i + 1 < csv.length() && csv.charAt(i + 1) == '"') {
                field.append(csv.charAt(++i));
            } else if (c == '"') {
                quoted = !quoted;
            } else if (!quoted && (c == ',' || c == '\n')) {
                fields.add(field.toString());
                field.setLength(0);
                if (c == '\n') {
                    lines.add(fields);
                    fields = new ArrayList<>();
                }
            } else if (quoted || c != '\r') {
                field.append(c);
            }
        }
        List<Map<String, String>> rows = new ArrayList<>();
        for (List<String> line : lines.subList(1, lines.size())) {
            assertThat(line).hasSameSizeAs(lines.getFirst());
            Map<String, String> row = new LinkedHashMap<>();
            for (int i = 0; i < line.size(); i++) {
                row.put(lines.getFirst().get(i), line.get(i));
            }
            rows.add(row);
        }
        return rows;
    }
}
