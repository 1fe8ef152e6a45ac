package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.metrics.PhaseBoundary.Side;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.CollapseTest;
import dev.rote.tools.report.Exponents;
import dev.rote.tools.report.Landscape;
import dev.rote.tools.report.PaperComparison;
import dev.rote.tools.report.PaperComparison.Outcome;
import dev.rote.tools.report.PhaseDiagram;
import dev.rote.tools.report.TimeRatio;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Studies whose runs follow known laws, through the whole analysis over several axes.
class LandscapeAnalysisTest {
    private static final String FACES = "data.source = \"faces\"\ntrain.steps = 1000000\n";
    private static final String N = "\"data.n\" = [32, 64, 128, 256, 512, 1024]\n";
    private static final String W = "\"model.width\" = [8, 16, 32, 64]\n";

    /// The paper's own settings.
    private static final String CELEBA = """
            data = { source = "/images/celeba", size = 32, gray = true, test = 2048 }
            train.steps = 2000000
            measure.samples = 10000
            measure.sampler_steps = 100
            measure.features = "inception.onnx"
            """;
    private static final String BESIDE = "[analysis]\npaper = \"bonnaire-2025\"\n";

    private static Landscape landscape(StudyFile study, double scatter) {
        return LandscapeAnalysis.of(study, SyntheticGrid.runs(study, scatter), SyntheticGrid.parameters(study));
    }

    private static Exponents exponents(Landscape found, Clock clock) {
        return found.exponents().stream()
                .filter(law -> law.clock().equals(clock))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aStudyOfOneAxisHasNone() {
        StudyFile sizes = SyntheticGrid.study(FACES, N);
        assertThat(landscape(sizes, 0)).isSameAs(Landscape.NONE);
        StudyFile widths = SyntheticGrid.study(FACES + "data.n = 64", W);
        assertThat(landscape(widths, 0)).isSameAs(Landscape.NONE);
    }

    /// With W = 8 and n = 1024 tau_mem is beyond the last step: those runs are bounds, and the law stays straight.
    @Test
    void theLawOfBothAxesIsFound() {
        Landscape found = landscape(SyntheticGrid.study(FACES, N + W + "seed = [0, 1]"), 0.2);
        Exponents law = exponents(found, new Clock.TauMem(0.01, SyntheticGrid.K));
        assertThat(law.known() + law.bounded()).isEqualTo(48);
        assertThat(law.bounded()).isPositive();
        assertThat(law.terms()).extracting(Exponents.Term::variable).containsExactly("n", "W");
        for (int j = 0; j < 2; j++) {
            Exponents.Term term = law.terms().get(j);
            assertThat(term.value()).isCloseTo(j == 0 ? 1 : -1, within(0.1));
            assertThat(term.low()).isLessThan(term.value());
            assertThat(term.drawnHigh() - term.drawnLow()).isBetween(0.03, 0.4);
        }
        Exponents plateau = exponents(found, new Clock.Plateau());
        assertThat(plateau.terms().get(0).value()).isCloseTo(0, within(0.2));
        assertThat(plateau.terms().get(1).value()).isCloseTo(-1, within(0.2));
    }

    @Test
    void onlyTheRightVariableCollapses() {
        Landscape found = landscape(SyntheticGrid.study(FACES, N + W), 0);
        CollapseTest both = collapse(found, "f_mem at 1", "n/W");
        assertThat(both.collapsed()).isLessThan(1.1);
        assertThat(both.exponent()).isCloseTo(1, within(0.05));
        assertThat(both.low()).isLessThanOrEqualTo(both.exponent());
        assertThat(collapse(found, "f_mem at 1", "n").collapsed()).isGreaterThan(1.5);
        assertThat(collapse(found, "Fréchet", "1/W").collapsed()).isLessThan(1.05);
    }

    private static CollapseTest collapse(Landscape found, String what, String variable) {
        return found.collapses().stream()
                .filter(test -> test.what().startsWith(what) && test.variable().equals(variable))
                .findFirst()
                .orElseThrow();
    }

    /// At c tau_gen(W) = c 1.41e6 / W the share is 1 % at n = c 1.41e6 / 9600 = 147 c, whatever the width.
    @Test
    void theBoundaryIsFlatAndMovesUpWithTime() {
        StudyFile study = SyntheticGrid.study(FACES, N + W + "seed = [0, 1]\n[analysis]\nmultiples = [1, 3]");
        PhaseDiagram phase = landscape(study, 0).phases().getFirst();
        assertThat(phase.cells()).hasSize(24);
        assertThat(phase.moments()).hasSize(4).allSatisfy(moment -> {
            assertThat(moment.tau() * moment.width())
                    .isCloseTo(SyntheticGrid.W_TAU_GEN, within(0.15 * SyntheticGrid.W_TAU_GEN));
            assertThat(moment.runs()).isPositive();
        });
        assertThat(phase.lines())
                .extracting(PhaseDiagram.Line::label)
                .containsExactly("τ_gen", "3 τ_gen", "end of the runs");
        for (int line = 0; line < 2; line++) {
            double truth = 147 * (line == 0 ? 1 : 3);
            assertThat(phase.lines().get(line).edges()).hasSize(4).allSatisfy(edge -> {
                assertThat(edge.boundary().side()).isEqualTo(Side.WITHIN);
                // f is interpolated linearly between two n, where it bends
                assertThat(edge.boundary().n()).isCloseTo(truth, within(0.35 * truth));
                assertThat(edge.boundary().interval().contains(edge.boundary().n()))
                        .isTrue();
            });
        }
        List<PhaseDiagram.Edge> end = phase.lines().getLast().edges();
        assertThat(end.getFirst().boundary().side()).isEqualTo(Side.WITHIN);
        assertThat(end.getLast().boundary().side())
                .as("W = 64 copies at every n")
                .isEqualTo(Side.ABOVE);
    }

    /// As the paper has it, W tau_gen is one number, the mean over all runs; each width's own scatters about it.
    @Test
    void theGenerationTimeIsEachWidthsOwnOrFitted() {
        List<PhaseDiagram.Moment> own = moments("");
        double mean = Math.exp(own.stream()
                        .mapToDouble(m -> m.runs() * Math.log(m.width() * m.tau()))
                        .sum()
                / own.stream().mapToInt(PhaseDiagram.Moment::runs).sum());
        assertThat(own).anySatisfy(m -> assertThat(m.width() * m.tau()).isGreaterThan(1.002 * mean));
        assertThat(moments("[analysis]\ngeneration_time = \"fitted\""))
                .hasSize(4)
                .allSatisfy(m -> {
                    assertThat(m.width() * m.tau()).isCloseTo(mean, within(1e-6 * mean));
                    assertThat(m.runs()).isZero();
                });
    }

    private static List<PhaseDiagram.Moment> moments(String analysis) {
        StudyFile study = SyntheticGrid.study(FACES, N + W + analysis);
        return landscape(study, 0).phases().getFirst().moments();
    }

    /// The optimizer is a setting; its learning rate and the number of steps, which come with it, are not.
    @Test
    void settingsAreComparedRunByRun() {
        StudyFile study = SyntheticGrid.study(FACES, "seed = [0, 1]\n[zip]\n" + """
                "train.optimizer" = ["sgd", "sgd", "adam", "adam"]
                "train.lr" = [1e-2, 1e-2, 1e-4, 1e-4]
                "train.steps" = [900000, 1000000, 100000, 100001]
                "data.n" = [64, 128, 64, 128]
                [analysis]
                paper = "bonnaire-2025"
                """);
        assertThat(Settings.keys(study, LandscapeAnalysis.AXES)).containsExactly("train.optimizer");
        Landscape found = landscape(study, 0);
        TimeRatio ratio = found.ratios().stream()
                .filter(r -> r.clock() instanceof Clock.TauMem)
                .findFirst()
                .orElseThrow();
        assertThat(ratio.setting()).isEqualTo("train.optimizer = adam");
        assertThat(ratio.reference()).isEqualTo("train.optimizer = sgd");
        assertThat(ratio.pairs()).hasSize(4);
        assertThat(ratio.value()).isCloseTo(0.1, within(1e-9));
        assertThat(row(found, "with Adam τ_mem comes").outcome()).isEqualTo(Outcome.YES);
        assertThat(row(found, "τ_mem grows as n with Adam").ours()).startsWith("n^1.00");
        assertThat(found.paper().orElseThrow().figures())
                .extracting(PaperComparison.Figure::id)
                .containsExactly("fig2", "fig7_full_batch", "fig7_adam");
    }

    private static PaperComparison.Row row(Landscape found, String claim) {
        return found.paper().orElseThrow().rows().stream()
                .filter(row -> row.claim().startsWith(claim))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void thePapersOwnSettingsAreJudgedByItsNumbers() {
        StudyFile study = SyntheticGrid.study(CELEBA, N.replace("1024", "2048") + W + BESIDE);
        Landscape found = landscape(study, 0);
        assertThat(found.paper().orElseThrow().differences()).isEmpty();
        assertThat(found.paper().orElseThrow().remarks())
                .containsExactly("DDIM steps: 100, as in the paper’s code; its text has 200");
        assertThat(row(found, "τ_mem grows as n / W").outcome()).isEqualTo(Outcome.YES);
        assertThat(row(found, "f_mem rises at").ours()).isEqualTo("W = 32: 300");
        assertThat(row(found, "f_mem rises at").outcome()).isEqualTo(Outcome.YES);
        assertThat(row(found, "parameter counts").outcome()).isEqualTo(Outcome.YES);
        assertThat(row(found, "the losses part before").ours()).startsWith("in 2");
        assertThat(row(found, "W τ_gen is a constant").outcome()).isEqualTo(Outcome.YES);
        PaperComparison.Row constant = exactRow(found, "W τ_gen");
        assertThat(constant.outcome())
                .as("1.41e6 is not 3e6 within a factor 1.5")
                .isEqualTo(Outcome.NO);
        assertThat(constant.note()).doesNotContain("not comparable");
        assertThat(exactRow(found, "τ_gen at W = 32").outcome())
                .as("44 000 is not 100 000 within a factor 1.5")
                .isEqualTo(Outcome.NO);
        assertThat(row(found, "τ_mem grows as n with the full batch").outcome()).isEqualTo(Outcome.YES);
        assertThat(row(found, "n = 32 768").outcome()).isEqualTo(Outcome.NOT_MEASURED);
        assertThat(found.paper().orElseThrow().figures())
                .extracting(PaperComparison.Figure::id)
                .containsExactly("fig2", "fig3", "fig7_full_batch");
    }

    private static PaperComparison.Row exactRow(Landscape found, String claim) {
        return found.paper().orElseThrow().rows().stream()
                .filter(row -> row.claim().equals(claim))
                .findFirst()
                .orElseThrow();
    }

    /// tau_mem of n = 1024, W = 32 is at 307,200: at 190,000 next to nothing is copied, and 1.62 M is long after.
    @Test
    void theShowcaseIsReadAtTwoMoments() {
        Landscape found = landscape(SyntheticGrid.study(CELEBA, N + W + BESIDE), 0);
        PaperComparison.Row early = exactRow(found, "n = 1024, W = 32: f_mem at 190\u202f000 updates");
        assertThat(early.ours()).isEqualTo("0.2 %");
        assertThat(early.outcome()).isEqualTo(Outcome.YES);
        assertThat(early.note()).startsWith("nearest measurement, at 178\u202f000 updates");
        PaperComparison.Row quality = exactRow(found, "n = 1024, W = 32: FID at 190\u202f000 updates");
        assertThat(quality.ours()).isEqualTo("20.6");
        assertThat(quality.outcome()).as("20.6 is below 35 / 1.5").isEqualTo(Outcome.NO);
        assertThat(exactRow(found, "n = 1024, W = 32: f_mem at 1\u202f620\u202f000 updates")
                        .outcome())
                .as("0.6 is above the band")
                .isEqualTo(Outcome.NO);
        assertThat(row(landscape(SyntheticGrid.study(FACES, N + W + BESIDE), 0), "n = 1024, W = 32: f_mem at 190")
                        .outcome())
                .isEqualTo(Outcome.NOT_COMPARABLE);
    }

    /// The rest of the settings being the paper's, a number about copies is judged and one about quality is not.
    @Test
    void withoutTheFeaturesOfFidItsConstantsAreNotJudged() {
        String standIn = CELEBA.replace("inception.onnx", "random-convolution");
        Landscape found = landscape(SyntheticGrid.study(standIn, N + W + BESIDE), 0);
        assertThat(found.paper().orElseThrow().differences())
                .containsExactly("features of the Fréchet distance: random-convolution instead of FID’s Inception"
                        + " network (an ONNX file with rote.fid = true)");
        for (String claim : List.of("τ_gen at W = 32", "W τ_gen", "n = 1024, W = 32: FID at 190\u202f000 updates")) {
            PaperComparison.Row row = exactRow(found, claim);
            assertThat(row.ours()).as(claim).isNotEmpty();
            assertThat(row.outcome()).as(claim).isEqualTo(Outcome.NOT_COMPARABLE);
            assertThat(row.note()).as(claim).endsWith("; not comparable: the Fréchet distance is not FID");
        }
        assertThat(row(found, "f_mem rises at").outcome()).isEqualTo(Outcome.YES);
        assertThat(row(found, "W τ_gen is a constant").outcome())
                .as("a shape, in any features")
                .isEqualTo(Outcome.YES);
    }

    @Test
    void theNumberOfDdimStepsIsTheTextsOrTheCodes() {
        for (int steps : new int[] {50, 100, 200}) {
            String settings = CELEBA.replace("sampler_steps = 100", "sampler_steps = " + steps);
            PaperComparison paper = landscape(SyntheticGrid.study(settings, N + W + BESIDE), 0)
                    .paper()
                    .orElseThrow();
            boolean own = steps != 50;
            assertThat(paper.remarks()).as("%d steps", steps).hasSize(own ? 1 : 0);
            assertThat(paper.differences())
                    .as("%d steps", steps)
                    .isEqualTo(
                            own
                                    ? List.of()
                                    : List.of("DDIM steps: 50 instead of 200 (the paper’s text) or 100 (its code),"
                                            + " which disagree"));
        }
    }

    /// The files at full size have the paper's settings; FID's network is the user's to give.
    @ParameterizedTest
    @ValueSource(strings = {"n-sweep", "width-sweep", "phase", "adam", "full-batch", "figures"})
    void theFilesAtFullSizeHaveThePapersSettings(String name) {
        for (Grid.Run run : StudyFile.find("study1/" + name).runs()) {
            assertThat(PaperSettings.differences(run.config())).as(run.name()).isEmpty();
            assertThat(PaperSettings.features(run.config(), List.of())).isPresent();
        }
    }

    @Test
    void constantsOfOtherSettingsAreNotJudged() {
        StudyFile study = SyntheticGrid.study(FACES, N + W + "[analysis]\npaper = \"bonnaire-2025\"\n");
        Landscape found = landscape(study, 0);
        assertThat(found.paper().orElseThrow().differences())
                .anySatisfy(text -> assertThat(text).startsWith("images: faces"))
                .contains("samples: 256 instead of 10000");
        assertThat(row(found, "f_mem rises at").outcome()).isEqualTo(Outcome.NOT_COMPARABLE);
        assertThat(row(found, "W τ_gen is a constant").outcome()).isEqualTo(Outcome.YES);
        assertThat(row(found, "τ_mem (1 %), k = 1/2 grows as n too").outcome()).isEqualTo(Outcome.YES);
    }

    @Test
    void anExponentIsJudgedWithItsInterval() {
        assertThat(PaperReadings.judge(term(1.1, 0.9, 1.3), 1)).isEqualTo(Outcome.YES);
        assertThat(PaperReadings.judge(term(1.1, 0.2, 2), 1)).as("too wide").isEqualTo(Outcome.OPEN);
        assertThat(PaperReadings.judge(term(1.4, 1.1, 1.7), 1))
                .as("reaches into the band")
                .isEqualTo(Outcome.OPEN);
        assertThat(PaperReadings.judge(term(1.4, 1.2, 1.6), 1)).isEqualTo(Outcome.NO);
        assertThat(PaperReadings.judge(term(-0.6, -0.7, -0.5), -1)).isEqualTo(Outcome.NO);
        assertThat(PaperReadings.judge(term(1, Double.NaN, Double.NaN), 1)).isEqualTo(Outcome.OPEN);
    }

    private static Exponents.Term term(double value, double low, double high) {
        return new Exponents.Term("n", value, low, high, low, high);
    }

    /// A study of which nothing has been measured yet.
    @Test
    void nothingMeasuredIsNoError() {
        StudyFile study = SyntheticGrid.study(FACES, N + W + "[analysis]\npaper = \"bonnaire-2025\"\n");
        List<dev.rote.tools.report.RunCurves> waiting = SyntheticGrid.runs(study, 0).stream()
                .map(run -> new dev.rote.tools.report.RunCurves(
                        run.name(), run.keys(), run.n(), run.status(), List.of(), List.of(), List.of(), 0))
                .toList();
        Landscape found = LandscapeAnalysis.of(study, waiting, Map.of());
        assertThat(found.phases()).isEmpty();
        assertThat(found.exponents()).isEmpty();
        assertThat(found.paper().orElseThrow().rows())
                .allSatisfy(row -> assertThat(row.outcome()).isEqualTo(Outcome.NOT_MEASURED));
    }
}
