package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/// KL that falls, has one estimate below 0 too early, stays on its floor and rises.
class DivergenceTimesTest {
    private static final double[] STEPS = {100, 200, 400, 800, 1600, 3200};
    private static final double[] NATS = {500, -0.5, 40, 0.5, 0.4, 3};
    private static final OptionalDouble ALL = OptionalDouble.empty();

    private static Curve within95(double half) {
        return new Curve(
                STEPS,
                NATS,
                Arrays.stream(NATS).map(v -> v - half).toArray(),
                Arrays.stream(NATS).map(v -> v + half).toArray());
    }

    private static CrossingInterval fall(Curve kl, OptionalDouble end) {
        return DivergenceTimes.fall(kl, end, 1, Bootstrap.standard(1)).orElseThrow();
    }

    /// Running medians 500, 40, 0.5, 0.5, 0.5, 3.
    @Test
    void oneLowEstimateIsNoFall() {
        double fallen = 200 * Math.pow(2, 39 / 39.5);
        Curve exact = Curve.of(STEPS, NATS);
        assertThat(fall(exact, ALL).crossing().orElseThrow().step()).isCloseTo(fallen, within(1e-9));
        assertThat(fall(exact, ALL).interval().low()).isCloseTo(fallen, within(1e-9));
        assertThat(DivergenceTimes.smooth(exact).values()).containsExactly(500, 40, 0.5, 0.5, 0.5, 3);
    }

    /// A divergence is never below 0: such an estimate is wrong, and not a small one.
    @Test
    void anEstimateFarBelowZeroIsNotNearIt() {
        Curve kl = Curve.of(STEPS, new double[] {-150, -60, -10, -0.2, 0.3, 3});
        assertThat(fall(kl, ALL).crossing().orElseThrow().step()).isCloseTo(400 * Math.pow(2, 9 / 9.7), within(1e-9));
        assertThat(DivergenceTimes.plateau(Curve.of(STEPS, new double[] {-150, -60, 0.1, 0.2, 0.3, 0.3}), ALL, 1)
                        .orElseThrow()
                        .step())
                .isBetween(200.0, 400.0);
    }

    @Test
    void onlyWhatFallsBeforeCopiesCounts() {
        assertThat(fall(within95(0.1), OptionalDouble.of(399)).crossing()).isEmpty();
        assertThat(fall(within95(0.1), OptionalDouble.of(400)).crossing()).isPresent();
        assertThat(DivergenceTimes.fall(within95(0.1), OptionalDouble.of(99), 1, Bootstrap.standard(1)))
                .isEmpty();
        assertThat(fall(Curve.of(STEPS, new double[] {0, 0, 0, 0, 0, 0}), ALL)
                        .crossing()
                        .orElseThrow()
                        .censored())
                .isTrue();
    }

    @Test
    void theLastRiseCounts() {
        CrossingInterval found =
                DivergenceTimes.rise(within95(0.1), 1, Bootstrap.standard(1)).orElseThrow();
        assertThat(found.crossing().orElseThrow().step()).isCloseTo(1600 * Math.pow(2, 0.2), within(1e-9));
        assertThat(found.interval().contains(1838)).isTrue();
        assertThat(DivergenceTimes.rise(Curve.of(STEPS, NATS), 0.5, Bootstrap.standard(1)))
                .as("never below")
                .isEmpty();
        assertThat(DivergenceTimes.rise(Curve.of(STEPS, NATS), 4, Bootstrap.standard(1))
                        .orElseThrow()
                        .crossing())
                .as("still below")
                .isEmpty();
    }

    @Test
    void wideEstimatesGiveWideIntervals() {
        Interval narrow = fall(within95(0.1), ALL).interval();
        Interval wide = fall(within95(1), ALL).interval();
        assertThat(wide.high()).isGreaterThan(narrow.high());
        assertThat(wide.low()).isLessThanOrEqualTo(narrow.low());
        assertThat(fall(within95(8), ALL).interval().high()).as("perhaps never").isInfinite();
        assertThat(DivergenceTimes.rise(within95(8), 1, Bootstrap.standard(1))
                        .orElseThrow()
                        .interval()
                        .low())
                .as("perhaps never below")
                .isLessThan(400);
    }

    /// From 1000 (100 / tau)^2 - 0.3, whose magnitude has its plateau at 0.3: one nat above at tau = 2500.
    @Test
    void thePlateauIsReadInNats() {
        double[] steps = new double[33];
        Arrays.setAll(steps, i -> 100 * Math.pow(10, i / 8.0));
        double[] nats = Arrays.stream(steps).map(tau -> 1e7 / (tau * tau) - 0.3).toArray();
        Curve kl = Curve.of(steps, nats);
        GenerationPlateau found = DivergenceTimes.plateau(kl, ALL, 1).orElseThrow();
        assertThat(found.level()).isCloseTo(0.3, within(1e-3));
        assertThat(found.step()).isBetween(2400.0, 2600.0);
        assertThat(found.falling()).isFalse();
        assertThat(DivergenceTimes.plateauInterval(kl, ALL, 1, Bootstrap.standard(1)))
                .contains(new Interval(found.step(), found.step(), found.step()));
        assertThat(DivergenceTimes.plateau(kl, OptionalDouble.of(2000), 1)
                        .orElseThrow()
                        .falling())
                .isTrue();
    }
}
