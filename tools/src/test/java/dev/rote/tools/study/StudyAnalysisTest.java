package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.ConfigTree;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Collapse;
import dev.rote.tools.report.Curve;
import dev.rote.tools.report.Findings;
import dev.rote.tools.report.Headline;
import dev.rote.tools.report.OverSeeds;
import dev.rote.tools.report.Point;
import dev.rote.tools.report.Quantity;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.RunStatus;
import dev.rote.tools.report.ScalingFit;
import dev.rote.tools.report.TimeScale;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/// From the readings of a study's runs to its fits, and from records to readings.
class StudyAnalysisTest {
    private static final String STUDY = """
            name = "sweep"
            data.source = "faces"
            train.steps = 100
            [zip]
            "data.n" = [8, 16, 32]
            "train.steps" = [100, 200, 400]
            "train.batch" = [2, 4, 8]
            [grid]
            "train.lr" = [1e-3, 2e-3]
            """;

    private static StudyFile study() {
        return StudyFile.of(ConfigTree.parse(STUDY, "s.toml"));
    }

    /// tau_mem(1 %) = 5 n^1.5 at every learning rate.
    private static RunCurves curves(Grid.Run run) {
        int n = run.config().data().n();
        return curves(
                run,
                new Clock.TauMem(0.01, run.config().measure().k().getFirst()),
                new Reading.Reached(5 * Math.pow(n, 1.5), Double.NaN, Double.NaN));
    }

    private static RunCurves curves(Grid.Run run, Clock clock, Reading reading) {
        return new RunCurves(
                run.name(),
                run.point(),
                run.config().data().n(),
                new RunStatus(RunStatus.State.FINISHED, 100, 100, ""),
                List.of(),
                List.of(new TimeScale(clock, reading)),
                List.of(),
                0);
    }

    @Test
    void keysThatAdvanceWithTheFittedOneDoNotSplitTheFit() {
        StudyFile study = study();
        List<ScalingFit> fits = StudyAnalysis.fits(
                study, study.runs().stream().map(StudyAnalysisTest::curves).toList());
        List<ScalingFit> headline = fits.stream()
                .filter(fit -> fit.clock() instanceof Clock.TauMem clock && clock.threshold() == 0.01)
                .toList();
        assertThat(headline.stream().map(ScalingFit::where)).containsExactly("train.lr = 0.001", "train.lr = 0.002");
        for (ScalingFit fit : headline) {
            assertThat(fit.points()).hasSize(3);
            assertThat(fit.law().orElseThrow().slope()).isCloseTo(1.5, within(1e-9));
        }
    }

    @Test
    void samplesThatAreGoodWhenFirstLookedAtHaveNoKnownGenerationTime() {
        assertThat(generation(0.5, 0.9, 0.8)).isEqualTo(new Reading.BeforeFirst(10));
        assertThat(generation(2.0, 0.5, 0.54)).isEqualTo(new Reading.Reached(20, Double.NaN, Double.NaN));
    }

    @Test
    void aDistanceThatMayStillFallGivesALowerBound() {
        assertThat(generation(2.0, 0.54, 0.5)).isEqualTo(new Reading.AtLeast(20, "still falling"));
        assertThat(generation(0.52, 0.51, 0.5)).isInstanceOf(Reading.Unknown.class);
    }

    @Test
    void theRecordSaysWhetherADistanceIsAnFid() {
        for (String name : List.of("FID on features of x.onnx", "Fréchet distance on features of inception.onnx")) {
            var at = new RunRecord.Measured(
                    10,
                    2,
                    List.of(),
                    new double[0],
                    Optional.of(new RunRecord.Estimate(3, 2, 4)),
                    name,
                    Map.of(),
                    Map.of(),
                    Map.of());
            var drawn = (Quantity.Frechet) run(List.of(at)).curves().getFirst().quantity();
            assertThat(drawn.standIn()).isEqualTo(!name.startsWith("FID"));
            assertThat(drawn.toTraining()).isTrue(); // no test images in this study
        }
    }

    @Test
    void theGenerationTimeHasAnIntervalWhereTheDistancesHave() {
        double[][] distances = {{2.0, 0.1}, {0.5, 0.05}, {0.49, 0.05}, {0.52, 0.05}};
        var measured = new ArrayList<RunRecord.Measured>();
        for (int i = 0; i < distances.length; i++) {
            double value = distances[i][0];
            measured.add(
                    measured(10 << i, new RunRecord.Estimate(value, value - distances[i][1], value + distances[i][1])));
        }
        Reading.Reached time =
                (Reading.Reached) run(measured).time(new Clock.TauGen()).orElseThrow();
        assertThat(time.value()).isEqualTo(20);
        assertThat(time.low()).isEqualTo(20);
        assertThat(time.high()).isEqualTo(40);
    }

    @Test
    void firstCopiesAndLossSplitsHaveIntervals() {
        var measured = new ArrayList<RunRecord.Measured>();
        for (int i = 0; i < 4; i++) {
            int copies = new int[] {0, 1, 20, 60}[i];
            double[] ratios = new double[64];
            java.util.Arrays.setAll(ratios, sample -> sample < copies ? 0.1 : 0.9);
            double train = new double[] {1, 0.95, 0.7, 0.3}[i];
            measured.add(new RunRecord.Measured(
                    10 << i,
                    64,
                    List.of(),
                    ratios,
                    Optional.empty(),
                    "",
                    Map.of(0.1, new RunRecord.Estimate(train, train - 0.02, train + 0.02)),
                    Map.of(0.1, new RunRecord.Estimate(1, 0.98, 1.02)),
                    Map.of("kid@features", new RunRecord.Estimate(train, Double.NaN, Double.NaN))));
        }
        RunCurves run = run(measured);
        assertThat(run.time(new Clock.FirstCopy(1.0 / 3))).contains(new Reading.Reached(20, 20, 40));
        var split = (Reading.Reached) run.time(new Clock.LossSplit(0.1)).orElseThrow();
        assertThat(split.low()).isBetween(15.0, split.value() - 0.5);
        assertThat(split.high()).isBetween(split.value() + 0.5, 40.0);
        var kid = run.curves().stream()
                .filter(curve -> curve.quantity().equals(new Quantity.Metric("kid@features", "")))
                .findFirst()
                .orElseThrow();
        assertThat(kid.points()).hasSize(4);
        assertThat(kid.points().get(3).y()).isEqualTo(0.3);
    }

    @Test
    void aSplitBeforeTheFirstMeasurementIsAnUpperBoundInTheFit() {
        StudyFile study = grid("""
                "data.n" = [8, 16, 32]
                """);
        List<RunCurves> runs = study.runs().stream()
                .map(run -> curves(
                        run,
                        new Clock.LossSplit(0.1),
                        run.config().data().n() == 8
                                ? new Reading.BeforeFirst(10)
                                : new Reading.Reached(run.config().data().n(), 1, 99)))
                .toList();
        ScalingFit fit = StudyAnalysis.fits(study, runs).stream()
                .filter(f -> f.clock() instanceof Clock.LossSplit)
                .findFirst()
                .orElseThrow();
        assertThat(fit.points()).hasSize(3);
        assertThat(fit.points().getFirst().reading()).isEqualTo(new Reading.BeforeFirst(10));
        assertThat(fit.law().orElseThrow().slope()).isCloseTo(1, within(1e-9));
    }

    @Test
    void seedsOfOneSettingGiveAMedianWithItsInterval() {
        StudyFile study = seeds("");
        List<RunCurves> runs = new ArrayList<>();
        for (Grid.Run run : study.runs()) {
            long seed = run.config().seed();
            Reading reading = seed == 3
                    ? new Reading.NotReached(500)
                    : new Reading.Reached(run.config().data().n() * (10.0 + seed), Double.NaN, Double.NaN);
            runs.add(curves(run, new Clock.TauMem(0.01, 1.0 / 3), reading));
        }
        List<OverSeeds> groups = StudyAnalysis.overSeeds(runs);
        assertThat(groups).extracting(OverSeeds::keys).containsExactly(Map.of("data.n", "8"), Map.of("data.n", "16"));
        OverSeeds.Time time = groups.getLast().times().getFirst();
        assertThat(groups.getLast().runs()).isEqualTo(4);
        assertThat(time.reached()).isEqualTo(3);
        assertThat(time.value()).isEqualTo(16 * 11.5);
        assertThat(time.low()).isEqualTo(160);
        assertThat(time.high()).isInfinite();
    }

    /// Another block of images is the same experiment once more: one fit, and a median over blocks and seeds.
    @Test
    void blocksOfImagesAreReplicatesAsSeedsAre() {
        StudyFile study = grid("""
                "data.n" = [8, 16]
                "data.index" = [0, 1]
                seed = [0, 1]
                """);
        List<RunCurves> runs = study.runs().stream()
                .map(run -> curves(
                        run,
                        new Clock.TauMem(0.01, 1.0 / 3),
                        new Reading.Reached(
                                run.config().data().n()
                                        * (10.0 + run.config().data().index()),
                                Double.NaN,
                                Double.NaN)))
                .toList();
        List<ScalingFit> fits = StudyAnalysis.fits(study, runs).stream()
                .filter(fit -> fit.clock() instanceof Clock.TauMem)
                .toList();
        assertThat(fits).hasSize(1);
        assertThat(fits.getFirst().where()).isEmpty();
        assertThat(fits.getFirst().points()).hasSize(8);
        assertThat(fits.getFirst().law().orElseThrow().slope()).isCloseTo(1, within(1e-9));
        assertThat(StudyAnalysis.overSeeds(runs)).hasSize(2).allSatisfy(group -> {
            assertThat(group.runs()).isEqualTo(4);
            assertThat(group.keys()).containsOnlyKeys("data.n");
        });
    }

    @Test
    void theConfiguredThresholdsAndRatioLead() {
        StudyFile study = seeds("[analysis]\nthresholds = [0.2, 0.05]\nk = 0.5\n");
        Findings findings = StudyAnalysis.findings(
                study,
                study.runs().stream()
                        .map(run -> curves(
                                run,
                                new Clock.TauMem(0.05, 0.5),
                                new Reading.Reached(7.0 * run.config().data().n(), Double.NaN, Double.NaN)))
                        .toList(),
                Map.of());
        assertThat(findings.headline()).isEqualTo(new Headline(List.of(0.05, 0.2), 0.5));
        assertThat(findings.fits().getFirst().clock()).isEqualTo(new Clock.TauMem(0.05, 0.5));
        assertThat(findings.fits().getFirst().law().orElseThrow().slope()).isCloseTo(1, within(1e-9));
    }

    /// Shares that depend on tau W / n only.
    @Test
    void curvesThatFallOnOneAnotherHaveAPerfectScore() {
        StudyFile study = grid("""
                "data.n" = [8, 16]
                "model.width" = [8, 16]
                """);
        List<RunCurves> runs = new ArrayList<>();
        for (Grid.Run run : study.runs()) {
            double scale =
                    (double) run.config().data().n() / run.config().model().width();
            List<Point> points = new ArrayList<>();
            for (double x = 1; x < 200; x *= 1.5) {
                points.add(Point.of(x * scale, x / (x + 30)));
            }
            Curve curve = new Curve(new Quantity.MemorizedFraction(1.0 / 3), points);
            RunStatus status = new RunStatus(RunStatus.State.FINISHED, 100, 100, "");
            runs.add(new RunCurves(
                    run.name(), run.point(), run.config().data().n(), status, List.of(curve), List.of(), List.of(), 9));
        }
        List<Collapse> found = StudyAnalysis.collapses(study, runs);
        assertThat(found).extracting(Collapse::variable).containsExactly("n", "n/W");
        assertThat(found.get(1).collapsed()).isCloseTo(1, within(1e-6));
        assertThat(found.get(1).bestExponent()).isCloseTo(1, within(1e-9));
        assertThat(found.get(0).collapsed()).isGreaterThan(1.3);
    }

    private static StudyFile grid(String axes) {
        String head = "name = \"s\"\ndata.source = \"faces\"\ntrain.steps = 100\n[grid]\n";
        return StudyFile.of(ConfigTree.parse(head + axes, "s.toml"));
    }

    private static StudyFile seeds(String more) {
        return grid("\"data.n\" = [8, 16]\nseed = [0, 1, 2, 3]\n" + more);
    }

    /// tau_gen of a run whose Fréchet distances at steps 10, 20, 40 are these, and that copies nothing.
    private static Reading generation(double... frechet) {
        List<RunRecord.Measured> measured = new ArrayList<>();
        for (int i = 0; i < frechet.length; i++) {
            measured.add(measured(10 << i, new RunRecord.Estimate(frechet[i], Double.NaN, Double.NaN)));
        }
        return run(measured).time(new Clock.TauGen()).orElseThrow();
    }

    private static RunCurves run(List<RunRecord.Measured> measured) {
        RunRecord record = finished(80, measured);
        StudyFile study = study();
        return new RunAnalysis(study.runs().getFirst(), record, study.analysis()).curves(Optional.empty());
    }

    /// A run that ended at an update, of which only measurements were recorded.
    static RunRecord finished(int step, List<RunRecord.Measured> measured) {
        return new RunRecord(
                step,
                true,
                List.of(),
                List.of(),
                measured,
                Optional.empty(),
                OptionalLong.empty(),
                List.of(),
                Optional.empty());
    }

    private static RunRecord.Measured measured(int step, RunRecord.Estimate frechet) {
        return new RunRecord.Measured(
                step,
                2,
                List.of(),
                new double[] {0.9, 0.8},
                Optional.of(frechet),
                "pixels",
                Map.of(),
                Map.of(),
                Map.of());
    }
}
