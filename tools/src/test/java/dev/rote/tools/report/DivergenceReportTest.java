package dev.rote.tools.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// The report of a study whose quality is `kl`: its clocks lead where those of the Fréchet distance do otherwise.
class DivergenceReportTest {
    private static final Clock FALL = new Clock.TauKl(1);
    private static final Clock RISE = new Clock.KlRise(1);

    private static RunCurves run(String width, Reading fall, double rise, double copies) {
        return new RunCurves(
                "W=" + width,
                Map.of("model.width", width),
                64,
                new RunStatus(RunStatus.State.FINISHED, 4000, 4000, ""),
                List.of(new Curve(Quantity.Metric.KL, List.of(Point.of(100, 9), Point.of(4000, 2)))),
                List.of(
                        new TimeScale(new Clock.TauMem(0.01, Clock.PAPER_K), new Reading.Reached(copies, 1, 9000)),
                        new TimeScale(FALL, fall),
                        new TimeScale(RISE, new Reading.Reached(rise, 1, 9000))),
                List.of(),
                256);
    }

    private static StudyReport report() {
        List<RunCurves> runs = List.of(
                run("32", new Reading.Reached(500, 400, 600), 1500, 2000),
                run("64", new Reading.Reached(250, 200, Double.POSITIVE_INFINITY), 1000, 1500),
                run("128", new Reading.AtLeast(750, "copies come first"), 900, 800));
        ScalingFit law = new ScalingFit(
                FALL, "model.width", "", List.of(), Optional.of(new ScalingFit.PowerLaw(16000, -1, -1.25, -0.75, 0.9)));
        return new StudyReport(
                "points",
                "",
                new Provenance("1", "", "cpu", Instant.EPOCH, Map.of()),
                "",
                runs,
                new Findings(Headline.PAPER, List.of(), List.of(law), List.of(), Landscape.NONE),
                List.of(),
                List.of());
    }

    @Test
    void theNoteOnIntervalsNamesTheClocksThatAreThere() {
        assertThat(new SummaryTable(report()).intervals())
                .isEqualTo("Times in optimizer updates with 95 % intervals over the samples of the run: τ_mem and first"
                        + " copy by bootstrap, τ_KL from those of KL. f_mem at k = 1/3 with Wilson’s interval.");
        assertThat(new SummaryTable(SyntheticStudy.of(true, List.of())).intervals())
                .contains("τ_gen from the intervals of the Fréchet distance")
                .doesNotContain("KL");
    }

    @Test
    void theFactsAreThoseOfKl() {
        assertThat(report().generation()).isEqualTo(FALL);
        assertThat(Verdict.details(report()))
                .contains("KL is within 1 nat of 0 from τ_KL (1 nat) = 250–500 updates on (∝ model.width^−1.00,"
                        + " 95 % interval of the exponent −1.25 to −0.75). In 1 of 3 runs copies come before KL is"
                        + " within 1 nat of 0, so that τ_KL (1 nat) is at least 750.")
                .contains("KL is above 1 nat again from 900–1\u202f500 updates on.")
                .contains("τ_mem/τ_KL (1 nat) runs from 4 to 6 over the 2 runs where both times are known.");
    }

    @Test
    void tablesBarsAndFiguresHaveIt() {
        String page = HtmlReport.page(report());
        assertThat(page)
                .contains("<i>τ</i><sub>KL</sub> (1\u00a0nat)")
                .contains("window of a factor 4")
                .contains("[200, open)")
                .contains("copies come first");
        assertThat(Charts.of(report()))
                .extracting(ChartSpec::id)
                .contains("metric_kl_points", "metric_w_kl_points", "metric_w_over_n_kl_points");
        assertThat(Tables.summary(report())).contains("tau_kl[1]").contains("tau_kl_rise[1]");
    }
}
