package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class MemorizedFractionTest {
    private static final Bootstrap BOOTSTRAP = Bootstrap.standard(11);

    @Test
    void countsRatiosStrictlyBelowTheThreshold() {
        Neighbours neighbours = new Neighbours(4, 2, new int[8], new double[] {1, 3, 1, 3.0001, 0, 5, 2, 2});
        double[] ratios = MemorizedFraction.ratios(neighbours);
        assertThat(ratios).containsExactly(1.0 / 3, 1 / 3.0001, 0, 1);
        MemorizedFraction third = MemorizedFraction.of(ratios, MemorizedFraction.ONE_THIRD, BOOTSTRAP);
        assertThat(third.memorized()).isEqualTo(2);
        assertThat(third.value()).isEqualTo(0.5);
        assertThat(MemorizedFraction.of(ratios, 0.25, BOOTSTRAP).memorized()).isEqualTo(1);
        assertThat(MemorizedFraction.of(ratios, 0.5, BOOTSTRAP).memorized()).isEqualTo(3);
    }

    @Test
    void exactCopyOfADuplicatedImageIsACopy() throws InterruptedException {
        Rows training = Rows.of(new float[] {1, 1, 1, 1, 9, 9}, 2);
        Neighbours neighbours = NearestNeighbours.search(Rows.of(new float[] {1, 1}, 2), training, 2, 1);
        assertThat(neighbours.distances()).containsExactly(0, 0);
        assertThat(MemorizedFraction.ratios(neighbours)).containsExactly(0);
    }

    @Test
    void wilsonKeepsAWidthAtZeroAndOneWhereTheBootstrapHasNone() {
        double z2 = 3.841458820694124; // 95 % quantile of chi squared with one degree of freedom
        double[] none = new double[100];
        Arrays.fill(none, 0.9);
        MemorizedFraction zero = MemorizedFraction.of(none, MemorizedFraction.ONE_THIRD, BOOTSTRAP);
        assertThat(zero.bootstrap()).isEqualTo(new Interval(0, 0, 0));
        assertThat(zero.wilson().low()).isZero();
        assertThat(zero.wilson().high()).isCloseTo(z2 / (100 + z2), within(1e-12));
        MemorizedFraction one = MemorizedFraction.of(new double[100], MemorizedFraction.ONE_THIRD, BOOTSTRAP);
        assertThat(one.wilson().low()).isCloseTo(100 / (100 + z2), within(1e-12));
        assertThat(one.wilson().high()).isEqualTo(1);
    }

    @Test
    void intervalsOfTenPerCentEqualTheTextbook() {
        double[] ratios = new double[100];
        Arrays.fill(ratios, 10, 100, 1);
        MemorizedFraction tenth = MemorizedFraction.of(ratios, MemorizedFraction.ONE_THIRD, BOOTSTRAP);
        assertThat(tenth.wilson().low()).isCloseTo(0.0552291, within(1e-6));
        assertThat(tenth.wilson().high()).isCloseTo(0.1743657, within(1e-6));
        assertThat(tenth.bootstrap().low()).isBetween(0.03, 0.06);
        assertThat(tenth.bootstrap().high()).isBetween(0.14, 0.18);
    }

    /// Newcombe 1998, table II, example (a): 56/70 - 48/80, method 10 gives 0.0524 to 0.3339.
    @Test
    void differenceToTheBaseRateEqualsNewcombesExample() {
        Interval difference = fraction(56, 70).above(fraction(48, 80));
        assertThat(difference.value()).isCloseTo(0.2, within(1e-12));
        assertThat(difference.low()).isCloseTo(0.0524, within(5e-5));
        assertThat(difference.high()).isCloseTo(0.3339, within(5e-5));
    }

    @Test
    void refusesASingleNeighbourAndNoSamples() {
        Neighbours single = new Neighbours(1, 1, new int[1], new double[1]);
        assertThatIllegalArgumentException().isThrownBy(() -> MemorizedFraction.ratios(single));
        assertThatIllegalArgumentException().isThrownBy(() -> MemorizedFraction.of(new double[0], 0.5, BOOTSTRAP));
        assertThatIllegalArgumentException().isThrownBy(() -> MemorizedFraction.of(new double[1], 0, BOOTSTRAP));
    }

    private static MemorizedFraction fraction(int hits, int count) {
        double[] ratios = new double[count];
        Arrays.fill(ratios, hits, count, 1);
        return MemorizedFraction.of(ratios, 0.5, BOOTSTRAP);
    }
}
