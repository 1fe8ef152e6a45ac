package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// [KernelDistance], [FrechetExtrapolation] and [SlicedWasserstein]; expected numbers from `golden/sample_metrics.py`.
class SampleQualityTest {
    @Test
    void kernelDistanceOfABlockEqualsNumpys() throws InterruptedException {
        double found = KernelDistance.squared(
                MetricSets.samples(), MetricSets.training().slice(0, 50), 2);
        assertThat(found).isCloseTo(0.05525922102221781, within(1e-12));
    }

    /// Unbiased: over fresh sets of one distribution the mean is 0, and the interval covers it as often as it says.
    @Test
    void kernelDistanceOfOneDistributionIsZeroOnAverage() throws InterruptedException {
        int covered = 0;
        double sum = 0;
        double squares = 0;
        for (int trial = 0; trial < 100; trial++) {
            Interval found = KernelDistance.of(
                    MetricSets.gaussian(200, 4, 2 * trial), MetricSets.gaussian(220, 4, 2 * trial + 1), trial, 1);
            sum += found.value();
            squares += found.value() * found.value();
            covered += found.contains(0) ? 1 : 0;
        }
        assertThat(sum / 100).isCloseTo(0, within(4 * Math.sqrt(squares) / 100));
        assertThat(covered).isBetween(87, 100);
    }

    @Test
    void kernelDistanceSeesAShiftAndIsNotChangedByThreads() throws InterruptedException {
        Rows real = MetricSets.gaussian(300, 4, 1);
        float[] shifted = MetricSets.copy(MetricSets.gaussian(300, 4, 2));
        for (int i = 0; i < shifted.length; i++) {
            shifted[i] += 0.5f;
        }
        Interval one = KernelDistance.of(real, Rows.of(shifted, 4), 1, 1);
        assertThat(one.low()).isPositive();
        assertThat(KernelDistance.of(real, Rows.of(shifted, 4), 1, 3)).isEqualTo(one);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> KernelDistance.of(real, real.slice(0, 19), 1, 1))
                .withMessageContaining("19 of 4");
    }

    @Test
    void theLineEqualsScipys() {
        FrechetExtrapolation found =
                FrechetExtrapolation.fit(new int[] {10, 20, 30, 50, 100}, new double[] {3.1, 2.0, 1.75, 1.4, 1.22});
        assertThat(found.infinity().value()).isCloseTo(1.004019520851819, within(1e-12));
        assertThat(found.slope()).isCloseTo(20.85891748003549, within(1e-10));
        assertThat(found.infinity().high() - found.infinity().value()).isCloseTo(0.10116462506455039, within(1e-9));
    }

    /// Against the true distribution the distance of finitely many samples is biased by a multiple of 1/N, which the
    /// extrapolation takes away.
    @Test
    void extrapolationRemovesTheBias() throws InterruptedException {
        int d = 10;
        double[] identity = new double[d * d];
        for (int i = 0; i < d; i++) {
            identity[i * d + i] = 1;
        }
        FrechetStatistics truth = new FrechetStatistics(1 << 20, new double[d], identity);
        double biased = 0;
        double extrapolated = 0;
        for (int trial = 0; trial < 20; trial++) {
            Rows samples = MetricSets.gaussian(1000, d, 100 + trial);
            biased += FrechetDistance.between(FrechetStatistics.of(samples, 1), truth) / 20;
            FrechetExtrapolation found = FrechetExtrapolation.of(samples, truth, trial, 1);
            extrapolated += found.infinity().value() / 20;
            assertThat(found.counts()).startsWith(100).endsWith(1000).hasSize(15);
        }
        assertThat(biased).isGreaterThan(0.02);
        assertThat(Math.abs(extrapolated)).isLessThan(biased / 4);
    }

    /// Of a set and its scaled copy: W2 along every direction is |s - 1| times the root mean square there, so the mean
    /// over directions is `(s - 1)^2 tr(C) / d`, and of a shifted one `|t|^2 / d`.
    @Test
    void slicedWassersteinHasTheClosedForms() throws InterruptedException {
        int d = 8;
        Rows set = MetricSets.gaussian(500, d, 1);
        float[] scaled = MetricSets.copy(set);
        float[] shifted = MetricSets.copy(set);
        double squares = 0;
        for (int i = 0; i < scaled.length; i++) {
            squares += scaled[i] * scaled[i];
            scaled[i] *= 1.5f;
            shifted[i] += i % d == 0 ? 3 : 0;
        }
        double ofScaled =
                SlicedWasserstein.between(set, Rows.of(scaled, d), 4000, 5, 2).value();
        assertThat(ofScaled * ofScaled).isCloseTo(0.25 * squares / 500 / d, within(0.01));
        double ofShifted =
                SlicedWasserstein.between(set, Rows.of(shifted, d), 4000, 5, 2).value();
        assertThat(ofShifted * ofShifted).isCloseTo(9.0 / d, within(0.06));
        assertThat(SlicedWasserstein.between(set, set, 10, 5, 1).value()).isZero();
    }

    @Test
    void slicedWassersteinInOneDimensionPairsSortedValues() throws InterruptedException {
        Rows a = Rows.of(new float[] {3, 1, 2}, 1);
        Rows b = Rows.of(new float[] {5, 9, 1}, 1);
        assertThat(SlicedWasserstein.between(a, b, 7, 1, 1).value())
                .isCloseTo(Math.sqrt((0 + 9 + 36) / 3.0), within(1e-14));
    }

    @Test
    void slicedWassersteinTakesAsManyOfEitherAndThreadsChangeNoBit() throws InterruptedException {
        Rows real = MetricSets.gaussian(2500, 3, 1);
        Rows samples = MetricSets.gaussian(2100, 3, 2);
        SlicedWasserstein found = SlicedWasserstein.of(real, samples, 9, 1);
        assertThat(found.count()).isEqualTo(2000);
        assertThat(SlicedWasserstein.of(real, samples, 9, 3)).isEqualTo(found);
        assertThat(SlicedWasserstein.of(real, samples.slice(0, 40), 9, 1).count())
                .isEqualTo(40);
    }

    @Test
    void aSubsetHasEachRowOnceAndIsTheSameForTheSameSeed() {
        int[] order = Subset.permutation(50, 3);
        assertThat(order)
                .containsExactlyInAnyOrder(
                        java.util.stream.IntStream.range(0, 50).toArray());
        assertThat(order).isEqualTo(Subset.permutation(50, 3)).isNotEqualTo(Subset.permutation(50, 4));
        Rows rows = MetricSets.gaussian(10, 2, 1);
        assertThat(Subset.of(rows, 10, 1)).isSameAs(rows);
        assertThat(MetricSets.copy(Subset.rows(rows, new int[] {4, 7}, 1, 1)))
                .isEqualTo(Arrays.copyOfRange(MetricSets.copy(rows), 14, 16));
    }
}
