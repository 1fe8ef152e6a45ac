package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.ConfigTree;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.RunStatus;
import dev.rote.tools.report.ScalingFit;
import dev.rote.tools.report.TimeScale;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
        var tauMem = new TimeScale(
                new Clock.TauMem(0.01, run.config().measure().k().getFirst()),
                new Reading.Reached(5 * Math.pow(n, 1.5), Double.NaN, Double.NaN));
        return new RunCurves(
                run.name(),
                run.point(),
                n,
                new RunStatus(RunStatus.State.FINISHED, 100, 100, ""),
                List.of(),
                List.of(tauMem),
                List.of());
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
        assertThat(generation(2.0, 0.54, 0.5)).isEqualTo(new Reading.Reached(20, Double.NaN, Double.NaN));
    }

    /// tau_gen of a run whose Fréchet distances at steps 10, 20, 40 are these, and that copies nothing.
    private static Reading generation(double... frechet) {
        List<RunRecord.Measured> measured =
                List.of(measured(10, frechet[0]), measured(20, frechet[1]), measured(40, frechet[2]));
        var record = new RunRecord(40, true, List.of(), List.of(), measured, Optional.empty());
        StudyFile study = study();
        RunCurves curves = new RunAnalysis(study.runs().getFirst(), record, study.analysis()).curves(Optional.empty());
        return curves.time(new Clock.TauGen()).orElseThrow();
    }

    private static RunRecord.Measured measured(int step, double frechet) {
        return new RunRecord.Measured(
                step, 2, List.of(), new double[] {0.9, 0.8}, Optional.of(frechet), "pixels", Map.of(), Map.of());
    }
}
