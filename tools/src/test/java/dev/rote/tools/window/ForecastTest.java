package dev.rote.tools.window;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.config.ConfigTree;
import dev.rote.config.StopConfig;
import dev.rote.errors.DataException;
import dev.rote.metrics.GapCurve;
import dev.rote.metrics.Interval;
import dev.rote.tools.study.StudyFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ForecastTest {
    private static SmallRun run(int n, double tau) {
        return new SmallRun(
                n,
                (int) (1.3 * tau),
                Optional.of(new Interval(tau, 0.9 * tau, 1.1 * tau)),
                OptionalDouble.of(100),
                false,
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
        assertThat(forecast.tauGen().orElseThrow().value()).isBetween(99.0, 101.0);
        assertThat(forecast.cost().orElseThrow()).isBetween(0.033, 0.036);
        assertThat(ForecastText.json(forecast)).contains("\"tau_mem\"", "\"exponent\"", "\"n\" : 1024");
        assertThat(ForecastText.lines(forecast, Recorded.config(1024, 0)))
                .anySatisfy(line -> assertThat(line).startsWith("3 small runs (n = 16, 24, 36) took 1,728 updates, 3."))
                .anySatisfy(line -> assertThat(line).startsWith("window: from "));
    }

    @Test
    void withoutACopyNothingIsForecast() {
        SmallRun none = new SmallRun(16, 100, Optional.empty(), OptionalDouble.empty(), false, GapCurve.of(List.of()));
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
        Pilot pilot = Pilot.within(4096, 1, 0.05);
        int images = pilot.sizes().stream().mapToInt(n -> n).sum();
        assertThat(1.35 * images / (2 * 4096)).isBetween(0.048, 0.052);
        assertThat(Pilot.within(64, 1, 0.05).sizes()).containsExactly(12, 24);
        assertThat(Pilot.within(4096, 2, 0.05).sizes().getFirst())
                .isLessThan(pilot.sizes().getFirst());
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
