package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BootstrapTest {
    @Test
    void meanIntervalHasTheWidthOfTheCentralLimitTheorem() {
        SplitMix64 random = new SplitMix64(1);
        double[] values = new double[400];
        Arrays.setAll(values, i -> 5 + 2 * random.nextGaussian());
        Interval interval = new Bootstrap(4000, 0.95, 2).mean(values);
        double mean = Arrays.stream(values).average().orElseThrow();
        double error = Math.sqrt(
                Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum() / 399 / 400);
        assertThat(interval.value()).isCloseTo(mean, within(1e-12));
        assertThat(interval.low()).isCloseTo(mean - 1.96 * error, within(0.1 * error));
        assertThat(interval.high()).isCloseTo(mean + 1.96 * error, within(0.1 * error));
    }

    @Test
    void sameSeedGivesTheSameIntervalAndAnotherSeedAnother() {
        double[] values = {1, 4, 2, 8, 5, 7};
        assertThat(Bootstrap.standard(3).mean(values))
                .isEqualTo(Bootstrap.standard(3).mean(values));
        assertThat(new Bootstrap(50, 0.95, 3).mean(values)).isNotEqualTo(new Bootstrap(50, 0.95, 4).mean(values));
    }

    @Test
    void statisticOfIndicesSeesTheDataFirstAndThenResamples() {
        int[] calls = new int[1];
        Interval interval = new Bootstrap(10, 0.9, 5).of(4, sample -> {
            if (calls[0]++ == 0) {
                assertThat(sample).containsExactly(0, 1, 2, 3);
            }
            assertThat(Arrays.stream(sample).boxed()).hasSize(4).allMatch(i -> i >= 0 && i < 4);
            return Arrays.stream(sample).max().orElseThrow();
        });
        assertThat(calls[0]).isEqualTo(11);
        assertThat(interval.value()).isEqualTo(3);
    }

    @Test
    void infiniteStatisticsGiveAnInfiniteEndAndNotNan() {
        double inf = Double.POSITIVE_INFINITY;
        Interval interval = new Bootstrap(4, 0.95, 0).interval(2, new double[] {inf, 1, inf, 3});
        assertThat(interval.low()).isCloseTo(1.15, within(1e-12));
        assertThat(interval.high()).isEqualTo(inf);
    }

    @ParameterizedTest
    @CsvSource({"0,1", "0.5,2.5", "1,4", "0.25,1.75"})
    void quantilesInterpolateLinearly(double p, double expected) {
        assertThat(Bootstrap.quantile(new double[] {1, 2, 3, 4}, p)).isCloseTo(expected, within(1e-15));
    }

    @ParameterizedTest
    @CsvSource({
        "0.975,1,12.706204736174694",
        "0.975,2,4.302652729749464",
        "0.975,3,3.182446305283709",
        "0.975,4,2.7764451051977934",
        "0.975,9,2.262157162798205",
        "0.975,30,2.0422724563012373",
        "0.95,5,2.015048373333023",
        "0.005,7,-3.4994832973504946",
        "0.975,1000,1.9623390808264074",
        "0.5,3,0"
    })
    void studentQuantilesEqualTheTables(double p, int degrees, double expected) {
        assertThat(StudentT.quantile(p, degrees)).isCloseTo(expected, within(1e-10));
    }

    @Test
    void studentIntervalOfThreeSeeds() {
        Interval interval = StudentT.mean(new double[] {1, 2, 3}, 0.95);
        assertThat(interval.value()).isEqualTo(2);
        assertThat(interval.high() - 2).isCloseTo(4.302652729749464 / Math.sqrt(3), within(1e-10));
        Interval geometric = StudentT.geometricMean(new double[] {10, 100, 1000}, 0.95);
        assertThat(geometric.value()).isCloseTo(100, within(1e-10));
        assertThat(geometric.high())
                .isCloseTo(Math.exp(Math.log(100) + 4.302652729749464 * Math.log(10) / Math.sqrt(3)), within(1e-6));
    }

    @Test
    void oneSeedKnowsNothingAboutTheSpread() {
        assertThat(StudentT.mean(new double[] {7}, 0.95))
                .isEqualTo(new Interval(7, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY));
    }

    @Test
    void refusesNothingToResampleAndNan() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Bootstrap.standard(0).mean(new double[0]));
        assertThatIllegalArgumentException().isThrownBy(() -> new Bootstrap(0, 0.95, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Interval(Double.NaN, 0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Interval(0, 1, -1));
        assertThatIllegalArgumentException().isThrownBy(() -> StudentT.geometricMean(new double[] {1, 0}, 0.95));
    }

    /// The reference numbers of the published generator for seed 1234567.
    @Test
    void splitMixEqualsItsPublishedSequence() {
        SplitMix64 random = new SplitMix64(1234567);
        assertThat(random.nextLong()).isEqualTo(6457827717110365317L);
        assertThat(random.nextLong()).isEqualTo(3203168211198807973L);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++) {
            counts[random.nextInt(7)]++;
        }
        assertThat(Arrays.stream(counts).boxed()).allMatch(c -> Math.abs(c - 10_000) < 500);
    }
}
