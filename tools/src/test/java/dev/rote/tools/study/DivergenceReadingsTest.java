package dev.rote.tools.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.ConfigTree;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.CollapseTest;
import dev.rote.tools.report.Exponents;
import dev.rote.tools.report.Landscape;
import dev.rote.tools.report.Quantity;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.ScalingFit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// The clocks of `kl`, from records to laws: made-up runs in which KL = 10^4 (8000 / W tau)^4 + 0.1 + tau W / 640 n, so
/// that it falls below a nat at W tau of about 82,000 and is above it again at tau of about 576 n / W.
class DivergenceReadingsTest {
    private static final Clock FALL = new Clock.TauKl(1);
    private static final Clock RISE = new Clock.KlRise(1);

    private static StudyFile study(String grid) {
        return StudyFile.of(ConfigTree.parse("""
                name = "s"
                data.source = "builtin:gaussian-mixture?d=8"
                model.family = "mlp-mixture"
                train.steps = 100000
                measure.metrics = ["memorized_fraction", "kl"]
                measure.sampler = "ddpm"
                measure.sampler_steps = 1000
                [grid]
                """ + grid, "s.toml"));
    }

    /// @param copies tau_mem, after which every sample is one
    private static RunCurves run(StudyFile study, Grid.Run run, double copies, double half) {
        double n = run.config().data().n();
        double w = run.config().model().width();
        List<RunRecord.Measured> measured = new ArrayList<>();
        for (double tau = 100; tau <= 100_000; tau *= Math.pow(10, 0.125)) {
            double kl = 1e4 * Math.pow(8000 / (w * tau), 4) + 0.1 + tau * w / (640 * n);
            measured.add(new RunRecord.Measured(
                    (int) Math.round(tau),
                    2,
                    List.of(),
                    tau > copies ? new double[] {0.1, 0.1} : new double[] {0.9, 0.9},
                    Optional.empty(),
                    "",
                    Map.of(),
                    Map.of(),
                    Map.of("kl@points", new RunRecord.Estimate(kl, kl - half, kl + half))));
        }
        RunRecord record = StudyAnalysisTest.finished(100_000, measured);
        return new RunAnalysis(run, record, study.analysis()).curves(Optional.empty());
    }

    private static RunCurves one(int n, double copies) {
        StudyFile study = study("\"data.n\" = [" + n + "]\n\"model.width\" = [64]");
        return run(study, study.runs().getFirst(), copies, 0.1);
    }

    private static Reading.Reached reached(RunCurves run, Clock clock) {
        return (Reading.Reached) run.time(clock).orElseThrow();
    }

    @Test
    void aRunHasTheTimesOfItsFallAndItsRise() {
        RunCurves run = one(1024, 50_000);
        Reading.Reached fall = reached(run, FALL);
        assertThat(fall.value()).isCloseTo(1290, within(60.0));
        assertThat(fall.low()).isBetween(1000.0, fall.value());
        assertThat(fall.high()).isBetween(fall.value(), 1500.0);
        assertThat(reached(run, RISE).value()).isCloseTo(9216, within(300.0));
        assertThat(reached(run, new Clock.Plateau()).value()).isBetween(700.0, 1290.0);
        assertThat(run.curve(Quantity.Metric.KL)).isPresent();
        assertThat(run.time(new Clock.TauGen())).isEmpty();
    }

    @Test
    void copiesBeforeTheFallAreABound() {
        assertThat(one(1024, 800).time(FALL)).contains(new Reading.AtLeast(750, "copies come first"));
        RunCurves tiny = one(16, 1e9); // 0.1 tau, above a nat before it could fall below
        assertThat(tiny.time(FALL)).contains(new Reading.NotReached(100_000));
        assertThat(tiny.time(RISE)).contains(new Reading.Unknown("never near 0"));
        assertThat(one(10_000_000, 1e9).time(RISE)).contains(new Reading.NotReached(100_000));
    }

    @Test
    void sizesGiveALawWithItsBounds() {
        StudyFile study = study("\"data.n\" = [16, 1024, 2048, 4096]");
        List<RunCurves> runs =
                study.runs().stream().map(run -> run(study, run, 1e9, 0.1)).toList();
        ScalingFit fall = fit(study, runs, FALL);
        assertThat(fall.points()).hasSize(4);
        assertThat(fall.points().getFirst().reading()).isInstanceOf(Reading.NotReached.class);
        assertThat(fall.law().orElseThrow().slope()).isCloseTo(0, within(0.05));
        assertThat(fall.law().orElseThrow().high())
                .isGreaterThan(fall.law().orElseThrow().slope());
        assertThat(fit(study, runs, RISE).law().orElseThrow().slope()).isCloseTo(1, within(0.05));
        assertThat(fit(study, runs, new Clock.Plateau()).points()).hasSize(4);
    }

    private static ScalingFit fit(StudyFile study, List<RunCurves> runs, Clock clock) {
        return StudyAnalysis.fits(study, runs).stream()
                .filter(fit -> fit.clock().equals(clock))
                .findFirst()
                .orElseThrow();
    }

    /// The fall depends on W alone and so collapses in W tau; the rise depends on n / W.
    @Test
    void bothAxesGiveALawAndACollapse() {
        StudyFile study = study("\"data.n\" = [1024, 4096]\n\"model.width\" = [32, 64, 128]");
        List<RunCurves> runs =
                study.runs().stream().map(run -> run(study, run, 1e9, 0.1)).toList();
        Landscape found = LandscapeAnalysis.of(study, runs, Map.of());
        assertThat(exponents(found, FALL, 0)).isCloseTo(0, within(0.1));
        assertThat(exponents(found, FALL, 1)).isCloseTo(-1, within(0.1));
        assertThat(exponents(found, RISE, 0)).isCloseTo(1, within(0.1));
        assertThat(exponents(found, new Clock.Plateau(), 1)).isBetween(-1.6, -0.4);
        CollapseTest collapse = found.collapses().stream()
                .filter(test -> test.what().startsWith("KL"))
                .findFirst()
                .orElseThrow();
        assertThat(collapse.variable()).isEqualTo("1/W");
        assertThat(collapse.collapsed()).isLessThan(1.1);
        assertThat(collapse.raw()).isGreaterThan(1.5);
    }

    private static double exponents(Landscape found, Clock clock, int axis) {
        return found.exponents().stream()
                .filter(law -> law.clock().equals(clock))
                .findFirst()
                .map(Exponents::terms)
                .orElseThrow()
                .get(axis)
                .value();
    }
}
