package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class TimeScalesTest {
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final Curve RISING = Curve.of(new double[] {100, 1000, 10_000}, new double[] {0, 0.02, 0.42});

    @Test
    void crossingIsInterpolatedLinearlyInLogTau() {
        assertThat(TimeScales.crossing(RISING, 0.01).orElseThrow().step()).isCloseTo(Math.sqrt(1e5), within(1e-9));
        Crossing tenth = TimeScales.crossing(RISING, 0.12).orElseThrow();
        assertThat(tenth.step()).isCloseTo(1000 * Math.pow(10, 0.25), within(1e-8));
        assertThat(tenth.before()).isEqualTo(1000);
        assertThat(tenth.after()).isEqualTo(10_000);
        assertThat(tenth.censored()).isFalse();
    }

    @Test
    void aCurveThatNeverCrossesHasNoCrossing() {
        assertThat(TimeScales.crossing(RISING, 0.5)).isEmpty();
        assertThat(TimeScales.crossing(RISING, 0.42)).isEmpty(); // reaching is not exceeding
        assertThat(TimeScales.firstNonZero(Curve.of(new double[] {1, 2}, new double[2])))
                .isEmpty();
    }

    @Test
    void aCurveThatStartsAboveIsCensored() {
        Crossing crossing = TimeScales.crossing(Curve.of(new double[] {50, 60}, new double[] {0.2, 0.1}), 0.01)
                .orElseThrow();
        assertThat(crossing).isEqualTo(new Crossing(50, 0, 50, true));
    }

    @Test
    void fromStepZeroTheInterpolationIsLinear() {
        Curve curve = Curve.of(new double[] {0, 100}, new double[] {0, 0.04});
        assertThat(TimeScales.crossing(curve, 0.01).orElseThrow().step()).isCloseTo(25, within(1e-12));
    }

    @Test
    void firstNonZeroIsAMeasuredStep() {
        assertThat(TimeScales.firstNonZero(RISING)).contains(new Crossing(1000, 100, 1000, false));
    }

    @Test
    void bandTurnsPointwiseIntervalsIntoAnIntervalOfTheStep() {
        Curve curve = Curve.of(
                new double[] {10, 100, 1000},
                new Interval[] {new Interval(0, 0, 0), new Interval(0.1, 0, 0.2), new Interval(0.3, 0.2, 0.4)});
        Interval interval = TimeScales.crossingBand(curve, 0.1).interval();
        assertThat(interval.value()).isCloseTo(100, within(1e-9));
        assertThat(interval.low()).isCloseTo(10 * Math.sqrt(10), within(1e-9));
        assertThat(interval.high()).isCloseTo(100 * Math.sqrt(10), within(1e-9));
        assertThat(TimeScales.crossingBand(curve, 0.25).interval().high()).isEqualTo(INF);
    }

    @Test
    void generationTimeLooksOnlyBeforeMemorization() {
        Curve frechet = Curve.of(new double[] {1, 2, 4, 8, 16, 32}, new double[] {90, 21.9, 20, 22, 10, 5});
        assertThat(TimeScales.generation(frechet, OptionalDouble.of(9), 1.1))
                .contains(new GenerationTime(2, 4, 20, false));
        assertThat(TimeScales.generation(frechet, OptionalDouble.of(9), 1.05))
                .contains(new GenerationTime(4, 4, 20, false));
        assertThat(TimeScales.generation(frechet, OptionalDouble.empty(), 1.1))
                .contains(new GenerationTime(32, 32, 5, true));
        assertThat(TimeScales.generation(frechet, OptionalDouble.of(0.5), 1.1)).isEmpty();
    }

    @Test
    void lossesSplitWhereTheGapExceedsTheMargin() {
        double[] steps = {1, 10, 100, 1000};
        Curve train = Curve.of(steps, new double[] {2, 1, 0.9, 0.4});
        Curve test = Curve.of(steps, new double[] {2, 1, 0.9, 0.5});
        LossSplit split = TimeScales.lossSplit(train, test, 0.10);
        assertThat(split.split().orElseThrow().step()).isCloseTo(100 * Math.sqrt(10), within(1e-9));
        assertThat(split.testMinimumStep()).isEqualTo(1000);
        assertThat(split.testMinimum()).isEqualTo(0.5);
        assertThat(TimeScales.lossSplit(test, test, 0.10).split()).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> TimeScales.lossSplit(train, RISING, 0.1));
    }

    @Test
    void memorizationIntervalHoldsTheMeasuredCrossing() {
        CrossingInterval found = memorization(new int[] {0, 0, 20, 200}, 1000, 0.01);
        double step = found.crossing().orElseThrow().step();
        assertThat(step).isCloseTo(200 * Math.sqrt(2), within(1e-9));
        assertThat(found.interval().contains(step)).isTrue();
        assertThat(found.interval().low()).isBetween(200.0, 0.99 * step);
        assertThat(found.interval().high()).isBetween(1.01 * step, 450.0);
        assertThat(found.never()).isZero();
        assertThat(found.censored()).isZero();
    }

    @Test
    void theFirstCopyCanBeMissedButNotInvented() {
        List<double[]> ratios = new ArrayList<>();
        for (int hits : new int[] {0, 1, 40, 80}) {
            double[] step = new double[100];
            Arrays.setAll(step, i -> i < hits ? 0.1 : 0.9);
            ratios.add(step);
        }
        CrossingInterval found =
                TimeScales.firstCopy(new double[] {100, 200, 400, 800}, ratios, 1.0 / 3, Bootstrap.standard(1));
        assertThat(found.crossing().orElseThrow().step()).isEqualTo(200);
        assertThat(found.interval()).isEqualTo(new Interval(200, 200, 400)); // missed with probability 0.37
    }

    @Test
    void aNoisyDistanceMovesTheGenerationTimeAndAnExactOneDoesNot() {
        double[] steps = {10, 20, 40, 80, 160};
        double[] values = {9, 1.2, 1.05, 1, 1.02};
        Curve exact = Curve.of(steps, values);
        assertThat(TimeScales.generationInterval(exact, OptionalDouble.empty(), 1.1, Bootstrap.standard(1)))
                .contains(new Interval(40, 40, 40));
        double[] low = {8.8, 1.0, 0.85, 0.8, 0.82};
        double[] high = {9.2, 1.4, 1.25, 1.2, 1.22};
        Interval noisy = TimeScales.generationInterval(
                        new Curve(steps, values, low, high), OptionalDouble.empty(), 1.1, Bootstrap.standard(1))
                .orElseThrow();
        assertThat(noisy.low()).isEqualTo(20);
        assertThat(noisy.high()).isEqualTo(160);
    }

    @Test
    void theSplitsIntervalComesFromTheLosses() {
        double[] steps = {100, 200, 400, 800};
        double[] train = {1, 0.95, 0.8, 0.5};
        double[] test = {1, 1, 1, 1};
        Curve exact = Curve.of(steps, test);
        LossSplit split = TimeScales.lossSplit(around(steps, train, 0.03), exact, 0.1);
        double step = split.split().orElseThrow().step();
        assertThat(step).isCloseTo(200 * Math.pow(2, 0.05 / 0.15), within(1e-9));
        assertThat(split.interval().low()).isCloseTo(200 * Math.pow(2, 0.02 / 0.15), within(1e-9));
        assertThat(split.interval().high()).isCloseTo(200 * Math.pow(2, 0.08 / 0.15), within(1e-9));
        Interval early =
                TimeScales.lossSplit(around(steps, train, 0.2), exact, 0.1).interval();
        assertThat(early.low()).isZero();
        Interval both = TimeScales.lossSplit(around(steps, train, 0.03), around(steps, test, 0.04), 0.1)
                .interval();
        assertThat(both.low()).isLessThan(split.interval().low());
    }

    private static Curve around(double[] steps, double[] values, double half) {
        return new Curve(
                steps,
                values,
                Arrays.stream(values).map(v -> v - half).toArray(),
                Arrays.stream(values).map(v -> v + half).toArray());
    }

    @Test
    void resamplesThatNeverCrossOpenTheIntervalAtTheTop() {
        CrossingInterval found = memorization(new int[] {0, 0, 0, 12}, 1000, 0.01);
        assertThat(found.never()).isBetween(150, 450); // P(Poisson(12) <= 10) = 0.35
        assertThat(found.interval().high()).isEqualTo(INF);
        assertThat(found.interval().low()).isFinite();
        CrossingInterval never = memorization(new int[] {0, 0, 0, 0}, 1000, 0.01);
        assertThat(never.crossing()).isEmpty();
        assertThat(never.never()).isEqualTo(1000);
        assertThat(never.interval()).isEqualTo(new Interval(INF, INF, INF));
    }

    @Test
    void resamplesAboveAtTheFirstStepOpenTheIntervalAtTheBottom() {
        CrossingInterval found = memorization(new int[] {9, 50, 200, 900}, 1000, 0.01);
        assertThat(found.censored()).isBetween(150, 550); // P(Poisson(9) >= 11) = 0.29
        assertThat(found.interval().low()).isZero();
    }

    /// The interval is meant to hold the true crossing in 95 of 100 experiments.
    @Test
    void memorizationIntervalCoversTheTrueCrossing() {
        double[] steps = {100, 200, 400, 800};
        double[] truth = {0, 0.004, 0.034, 0.2};
        double crossing = 200 * Math.pow(2, (0.01 - 0.004) / 0.03);
        int covered = 0;
        for (int trial = 0; trial < 200; trial++) {
            SplitMix64 random = new SplitMix64(9, trial);
            List<double[]> ratios = new ArrayList<>();
            for (double share : truth) {
                double[] drawn = new double[1000];
                Arrays.setAll(drawn, i -> random.nextDouble() < share ? 0 : 1);
                ratios.add(drawn);
            }
            CrossingInterval found =
                    TimeScales.memorization(steps, ratios, 1.0 / 3, 0.01, new Bootstrap(200, 0.95, trial));
            covered += found.interval().contains(crossing) ? 1 : 0;
        }
        assertThat(covered).isBetween(180, 199);
    }

    @Test
    void medianOverSeedsStandsASeedThatNeverCrossed() {
        Interval interval = TimeScales.overSeeds(new double[] {100, 120, INF}, Bootstrap.standard(1));
        assertThat(interval).isEqualTo(new Interval(120, 100, INF));
    }

    @Test
    void refusesCurvesThatAreNotCurves() {
        assertThatIllegalArgumentException().isThrownBy(() -> Curve.of(new double[] {2, 2}, new double[2]));
        assertThatIllegalArgumentException().isThrownBy(() -> Curve.of(new double[] {-1, 2}, new double[2]));
        assertThatIllegalArgumentException().isThrownBy(() -> Curve.of(new double[] {1, 2}, new double[1]));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Curve.of(new double[] {1, 2}, new double[] {0, Double.NaN}));
    }

    private static CrossingInterval memorization(int[] hits, int samples, double level) {
        List<double[]> ratios = new ArrayList<>();
        for (int h : hits) {
            double[] drawn = new double[samples];
            Arrays.fill(drawn, h, samples, 1);
            ratios.add(drawn);
        }
        // 1 % lies half way between the counts 0 and 20 of a thousand
        return TimeScales.memorization(
                new double[] {100, 200, 400, 800}, ratios, 1.0 / 3, level, Bootstrap.standard(4));
    }
}
