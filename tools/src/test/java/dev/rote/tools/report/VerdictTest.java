package dev.rote.tools.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What a report says of its laws in words.
class VerdictTest {
    private static final Clock.TauMem TAU_MEM = Headline.PAPER.tauMem();

    @Test
    void twoRunsGiveALineAndNoInterval() {
        StudyReport report = SyntheticStudy.of(true, List.of());
        ScalingFit.PowerLaw law = new ScalingFit.PowerLaw(3, 1.22, Double.NaN, Double.NaN, 1);
        ScalingFit fit = new ScalingFit(TAU_MEM, "n", "", List.of(), Optional.of(law));
        StudyReport other = new StudyReport(
                "x", "", report.provenance(), "", report.runs(), Findings.of(List.of(fit)), List.of(), List.of());
        assertThat(Verdict.headline(other))
                .isEqualTo("τ_mem grows as n^1.22 between two runs, which give no interval.");
        assertThat(HtmlReport.page(other)).doesNotContain("1.000");
    }

    @Test
    void everySettingIsNamedWhileTheyAreFew() {
        assertThat(headline(0.9, 1.0))
                .isEqualTo("τ_mem grows as n^0.90 (0.70–1.10) at W = 8, 1.00 (0.80–1.20) at W = 16 (95 % intervals):"
                        + " in line with growth proportional to n in 2 of 2.");
        assertThat(headline(0.9, 1.4, Double.NaN))
                .isEqualTo("τ_mem grows as n^0.90 (0.70–1.10) at W = 8, 1.40 (1.20–1.60) at W = 16, 1.00 at W = 32"
                        + " (95 % intervals): in line with growth proportional to n in 1 of 2.");
        assertThat(headline(0.9, 1.4, 1.3, 1.1, 1.0))
                .isEqualTo(
                        "τ_mem grows as n^0.90 to 1.40 in 5 settings: in line with growth proportional to n in 3 of 5.");
        assertThat(headline(Double.NaN, Double.NaN))
                .isEqualTo("τ_mem grows as n^1.00 at W = 8, 1.00 at W = 16, without intervals.");
    }

    @Test
    void theLawOfTauGenNamesItsSetting() {
        assertThat(generation(0.2, 0.2, 1.1))
                .contains(" (∝ n^0.20 at W = 8, 95 % interval of the exponent 0.00 to 0.40; ∝ n^1.10 at W = 16, 95 %"
                        + " interval of the exponent 0.90 to 1.30).");
        assertThat(generation(1e-4, 0.2, Double.NaN))
                .contains(
                        " (∝ n^0.20 at W = 8, without an interval, as the few known times lie on one line; ∝ n^1.00 at"
                                + " W = 16 between two runs, without an interval).");
        assertThat(generation(0.2, 0.1, 0.2, 0.3, 0.4, 0.5)).contains(" (∝ n^0.10 to 0.50 in 5 settings).");
    }

    private static String generation(double margin, double... slopes) {
        return Verdict.details(laws(new Clock.TauGen(), margin, slopes)).stream()
                .filter(line -> line.startsWith("Samples are good"))
                .findFirst()
                .orElseThrow();
    }

    private static String headline(double... slopes) {
        return Verdict.headline(laws(TAU_MEM, 0.2, slopes));
    }

    /// @param slopes with the margin on either side; NaN: 1, without an interval
    private static StudyReport laws(Clock clock, double margin, double... slopes) {
        StudyReport report = SyntheticStudy.of(true, List.of());
        List<ScalingFit> fits = new ArrayList<>();
        for (double slope : slopes) {
            ScalingFit.PowerLaw law = Double.isNaN(slope)
                    ? new ScalingFit.PowerLaw(3, 1, Double.NaN, Double.NaN, 1)
                    : new ScalingFit.PowerLaw(3, slope, slope - margin, slope + margin, 0.9);
            fits.add(new ScalingFit(clock, "n", "W = " + (8 << fits.size()), List.of(), Optional.of(law)));
        }
        return new StudyReport(
                "x", "", report.provenance(), "", report.runs(), Findings.of(fits), List.of(), List.of());
    }

    @Test
    void intervalThatExcludesOneIsSaid() {
        StudyReport report = SyntheticStudy.of(true, List.of());
        ScalingFit.PowerLaw law = new ScalingFit.PowerLaw(3, 1.4, 1.2, 1.6, 0.9);
        ScalingFit fit = new ScalingFit(TAU_MEM, "n", "", List.of(), Optional.of(law));
        StudyReport other = new StudyReport(
                "x", "", report.provenance(), "", report.runs(), Findings.of(List.of(fit)), List.of(), List.of());
        assertThat(Verdict.headline(other)).contains("the interval excludes growth proportional to n");
    }

    @Test
    void intervalThatAllowsNoGrowthAtAllSaysNothingForGrowth() {
        StudyReport report = SyntheticStudy.of(true, List.of());
        ScalingFit.PowerLaw law = new ScalingFit.PowerLaw(3, 0.4, -0.4, 1.1, 0.9);
        ScalingFit fit = new ScalingFit(TAU_MEM, "n", "", List.of(), Optional.of(law));
        StudyReport other = new StudyReport(
                "x", "", report.provenance(), "", report.runs(), Findings.of(List.of(fit)), List.of(), List.of());
        assertThat(Verdict.headline(other)).endsWith("too wide to tell growth proportional to n from none.");
    }

    @Test
    void similarityIsTheMeanAtTheLastMeasurementByN() {
        StudyReport report = SyntheticStudy.of(true, List.of());
        List<RunCurves> runs = List.of(twin(64, 0.9, 0.8), twin(16, 0.7, 0.5), twin(16, 0.9, 0.7));
        StudyReport other =
                new StudyReport("x", "", report.provenance(), "", runs, Findings.of(List.of()), List.of(), List.of());
        assertThat(Verdict.details(other))
                .contains("Pictures that two networks draw from the same noise have a mean cosine similarity of 0.60"
                        + " (n = 16), 0.80 (n = 64) at the last measurement.");
        assertThat(Verdict.details(report)).noneMatch(line -> line.contains("cosine"));
    }

    private static RunCurves twin(int n, double first, double last) {
        Curve similarity = new Curve(Quantity.Metric.SIMILARITY, List.of(Point.of(1, first), Point.of(2, last)));
        RunStatus status = new RunStatus(RunStatus.State.FINISHED, 2, 2, "");
        return new RunCurves("n" + n, Map.of(), n, status, List.of(similarity), List.of(), List.of(), 0);
    }
}
