package dev.rote.tools.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.metrics.Interval;
import dev.rote.metrics.PhaseBoundary;
import dev.rote.metrics.PhaseBoundary.Side;
import dev.rote.tools.report.PaperComparison.Outcome;
import dev.rote.tools.report.PhaseDiagram.Edge;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.knowm.xchart.XYSeries;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The report of a study with several axes and a paper beside it.
class LandscapeReportTest {
    private static final String EVIL = "</td><script>alert(1)</script>";

    @TempDir
    Path folder;

    private static Edge edge(double width, Side side, double n, double low, double high) {
        return new Edge(width, 1000 * width, 500 / width, new PhaseBoundary(side, n, 0, 1, new Interval(n, low, high)));
    }

    private static PhaseDiagram phase() {
        double far = Double.POSITIVE_INFINITY;
        List<PhaseDiagram.Line> lines = List.of(
                new PhaseDiagram.Line(
                        "τ_gen", 1, List.of(edge(8, Side.WITHIN, 40, 32, 50), edge(16, Side.WITHIN, 44, 35, 60))),
                new PhaseDiagram.Line(
                        "end of the runs",
                        far,
                        List.of(edge(8, Side.ABOVE, 128, 100, far), edge(16, Side.BELOW, 32, 0, 40))));
        return new PhaseDiagram(
                "",
                1.0 / 3,
                0.01,
                List.of(new PhaseDiagram.Moment(8, 8000, 62.5, 2), new PhaseDiagram.Moment(16, 16000, 31, 0)),
                lines,
                lines,
                List.of(
                        new PhaseDiagram.Cell(8, 8000, 32, 2, 0.5, true),
                        new PhaseDiagram.Cell(16, 16000, 128, 2, 0, false)));
    }

    private static Landscape landscape() {
        Exponents law = new Exponents(
                Headline.PAPER.tauMem(),
                "",
                List.of(
                        new Exponents.Term("n", 1.02, 0.9, 1.14, 0.93, 1.1),
                        new Exponents.Term("W", -0.97, Double.NaN, Double.NaN, Double.NaN, Double.NaN)),
                9600,
                7,
                1);
        PaperComparison paper = new PaperComparison(
                List.of("samples: 128 instead of 10000"),
                List.of("DDIM steps: 100, as in the paper’s code; its text has 200"),
                List.of(
                        new PaperComparison.Row(
                                "Fig. 3 D", "τ_mem grows as n / W", "n/W", "n^1.02", "1", Outcome.YES, EVIL),
                        new PaperComparison.Row("Fig. 2 left", "rise", "300", "", "200", Outcome.NOT_COMPARABLE, ""),
                        new PaperComparison.Row("supp. A.1", "FID", "35.1", "", "35", Outcome.NOT_MEASURED, "")),
                List.of(new PaperComparison.Figure(
                        "fig2", "Figure 2, W = 16", List.of("n32_seed0", "n64_seed0"), false)));
        CollapseTest collapse = new CollapseTest("f_mem at 1 %", "", "n/W", 3.2, 1.1, 0.98, 0.9, 1.05, 12);
        TimeRatio ratio = new TimeRatio(
                Headline.PAPER.tauMem(),
                "train.optimizer = adam",
                "train.optimizer = sgd",
                List.of(new TimeRatio.Pair(32, "a", 0.1), new TimeRatio.Pair(64, "b", 0.12)),
                1,
                0.11,
                0.05,
                0.2);
        return new Landscape(List.of(phase()), List.of(law), List.of(collapse), List.of(ratio), Optional.of(paper));
    }

    private static StudyReport report(Landscape landscape) {
        StudyReport plain = SyntheticStudy.of(true, List.of());
        Findings findings = new Findings(Headline.PAPER, List.of(), plain.fits(), List.of(), landscape);
        return new StudyReport("s", "", plain.provenance(), "", plain.runs(), findings, List.of(), List.of());
    }

    @Test
    void aStudyOfOneAxisHasNothingOfIt() throws IOException {
        StudyReport plain = SyntheticStudy.of(true, List.of());
        String page = HtmlReport.page(plain);
        assertThat(page).doesNotContain("id=\"landscape\"", "Beside the paper", "id=\"phase\"", "id=\"fig2\"");
        Tables.write(plain, folder);
        assertThat(Files.exists(folder.resolve("laws.csv"))).isFalse();
        assertThat(Files.readString(folder.resolve("report.json"))).doesNotContain("landscape");
    }

    @Test
    void thePageHasThePaperTheLawsAndTheDiagram() {
        String page = HtmlReport.page(report(landscape()));
        assertThat(page)
                .contains(
                        "Beside the paper",
                        "samples: 128 instead of 10000.",
                        "its text has 200.",
                        "<tr class=\"yes\">",
                        "not comparable")
                .contains("n<sup>1.02</sup>", "1.02 [0.90, 1.14]", "[0.93, 1.10] over runs", "−0.97")
                .contains("×3.2", "×1.1", "0.98 [0.90, 1.05]", "0.11 [0.05, 0.2]", "32: 0.1, 64: 0.12")
                .contains("id=\"phase\"", "data-chart=\"phase\"", "data-chart=\"phase_strict\"", "31 (from C/W)")
                .doesNotContain("<script>alert");
    }

    /// The reader sees first what this study says.
    @Test
    void claimsThatAreNotMeasuredAreFolded() {
        String page = HtmlReport.page(report(landscape()));
        int folded = page.indexOf("<details><summary>1 claim that this study does not measure</summary>");
        assertThat(folded).isGreaterThan(page.indexOf("<td>Fig. 2 left</td>"));
        assertThat(page.indexOf("<td>supp. A.1</td>")).isBetween(folded, page.indexOf("</details>", folded));
        assertThat(page.split("<td>supp. A.1</td>", -1)).hasSize(2);
    }

    @Test
    void theDiagramHasItsOwnLegendMarkersAndBounds() {
        List<ChartSpec> charts = Charts.of(report(landscape()));
        JsonNode page = JsonMapper.builder().build().readTree(PageCharts.json(charts));
        JsonNode phase = page.get("phase");
        assertThat(phase.get("legend").asBoolean()).isTrue();
        assertThat(phase.get("x").get("label").asString()).isEqualTo("parameters p");
        assertThat(phase.get("series")
                        .valueStream()
                        .map(s ->
                                s.get("label").asString() + "/" + s.get("role").asString()))
                .containsExactly(
                        "measured, copies at the end/points",
                        "measured, none at the end/points",
                        "τ_gen/curve",
                        "end of the runs, above every n/bounds",
                        "end of the runs, below every n/upper_bounds");
        assertThat(phase.get("series").valueStream())
                .allSatisfy(s -> assertThat(s.get("listed").asBoolean()).isTrue());
        JsonNode line = phase.get("series").get(2).get("points").get(0);
        assertThat(line.get(0).asDouble()).isEqualTo(8000);
        assertThat(line.get(1).asDouble()).isEqualTo(40);
        assertThat(line.get(3).asDouble()).isEqualTo(50);
    }

    private static ChartSpec phaseChart(PhaseDiagram phase) {
        return PhaseCharts.of(List.of(phase)).getFirst();
    }

    private static List<String> legend(ChartSpec spec) {
        return PaperPlot.chart(spec).getSeriesCollection().stream()
                .filter(XYSeries::isShowInLegend)
                .map(XYSeries::getName)
                .toList();
    }

    /// The line at the end of the runs consists of triangles only.
    @Test
    void everySeriesOfThePhaseDiagramIsNamedOnPaper() {
        ChartSpec chart = phaseChart(phase());
        assertThat(legend(chart))
                .containsExactlyInAnyOrderElementsOf(
                        chart.series().stream().map(ChartSpec.Series::label).toList());
    }

    /// Elsewhere triangles go without a name where points in their ink have one.
    @Test
    void trianglesOfAClockWithoutPointsAreNamed() {
        ScalingFit.FitPoint known = new ScalingFit.FitPoint(8, "a", new Reading.Reached(100, 90, 110));
        ScalingFit.FitPoint bound = new ScalingFit.FitPoint(16, "b", new Reading.NotReached(900));
        ScalingFit.FitPoint also = new ScalingFit.FitPoint(8, "a", new Reading.NotReached(900));
        Clock.TauMem early = new Clock.TauMem(0.01, 1.0 / 3);
        Clock.TauMem late = new Clock.TauMem(0.5, 1.0 / 3);
        ChartSpec chart = FitCharts.of(List.of(
                        new ScalingFit(early, "n", "", List.of(known, bound), Optional.empty()),
                        new ScalingFit(late, "n", "", List.of(also, bound), Optional.empty())))
                .getFirst();
        assertThat(legend(chart))
                .containsExactlyInAnyOrder(early.label(), late.label() + ", lower bound", "lower bound");
    }

    @Test
    void aLineOfLargeTimesThatIsABoundSaysSo() {
        PhaseDiagram whole = phase();
        PhaseDiagram.Line above = new PhaseDiagram.Line(
                "end of the runs",
                Double.POSITIVE_INFINITY,
                List.of(
                        edge(8, Side.ABOVE, 128, 100, Double.POSITIVE_INFINITY),
                        edge(16, Side.ABOVE, 128, 100, Double.POSITIVE_INFINITY)));
        List<PhaseDiagram.Line> lines = List.of(whole.lines().getFirst(), above);
        PhaseDiagram bound =
                new PhaseDiagram("", whole.k(), 0.01, whole.moments(), lines, whole.lines(), whole.cells());
        assertThat(phaseChart(bound).note()).contains("“end of the runs” is a bound only");
        assertThat(phaseChart(whole).note()).doesNotContain("bound only");
    }

    /// tau_gen of every width from C / W.
    @Test
    void aFittedGenerationTimeIsCalledThat() {
        PhaseDiagram whole = phase();
        PhaseDiagram fitted = new PhaseDiagram(
                "",
                whole.k(),
                0.01,
                List.of(new PhaseDiagram.Moment(8, 8000, 62.5, 0), new PhaseDiagram.Moment(16, 16000, 31.25, 0)),
                whole.lines(),
                whole.strict(),
                whole.cells());
        assertThat(phaseChart(fitted).note())
                .contains("fitted over the widths as C / W")
                .doesNotContain("(from C/W)");
        assertThat(phaseChart(whole).note())
                .contains("the geometric mean over the runs of a width", "(from C/W)")
                .doesNotContain("fitted");
    }

    @Test
    void aFigureOfThePaperShowsItsRunsOnly() {
        List<ChartSpec> charts = Charts.of(report(landscape()));
        ChartSpec collapse = charts.stream()
                .filter(chart -> chart.id().equals("paper_fig2_f_mem_over_n"))
                .findFirst()
                .orElseThrow();
        assertThat(collapse.series()).extracting(ChartSpec.Series::label).containsExactly("n = 32", "n = 64");
        assertThat(collapse.series().getFirst().points().getLast().y()).isEqualTo(1);
        assertThat(collapse.note()).doesNotContain("300").contains("Each curve is divided by its own last value");
        assertThat(charts.stream().map(ChartSpec::id)).contains("paper_fig2_frechet", "paper_fig2_loss_over_n");
    }

    @Test
    void everyNumberIsInATableAndInJson() throws IOException {
        StudyReport report = report(landscape());
        Tables.write(report, folder);
        assertThat(Files.readString(folder.resolve("laws.csv")))
                .contains("exponent,\"tau_mem[1%,k=1/3]\",,n,1.02,0.9,1.14,0.93,1.1,7,1")
                .contains("collapse_power,f_mem at 1 %,,n/W,0.98,,,0.9,1.05,12,0")
                .contains(
                        "ratio,\"tau_mem[1%,k=1/3]\",train.optimizer = adam over train.optimizer = sgd,,0.11,0.05,0.2");
        assertThat(Files.readString(folder.resolve("phase.csv")))
                .contains(",τ_gen,0.01,8,8000,62.5,within,40,32,50")
                .contains(",end of the runs,0,16,16000,31.25,below,32,0,40");
        assertThat(Files.readString(folder.resolve("paper.csv")))
                .contains("Fig. 3 D,τ_mem grows as n / W,n/W,n^1.02,1,yes");
        JsonNode root = JsonMapper.builder().build().readTree(Files.readString(folder.resolve("report.json")));
        JsonNode found = root.get("landscape");
        assertThat(found.get("exponents")
                        .get(0)
                        .get("exponents")
                        .get("n")
                        .get("value")
                        .asDouble())
                .isEqualTo(1.02);
        assertThat(found.get("exponents")
                        .get(0)
                        .get("exponents")
                        .get("W")
                        .get("low")
                        .isNull())
                .isTrue();
        assertThat(found.get("phase_diagrams")
                        .get(0)
                        .get("lines")
                        .get(1)
                        .get("points")
                        .get(0)
                        .get("side")
                        .asString())
                .isEqualTo("above");
        assertThat(found.get("paper").get("rows").get(1).get("in_the_band").asString())
                .isEqualTo("not comparable");
    }

    @Test
    void theFiguresAreDrawn() {
        List<String> files = Figures.writePng(report(landscape()), folder).stream()
                .map(file -> file.getFileName().toString())
                .toList();
        assertThat(files).contains("phase.png", "phase_strict.png", "paper_fig2_f_mem_over_n.png");
    }
}
