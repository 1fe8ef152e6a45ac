package dev.rote.tools.window;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.rote.config.ConfigTree;
import dev.rote.config.StopConfig;
import dev.rote.errors.DataException;
import dev.rote.metrics.GapCurve;
import dev.rote.metrics.GenerationForecast;
import dev.rote.metrics.GenerationForecast.Known;
import dev.rote.metrics.GenerationForecast.Point;
import dev.rote.metrics.Interval;
import dev.rote.tools.study.RunRecord;
import dev.rote.tools.study.StudyFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ForecastTest {
    private static SmallRun run(int n, double tau) {
        return new SmallRun(
                n,
                (int) (1.3 * tau),
                Optional.of(new Interval(tau, 0.9 * tau, 1.1 * tau)),
                Optional.of(new Point(n, 100, Known.EXACT)),
                gap(tau, 1.3 * tau));
    }

    /// The test loss grows over the train loss as 1 + step / tau does.
    private static GapCurve gap(double tau, double last) {
        List<GapCurve.Look> looks = new ArrayList<>();
        for (double step = 0.01 * tau; step <= last; step *= 1.1) {
            looks.add(new GapCurve.Look(step, Math.log1p(step / tau)));
        }
        return GapCurve.of(looks);
    }

    /// tau = 320 ((n + 16) / 32)^1.25: at 1,024 images 24,832.
    @Test
    void aLawIsContinued() {
        Forecast forecast = Forecast.of(1024, List.of(run(16, 320), run(24, 423), run(36, 587)));
        Interval tau = forecast.tauMem().orElseThrow();
        assertThat(tau.value()).isBetween(24335.0, 25328.0);
        assertThat(tau.low()).isBetween(7_000.0, 14_000.0);
        assertThat(forecast.tauGen().orElseThrow().time().contains(100)).isTrue();
        assertThat(forecast.cost().orElseThrow()).isBetween(0.033, 0.036);
        assertThat(ForecastText.json(forecast)).contains("\"tau_mem\"", "\"exponent\"", "\"n\" : 1024");
        assertThat(ForecastText.lines(forecast, Recorded.config(1024, 0)))
                .anySatisfy(line -> assertThat(line).startsWith("3 small runs (n = 16, 24, 36) took 1,728 updates, 3."))
                .anySatisfy(line -> assertThat(line)
                        .containsPattern(
                                "^window: wider than a factor of 1.5 with a probability of 100 %, from [0-9,]+ to"
                                        + " [0-9,]+ updates by both intervals; train"));
    }

    /// Few images are copied before samples are good: what the small runs know of tau_gen is that it is later.
    @Test
    void aBoundLeavesTauGenOpenUpToTauMem() {
        List<SmallRun> small = List.of(bound(16, 320, Known.AT_LEAST), bound(24, 423, Known.AT_LEAST));
        Forecast forecast = Forecast.of(1024, small);
        double tauMem = forecast.tauMem().orElseThrow().value();
        GenerationForecast tauGen = forecast.tauGen().orElseThrow();
        assertThat(tauGen.time().low()).isGreaterThan(200);
        assertThat(tauGen.time().high()).isBetween(0.5 * tauMem, 2 * tauMem);
        assertThat(tauGen.open()).isBetween(0.5, 0.99);
        assertThat(forecast.bounds()).isEqualTo(2);
        assertThat(ForecastText.lines(forecast, Recorded.config(1024, 0)))
                .anySatisfy(line ->
                        assertThat(line).startsWith("tau_gen: ").endsWith("; 2 of 2 small runs know only a bound"))
                .anySatisfy(line ->
                        assertThat(line).endsWith(" %, where is not certain; train with --stop before-memorization"));
        assertThat(ForecastText.json(forecast))
                .contains("\"tau_gen_known\" : \"at least\"", "\"window\"", "\"probability\"");
        // at 30 images there is no room between the bounds and tau_mem
        Forecast near = Forecast.of(30, small);
        assertThat(near.tauGen().orElseThrow().open()).isLessThan(0.5);
        assertThat(ForecastText.lines(near, Recorded.config(30, 0)).getLast())
                .endsWith(" %; more images, or --stop before-memorization and an audit");
    }

    private static SmallRun bound(int n, double tau, Known known) {
        SmallRun run = run(n, tau);
        return new SmallRun(n, run.steps(), run.tauMem(), Optional.of(new Point(n, 0.9 * tau, known)), run.gap());
    }

    @Test
    void aSmallRunKnowsItsTauGenOrABound() {
        Optional<Interval> tauMem = Optional.of(new Interval(100, 90, 110));
        double[] falling = {8, 4, 2, 1, 1};
        assertThat(tauGen(tauMem, falling)).contains(new Point(16, 80, Known.AT_LEAST));
        assertThat(tauGen(Optional.empty(), falling)).contains(new Point(16, 80, Known.EXACT));
        assertThat(tauGen(tauMem, 8, 2, 1, 2, 1)).contains(new Point(16, 40, Known.EXACT));
        assertThat(tauGen(tauMem, 1, 1, 2, 2, 1)).contains(new Point(16, 10, Known.AT_MOST));
        assertThat(tauGen(tauMem, 1.05, 2, 2, 1, 1)).isEmpty();
        assertThat(tauGen(tauMem)).isEmpty();
    }

    /// Of a run measured at 10, 20, 40, 80, 160 updates.
    private static Optional<Point> tauGen(Optional<Interval> tauMem, double... distances) {
        List<RunRecord.Measured> measured = new ArrayList<>();
        for (int i = 0; i < distances.length; i++) {
            measured.add(new RunRecord.Measured(
                    10 << i,
                    8,
                    List.of(),
                    new double[] {1},
                    Optional.of(Recorded.exact(distances[i])),
                    "features",
                    Map.of(),
                    Map.of(),
                    Map.of()));
        }
        return SmallRun.of(16, 160, tauMem, measured, GapCurve.of(List.of())).tauGen();
    }

    @Test
    void withoutACopyNothingIsForecast() {
        SmallRun none = new SmallRun(16, 100, Optional.empty(), Optional.empty(), GapCurve.of(List.of()));
        Forecast forecast = Forecast.of(64, List.of(none));
        assertThat(forecast.tauMem()).isEmpty();
        assertThat(ForecastText.lines(forecast, Recorded.config(64, 0)).getLast())
                .isEqualTo(
                        "tau_mem: no small run copied within train.steps = 1000000; raise it, or give smaller --sizes");
        assertThat(SmallRun.of(16, Recorded.none()).tauMem()).isEmpty();
    }

    /// The law says about 25,000, but the run's losses part as if it were 10,240.
    @Test
    void theBeginningOfTheRunSharpensTheForecast() {
        List<SmallRun> small = List.of(run(16, 320), run(24, 480), run(36, 720));
        Forecast law = Forecast.of(1024, small);
        Forecast early = Forecast.of(1024, small, Optional.of(gap(10_240, 500)));
        assertThat(early.tauMem()).isEqualTo(law.tauMem());
        assertThat(early.beginning().orElseThrow().tauMem()).isEmpty();
        assertThat(ForecastText.lines(early, Recorded.config(1024, 0)))
                .anySatisfy(line -> assertThat(line).endsWith("its losses have not parted enough to tell"));
        Forecast later = Forecast.of(1024, small, Optional.of(gap(10_240, 4000)));
        Interval own = later.beginning().orElseThrow().tauMem().orElseThrow();
        Interval both = later.tauMem().orElseThrow();
        assertThat(own.contains(10_240)).isTrue();
        assertThat(both.contains(10_240)).isTrue();
        assertThat(both.value())
                .isBetween(own.value(), law.tauMem().orElseThrow().value());
        assertThat(both.high() / both.low())
                .isLessThan(own.high() / own.low())
                .isLessThan(law.tauMem().orElseThrow().high()
                        / law.tauMem().orElseThrow().low());
        assertThat(ForecastText.json(later)).contains("\"run\"", "\"step\"");
    }

    @Test
    void sizesFollowFromTheBudget() {
        // 1.4 ((s + 16) / 1040)^1.15 = 2 * 0.05
        assertThat(Pilot.within(1024, 1, 0.05).sizes()).containsExactly(89);
        assertThat(Pilot.within(1024, 1, 0.1).sizes()).containsExactly(175);
        assertThat(Pilot.within(64, 1, 0.05).sizes()).containsExactly(12);
        assertThat(Pilot.within(64, 1, 1).sizes()).containsExactly(63);
        int alone = Pilot.within(4096, 1, 0.05).sizes().getFirst();
        int twice = Pilot.within(4096, 2, 0.05).sizes().getFirst();
        assertThat(2 * Math.pow(twice + 16, 1.15)).isCloseTo(Math.pow(alone + 16, 1.15), withinPercentage(1));
        assertThatThrownBy(() -> Pilot.within(10, 1, 0.05))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("expected more than 12 training images");
        assertThatThrownBy(() -> new Pilot(30, List.of(16, 30), 1)).hasMessageContaining("found [16, 30]");
        assertThatThrownBy(() -> new Pilot(30, List.of(16), 0)).hasMessageContaining("--seeds");
    }

    @Test
    void smallRunsHaveTheBatchOfTheLargeOneAndStopByThemselves() {
        ConfigTree large = ConfigTree.parse("""
                seed = 7
                [data]
                source = "given by the test"
                size = 8
                [train]
                batch = 512
                steps = 1000
                """, "test");
        StudyFile study = new Pilot(100, List.of(16, 24), 2).study(large);
        assertThat(study.runs()).hasSize(4).allSatisfy(run -> {
            assertThat(run.config().train().effectiveBatch(run.config().data().n()))
                    .isEqualTo(100);
            assertThat(run.config().stop().rule()).isEqualTo(StopConfig.Rule.BEFORE_MEMORIZATION);
        });
        assertThat(study.runs().stream().map(run -> run.config().seed()).distinct())
                .containsExactly(7L, 8L);
    }
}
