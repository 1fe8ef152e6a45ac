package dev.rote.tools.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.EnvironmentException;
import dev.rote.tools.report.Quantity.MemorizedFraction;
import dev.rote.tools.report.Quantity.TrainingLoss;
import dev.rote.tools.report.Reading.BeforeFirst;
import dev.rote.tools.report.Reading.NotReached;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.Reading.Unknown;
import dev.rote.tools.report.RunStatus.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class HtmlReportTest {
    private static final Clock.TauMem TAU_MEM = Headline.PAPER.tauMem();
    private static final String SCRIPT_END = "</script>";

    @TempDir
    Path folder;

    @Test
    void pageAsksForNothingOutsideItself() throws IOException {
        Path png = SampleSheet.writePng(
                folder.resolve("s.png"),
                new SheetHeader("run", 1, Double.NaN),
                SyntheticStudy.images(2, 4, 1, 1),
                List.of(),
                2);
        String page = HtmlReport.page(SyntheticStudy.of(true, List.of(new Sheet("t", "c", png))));
        assertThat(page).contains("default-src 'none'");
        String ours = withoutLibrary(page);
        Matcher reference = Pattern.compile("(?i)\\b(src|href|action|srcset|poster|data)\\s*=\\s*[\"']?([^\"'>\\s]*)")
                .matcher(ours);
        while (reference.find()) {
            assertThat(reference.group(2)).matches("data:image/png;base64,.*|");
        }
        assertThat(ours).doesNotContain("http://", "https://", "@import", "url(", "fetch(", "XMLHttpRequest", "<link");
        assertThat(ours).contains("src=\"data:image/png;base64,iVBOR");
    }

    @Test
    void textOfTheCallerIsEscapedEverywhere() {
        String evil = "</script><script>alert(1)</script><img src=x onerror=\"y\">&'";
        RunCurves run = new RunCurves(
                evil,
                Map.of(evil, evil),
                8,
                new RunStatus(State.FAILED, 3, 10, evil),
                List.of(new Curve(new Quantity.Metric(evil, evil), List.of(Point.of(1, 2)))),
                List.of(new TimeScale(new Clock.TauGen(), new Unknown(evil))),
                List.of(),
                0);
        ScalingFit fit = new ScalingFit(new Clock.TauGen(), evil, evil, List.of(), Optional.empty());
        Sheet sheet = new Sheet(evil, evil, folder.resolve("absent.png"));
        Provenance made = new Provenance(evil, evil, evil, Instant.EPOCH, Map.of(evil, evil));
        String page = HtmlReport.page(new StudyReport(
                evil, evil, made, evil, List.of(run), Findings.of(List.of(fit)), List.of(sheet), List.of(evil)));
        assertThat(withoutLibrary(page)).doesNotContain("<script>alert").doesNotContain("<img");
        assertThat(page.split(SCRIPT_END, -1).length).isEqualTo(4);
        assertThat(page).contains("&lt;/script&gt;&lt;script&gt;alert(1)");
        assertThat(charts(page).toString()).contains("alert(1)");
    }

    @Test
    void verdictNamesTheExponentAndItsInterval() {
        StudyReport report = SyntheticStudy.of(true, List.of());
        assertThat(Verdict.headline(report))
                .isEqualTo("τ_mem grows as n^0.97 (95 % interval 0.85–1.10): in line with growth proportional to n.");
        assertThat(HtmlReport.page(report)).contains("<i>τ</i><sub>mem</sub> grows as n<sup>0.97</sup> (95 % interval");
    }

    @Test
    void verdictFollowsTheConfiguredThresholdAndRatio() {
        StudyReport report = SyntheticStudy.of(true, List.of());
        Headline headline = new Headline(List.of(0.1, 0.5), 0.5);
        ScalingFit.PowerLaw law = new ScalingFit.PowerLaw(3, 0.9, 0.8, 1.1, 0.9);
        ScalingFit fit = new ScalingFit(headline.tauMem(), "n", "", List.of(), Optional.of(law));
        Findings findings = new Findings(headline, List.of(), List.of(fit), List.of());
        StudyReport other =
                new StudyReport("x", "", report.provenance(), "", report.runs(), findings, List.of(), List.of());
        assertThat(Verdict.headline(other)).startsWith("τ_mem (10 %, k = 1/2) grows as n^0.90");
        String page = HtmlReport.page(other);
        String table = page.substring(page.indexOf("<h2>Runs"), page.indexOf("Times at other ratios"));
        assertThat(table).contains("k = 1/2").doesNotContain("first copy</th>");
        assertThat(page).contains("leads with 1/2", "thresholds are ours (10 %, 50 % here)");
        JsonNode chart = charts(page).get("f_mem_k1_2");
        assertThat(chart.get("rules")
                        .valueStream()
                        .filter(rule -> rule.get("run").asInt() < 0)
                        .map(rule -> rule.get("label").asString()))
                .containsExactly("10 %", "50 %");
        assertThat(page.indexOf("data-tab=\"f_mem_k1_2\"")).isLessThan(page.indexOf("data-tab=\"f_mem_k1_3\""));
    }

    @Test
    void zerosComeWithTheirUpperBoundAndTheirNumberOfImages() {
        RunCurves run = new RunCurves(
                "r",
                Map.of(),
                16,
                new RunStatus(State.FINISHED, 20, 20, ""),
                List.of(new Curve(new MemorizedFraction(Clock.PAPER_K), List.of(new Point(10, 0, 0, 0.0291)))),
                List.of(),
                List.of(new BaseRate(Clock.PAPER_K, 0, 0, 0.0148, 256)),
                128);
        assertThat(Verdict.details(of(run)))
                .contains(
                        "Each f_mem is a share of 128 generated images: no copy among 128 means f_mem below 2.91 %"
                                + " (Wilson, 95 %). A threshold of 1 % is 1.28 images of them: τ_mem rests on single"
                                + " copies.",
                        "Base rate, held-out images that would pass for copies (k = 1/3): 0 % [0, 1.48] (0 of 256"
                                + " images).");
        assertThat(HtmlReport.page(of(run))).contains("0 %<small> [0, 2.91]</small>");
    }

    @Test
    void aStoppedRunIsNotAtItsEnd() {
        List<TimeScale> times = List.of(new TimeScale(TAU_MEM, new NotReached(1200)));
        RunStatus status = new RunStatus(State.STOPPED, 1200, 5000, "");
        RunCurves run = new RunCurves("r", Map.of(), 16, status, List.of(), times, List.of(), 0);
        assertThat(HtmlReport.page(of(run)))
                .contains("stopped at step 1\u202f200 of 5\u202f000", "not yet reached")
                .doesNotContain("\"note\">not reached<");
    }

    @Test
    void aDistanceToTrainingImagesIsCalledThat() {
        Quantity.Frechet distance = new Quantity.Frechet("pixels", true, true);
        RunCurves run =
                run(List.of(new Curve(distance, List.of(Point.of(10, 2), Point.of(20, 1)))), List.of(), State.FINISHED);
        JsonNode chart = charts(HtmlReport.page(of(run))).get("frechet_pixels_training");
        assertThat(chart.get("y").get("label").asString()).contains("to the training images");
        assertThat(HtmlReport.page(of(run))).contains("a network that copies them scores well");
    }

    @Test
    void boundsAreDrawnAsTrianglesOfTheirDirection() {
        List<ScalingFit.FitPoint> points = List.of(
                new ScalingFit.FitPoint(8, "a", new BeforeFirst(100)),
                new ScalingFit.FitPoint(16, "b", new Reached(300, 200, Double.POSITIVE_INFINITY)),
                new ScalingFit.FitPoint(32, "c", new NotReached(900)),
                new ScalingFit.FitPoint(32, "d", new Reading.AtLeast(700, "still falling")));
        ScalingFit fit = new ScalingFit(TAU_MEM, "n", "", points, Optional.empty());
        StudyReport report = new StudyReport(
                "x", "", SyntheticStudy.provenance(), "", List.of(), Findings.of(List.of(fit)), List.of(), List.of());
        JsonNode series = charts(HtmlReport.page(report)).get("fit_n").get("series");
        assertThat(series.valueStream().map(s -> s.get("role").asString() + s.get("points")))
                .containsExactly(
                        "points[[16.0,300.0,200.0,null]]",
                        "bounds[[32.0,900.0],[32.0,700.0]]",
                        "upper_bounds[[8.0,100.0]]");
    }

    @Test
    void keysThatAdvanceTogetherAreNamedOnce() {
        List<RunCurves> runs = List.of(zipped("16", "2000"), zipped("32", "4000"));
        StudyReport report = new StudyReport(
                "x", "", SyntheticStudy.provenance(), "", runs, Findings.of(List.of()), List.of(), List.of());
        assertThat(HtmlReport.page(report)).contains("n = 16<").doesNotContain("n = 16, train.steps");
    }

    private static RunCurves zipped(String n, String steps) {
        Map<String, String> keys = new java.util.LinkedHashMap<>();
        keys.put("data.n", n);
        keys.put("train.steps", steps);
        Curve curve = new Curve(new TrainingLoss(), List.of(Point.of(1, 1)));
        RunStatus status = new RunStatus(State.FINISHED, 20, 20, "");
        return new RunCurves("n" + n, keys, Long.parseLong(n), status, List.of(curve), List.of(), List.of(), 0);
    }

    @Test
    void studyOverTheWidthIsDrawnAgainstIt() {
        List<RunCurves> runs = List.of(wide("8"), wide("16"));
        StudyReport report = new StudyReport(
                "x", "", SyntheticStudy.provenance(), "", runs, Findings.of(List.of()), List.of(), List.of());
        JsonNode charts = charts(HtmlReport.page(report));
        assertThat(charts.propertyNames())
                .contains(
                        "f_mem_w_k1_3",
                        "f_mem_w_over_n_k1_3",
                        "frechet_w_pixels",
                        "frechet_w_over_n_pixels",
                        "loss_w_t0.1",
                        "loss_w_over_n_t0.1");
        JsonNode last = charts.get("f_mem_w_over_n_k1_3")
                .get("series")
                .get(1)
                .get("points")
                .get(1);
        assertThat(last.get(0).asDouble()).isEqualTo(16 * 20 / 4.0);
    }

    private static RunCurves wide(String width) {
        List<Point> points = List.of(Point.of(10, 0.1), Point.of(20, 0.4));
        List<Curve> curves = List.of(
                new Curve(new MemorizedFraction(Clock.PAPER_K), points),
                new Curve(new Quantity.Frechet("pixels", true), points),
                new Curve(new Quantity.LossAt(0.1, Quantity.Split.TEST), points));
        RunStatus status = new RunStatus(State.FINISHED, 20, 20, "");
        return new RunCurves("w" + width, Map.of("model.width", width), 4, status, curves, List.of(), List.of(), 0);
    }

    @Test
    void unfinishedStudyShowsWhatIsThere() {
        String page = HtmlReport.page(SyntheticStudy.of(false, List.of()));
        assertThat(page)
                .contains("running, 45 % done")
                .contains("not yet reached")
                .contains("8 runs: 1 running, 7 finished.");
        JsonNode series = charts(page).get("f_mem_k1_3").get("series");
        assertThat(series.size()).isEqualTo(8);
        assertThat(series.get(7).get("points").size())
                .isBetween(10, series.get(0).get("points").size() - 1);
    }

    @Test
    void studyWithoutRunsOrNumbersIsStillAPage() {
        StudyReport empty = new StudyReport(
                "empty", "", SyntheticStudy.provenance(), "", List.of(), Findings.of(List.of()), List.of(), List.of());
        assertThat(HtmlReport.page(empty))
                .contains("Nothing has been measured yet.")
                .contains("0 runs.");
        RunCurves waiting = run(List.of(new Curve(new TrainingLoss(), List.of())), List.of(), State.WAITING);
        String page = HtmlReport.page(of(waiting));
        assertThat(page)
                .contains("The memorized fraction has not been measured yet.")
                .contains("waiting");
        assertThat(charts(page).size()).isZero();
    }

    @Test
    void singleRunWithoutFitGetsItsOwnVerdict() {
        RunCurves run = run(
                List.of(new Curve(new MemorizedFraction(Clock.PAPER_K), List.of(Point.of(10, 0), Point.of(20, 0.4)))),
                List.of(new TimeScale(TAU_MEM, new Reached(2345.6, 2000, Double.POSITIVE_INFINITY))),
                State.FINISHED);
        assertThat(Verdict.headline(of(run))).startsWith("Copying starts at τ_mem = 2\u202f350 updates in run lonely");
        assertThat(HtmlReport.page(of(run))).contains("[2\u202f000, open)");
    }

    @Test
    void everyKindOfReadingIsWritten() {
        List<TimeScale> times = List.of(
                new TimeScale(new Clock.TauGen(), new BeforeFirst(50)),
                new TimeScale(TAU_MEM, new NotReached(8000)),
                new TimeScale(new Clock.FirstCopy(Clock.PAPER_K), new Unknown("no samples drawn")));
        String page = HtmlReport.page(of(run(List.of(), times, State.STOPPED)));
        assertThat(page).contains("&lt; 50<small class=\"note\">before first");
        assertThat(page).contains("&gt; 8\u202f000<small class=\"note\">not yet reached");
        assertThat(page).contains("no samples drawn");
    }

    @Test
    void gapsAndInfinitiesBecomeNullNotInvalidJson() {
        List<Point> points = List.of(
                Point.of(1, 1),
                Point.of(2, Double.NaN),
                Point.of(3, Double.POSITIVE_INFINITY),
                new Point(4, 2, 1, Double.NaN));
        String page = HtmlReport.page(of(run(List.of(new Curve(new TrainingLoss(), points)), List.of(), State.FAILED)));
        JsonNode drawn = charts(page).get("training_loss").get("series").get(0).get("points");
        assertThat(drawn.toString()).isEqualTo("[[1.0,1.0],[2.0,null],[3.0,null],[4.0,2.0]]");
    }

    @Test
    void standInFeaturesAreNotCalledFid() {
        String page = HtmlReport.page(SyntheticStudy.of(true, List.of()));
        JsonNode chart = charts(page).get("frechet_random-conv-64");
        assertThat(chart.get("y").get("label").asString()).contains("stand-in, not FID");
        assertThat(page).contains("Fréchet distance, stand-in features (not FID)");
    }

    @Test
    void reportIsReplacedAndLeavesNoTemporaryFile() throws IOException {
        HtmlReport.write(SyntheticStudy.of(false, List.of()), folder.resolve("deep/er"));
        Path file = HtmlReport.write(SyntheticStudy.of(true, List.of()), folder.resolve("deep/er"));
        assertThat(Files.readString(file)).contains("8 runs: 8 finished.");
        try (var files = Files.list(file.getParent())) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void folderThatIsAFileIsAnEnvironmentFault() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "x");
        assertThatThrownBy(() -> HtmlReport.write(SyntheticStudy.of(true, List.of()), file))
                .isInstanceOf(EnvironmentException.class)
                .hasMessageContaining("report.html");
    }

    private static RunCurves run(List<Curve> curves, List<TimeScale> times, State state) {
        return new RunCurves("lonely", Map.of(), 16, new RunStatus(state, 20, 20, ""), curves, times, List.of(), 0);
    }

    private static StudyReport of(RunCurves run) {
        return new StudyReport(
                "one", "", SyntheticStudy.provenance(), "", List.of(run), Findings.of(List.of()), List.of(), List.of());
    }

    private static JsonNode charts(String page) {
        String start = "id=\"charts\">";
        int from = page.indexOf(start) + start.length();
        return JsonMapper.builder().build().readTree(page.substring(from, page.indexOf(SCRIPT_END, from)));
    }

    /// The page without the chart library, whose licence text and XML names contain addresses that nothing asks for.
    private static String withoutLibrary(String page) {
        int from = page.indexOf("<script>");
        int to = page.indexOf(SCRIPT_END, from);
        assertThat(page.substring(from, to)).contains("Licensed to the Apache Software Foundation");
        return page.substring(0, from) + page.substring(to);
    }
}
